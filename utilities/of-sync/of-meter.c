/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-meter.h"

#include "of-send.h"
#include "of-state.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(of_meter);

static ovs_be32
send_meter(struct of_sync *sync, uint16_t command)
{
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP,
        .rate = sync->options.meter_rate,
        .burst_size = sync->options.meter_rate,
    };
    struct ofputil_meter_mod mm = {
        .command = command,
        .meter = {
            .meter_id = sync->options.meter_id,
            .flags = OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS,
            .n_bands = 1,
            .bands = &band,
        },
    };

    return of_send(sync, ofputil_encode_meter_mod(OF_VERSION, &mm));
}

/* Gives our meter to the switch, or deletes it if its rate is 0.  The switch
 * answers before it lists its flows, so 'has_meter' is known by then. */
void
of_meter_start(struct of_sync *sync)
{
    sync->has_meter = sync->options.meter_id && sync->options.meter_rate;
    sync->meter_add_xid = sync->meter_modify_xid = 0;
    if (sync->has_meter) {
        sync->meter_add_xid = send_meter(sync, OFPMC13_ADD);
    } else if (sync->options.meter_id) {
        send_meter(sync, OFPMC13_DELETE);
    }
}

/* Handles the error message 'oh', which says 'error'.  Returns false if it is
 * not about our meter. */
bool
of_meter_error(struct of_sync *sync, const struct ofp_header *oh,
               enum ofperr error)
{
    if (!oh->xid || (oh->xid != sync->meter_add_xid
                     && oh->xid != sync->meter_modify_xid)) {
        return false;
    }
    if (oh->xid == sync->meter_add_xid
        && error == OFPERR_OFPMMFC_METER_EXISTS) {
        sync->meter_modify_xid = send_meter(sync, OFPMC13_MODIFY);
    } else {
        sync->has_meter = false;
        VLOG_WARN("%s: no meter (%s): the switch sends \"controller\" packets "
                  "without a limit", rconn_get_name(sync->rconn),
                  ofperr_to_string(error));
    }
    return true;
}

/* Returns the id of our meter, or 0 if the switch has none. */
uint32_t
of_meter_id(const struct of_sync *sync)
{
    return sync->has_meter ? sync->options.meter_id : 0;
}
