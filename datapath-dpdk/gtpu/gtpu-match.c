/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow matches on GTP-U's flags and message type, as text */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include <inttypes.h>
#include <string.h>

#include "lib/gtpu/gtpu-build.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/packets.h"

/* Appends to 's' the matches on 'tnl' under 'mask', each with a comma.  Open
 * vSwitch prints the same names.  gtpu_field_name() accepts them as input. */
void
gtpu_match_format(const struct flow_tnl *tnl, const struct flow_tnl *mask,
                  struct ds *s)
{
    if (mask->gtpu_flags) {
        ds_put_format(s, "gtpu_flags=%#"PRIx8, tnl->gtpu_flags);
        if (mask->gtpu_flags != UINT8_MAX) {
            ds_put_format(s, "/%#"PRIx8, mask->gtpu_flags);
        }
        ds_put_char(s, ',');
    }
    if (mask->gtpu_msgtype) {
        ds_put_format(s, "gtpu_msgtype=%"PRIu8, tnl->gtpu_msgtype);
        if (mask->gtpu_msgtype != UINT8_MAX) {
            ds_put_format(s, "/%#"PRIx8, mask->gtpu_msgtype);
        }
        ds_put_char(s, ',');
    }
}

/* Returns Open vSwitch's name of the field 'name'. */
const char *
gtpu_field_name(const char *name)
{
    return (!strcmp(name, "gtpu_flags") ? "tun_gtpu_flags"
            : !strcmp(name, "gtpu_msgtype") ? "tun_gtpu_msgtype"
            : name);
}

/* Returns true if OpenFlow can set 'mf' although Open vSwitch forbids it.  The
 * message type is that of the message to send.  The flags follow from the
 * content of the header. */
bool
gtpu_field_is_writable(const struct mf_field *mf)
{
    return mf->id == MFF_TUN_GTPU_MSGTYPE;
}

bool
gtpu_field_may_be(const struct mf_field *mf, const union mf_value *value,
                  const union mf_value *mask)
{
    return (mf->id != MFF_TUN_GTPU_MSGTYPE
            || (mask && mask->u8 != UINT8_MAX)
            || gtpu_is_sendable(value->u8));
}

/* A controller knows the length of a tunnel option from the map that it made,
 * and a strict one refuses another length. */
int
gtpu_field_len(const struct mf_field *mf, int len)
{
    return mf->mapped ? mf->n_bytes : len;
}
