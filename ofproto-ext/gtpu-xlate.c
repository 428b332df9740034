/* SPDX-License-Identifier: Apache-2.0 */

/* Translation of an output to a GTP-U tunnel
 * ==========================================
 *
 * The header is a megaflow's, but what it says may be a packet's: a relay from
 * tunnel to tunnel passes on the message type (G-PDU, End Marker) and the PDU
 * Session Container that were received.  Whatever goes into the header must be
 * in the megaflow's key. */

#include <config.h>
#include "ofproto-ext/ofproto-hooks.h"

#include <string.h>

#include "lib/gtpu.h"
#include "netdev.h"
#include "openvswitch/flow.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"
#include "tun-metadata.h"
#include "util.h"

/* The port 'netdev' is going to send what 'flow' says.  Has all that its
 * header depends on matched exactly by 'wc'. */
void
gtpu_xlate_output(const struct netdev *netdev, const struct flow *flow,
                  struct flow_wildcards *wc)
{
    struct geneve_opt opts[TLV_TOT_OPT_SIZE / sizeof(struct geneve_opt)];
    const struct geneve_opt *opt = opts;
    bool crit_opt;
    int i;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return;
    }

    wc->masks.tunnel.gtpu_msgtype = UINT8_MAX;
    if (!flow->tunnel.metadata.present.map) {
        return;
    }

    /* The options come in the order of the fields. */
    tun_metadata_to_geneve_header(&flow->tunnel, opts, &crit_opt);
    ULLONG_FOR_EACH_1 (i, flow->tunnel.metadata.present.map) {
        if (opt->opt_class == htons(GTPU_TLV_CLASS)) {
            mf_mask_field(mf_from_id(MFF_TUN_METADATA0 + i), wc);
        }
        opt += 1 + opt->length;
    }
}
