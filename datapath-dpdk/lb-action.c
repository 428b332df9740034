/* SPDX-License-Identifier: Apache-2.0 */

/* The datapath action lb(ID)
 * ==========================
 *
 * Chooses a bucket of a select group for each packet of a batch and writes the
 * bucket's token into the packet's dp_hash.  The recirculation that follows
 * the action then finds the megaflow of that bucket: one for each bucket in
 * use, none for each hash value or connection.
 *
 * ID names a table in the registry (lib/lb-registry.h).  A packet for which no
 * bucket can be chosen is dropped and counted. */

#include <config.h>
#include "datapath-dpdk/datapath-hooks.h"

#include "coverage.h"
#include "datapath-dpdk/lb-hash.h"
#include "dp-packet.h"
#include "lib/lb-registry.h"
#include "lib/lb-table.h"
#include "lib/maglev.h"
#include "netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

COVERAGE_DEFINE(lb_drop_no_bucket);
COVERAGE_DEFINE(lb_drop_no_group);

static void
drop_all(struct dp_packet_batch *batch)
{
    dp_packet_delete_batch(batch, true);
    dp_packet_batch_init(batch);
}

/* Executes the action in attribute 'a' on 'batch'.  Packets that are dropped
 * are freed and leave the batch.  Any thread. */
void
lb_action_execute(struct dp_packet_batch *batch, const struct nlattr *a)
{
    const struct lb_table *table = lb_registry_get(nl_attr_get_u32(a));

    if (OVS_UNLIKELY(!table)) {
        COVERAGE_ADD(lb_drop_no_group, dp_packet_batch_size(batch));
        drop_all(batch);
        return;
    }
    if (OVS_UNLIKELY(!table->n_slots)) {
        COVERAGE_ADD(lb_drop_no_bucket, dp_packet_batch_size(batch));
        drop_all(batch);
        return;
    }

    const uint32_t *slots[NETDEV_MAX_BURST];
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        uint64_t hash = lb_hash_packet(table, packet);

        slots[i] = &table->slots[maglev_slot(hash >> 32, table->n_slots)];
        OVS_PREFETCH(slots[i]);
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        packet->md.dp_hash = *slots[i];
    }
}

/* Appends the action in attribute 'a', whose length is right, to 'ds'. */
void
lb_action_format(const struct nlattr *a, struct ds *ds)
{
    ds_put_format(ds, "lb(%"PRIu32")", nl_attr_get_u32(a));
}

/* If string 's' begins with an lb action, appends it to 'actions' and returns
 * its length in 's', otherwise returns 0. */
int
lb_action_parse(const char *s, struct ofpbuf *actions)
{
    uint32_t id;
    int n = 0;

    if (ovs_scan(s, "lb(%"SCNu32")%n", &id, &n)) {
        nl_msg_put_u32(actions, OVS_ACTION_ATTR_LB, id);
    }
    return n;
}
