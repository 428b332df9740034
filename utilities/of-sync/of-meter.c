/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-meter.h"

#include "of-send.h"
#include "of-state.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_meter);

/* A flow may name a meter that is none of ours. */
#define RETRY_MS 10000

/* Returns how many meters there are if there is one. */
uint32_t
of_meter_count(const struct of_sync *sync)
{
    return MAX(sync->options.n_meters, 1);
}

static ovs_be32
send_meter(struct of_sync *sync, uint32_t i, uint16_t command)
{
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP,
        .rate = sync->options.meter_rate,
        .burst_size = sync->options.meter_rate,
    };
    struct ofputil_meter_mod mm = {
        .command = command,
        .meter = {
            .meter_id = sync->options.meter_id + i,
            .flags = OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS,
            .n_bands = 1,
            .bands = &band,
        },
    };

    return of_send(sync, ofputil_encode_meter_mod(OF_VERSION, &mm));
}

/* Gives our meters to the switch, or deletes them if their rate is 0.  The
 * switch answers before it lists its flows: 'has_meter' is known by then. */
void
of_meter_start(struct of_sync *sync)
{
    sync->has_meter = sync->options.meter_id && sync->options.meter_rate;
    for (uint32_t i = 0; i < of_meter_count(sync); i++) {
        struct of_meter *meter = &sync->meters[i];

        meter->add_xid = meter->modify_xid = 0;
        if (sync->has_meter) {
            meter->add_xid = send_meter(sync, i, OFPMC13_ADD);
        } else if (sync->options.meter_id) {
            send_meter(sync, i, OFPMC13_DELETE);
        }
    }
}

/* Sends our meters again, after the switch has said that it has no meter that
 * a flow names: a flush takes them without a report.  Returns false if that
 * was done shortly before. */
bool
of_meter_retry(struct of_sync *sync)
{
    if (!sync->has_meter || time_msec() < sync->meter_retry) {
        return false;
    }
    sync->meter_retry = time_msec() + RETRY_MS;
    of_meter_start(sync);
    return true;
}

/* Handles the error message 'oh', which says 'error'.  Returns false if it is
 * not about our meters. */
bool
of_meter_error(struct of_sync *sync, const struct ofp_header *oh,
               enum ofperr error)
{
    for (uint32_t i = 0; oh->xid && i < of_meter_count(sync); i++) {
        struct of_meter *meter = &sync->meters[i];

        if (oh->xid == meter->add_xid
            && error == OFPERR_OFPMMFC_METER_EXISTS) {
            meter->modify_xid = send_meter(sync, i, OFPMC13_MODIFY);
            return true;
        } else if (oh->xid == meter->add_xid || oh->xid == meter->modify_xid) {
            if (sync->has_meter) {
                VLOG_WARN("%s: no meter (%s): what it would limit has no "
                          "limit", rconn_get_name(sync->rconn),
                          ofperr_to_string(error));
            }
            sync->has_meter = false;
            return true;
        }
    }
    return false;
}

/* Returns the id of our first meter, or 0 if the switch has none. */
uint32_t
of_meter_id(const struct of_sync *sync)
{
    return sync->has_meter ? sync->options.meter_id : 0;
}
