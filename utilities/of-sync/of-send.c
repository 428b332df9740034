/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-send.h"

#include "of-state.h"
#include "openflow/openflow-common.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"

/* Sends 'request', which it takes over.  Returns its xid, which the switch's
 * answer will have. */
ovs_be32
of_send(struct of_sync *sync, struct ofpbuf *request)
{
    ovs_be32 xid = ((const struct ofp_header *) request->data)->xid;

    rconn_send(sync->rconn, request, NULL);
    return xid;
}
