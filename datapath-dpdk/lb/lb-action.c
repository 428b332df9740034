/* SPDX-License-Identifier: Apache-2.0 */

/* The datapath action lb(ID)
 * ==========================
 *
 * Chooses a bucket of a select group for each packet of a batch and writes the
 * bucket's token into the packet's dp_hash.  The recirculation that follows
 * the action then finds the megaflow of that bucket: one for each bucket in
 * use, none for each hash value or connection.
 *
 * ID names a table in the registry (lb-registry.h).  A packet for which no
 * bucket can be chosen is dropped and counted.
 *
 * A table with a timeout is sticky: a remembered flow (lb-sticky.h) stays with
 * its bucket as long as the bucket is alive.  A flow that cannot be remembered
 * takes the bucket of its slot. */

#include <config.h>
#include "datapath-dpdk/lb/lb-hooks.h"

#include <stdlib.h>

#include "coverage.h"
#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/lb/lb-hash.h"
#include "dp-packet.h"
#include "flow.h"
#include "lib/hash/siphash-batch.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "lib/lb/lb-table.h"
#include "lib/lb/maglev.h"
#include "netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(lb_drop_no_bucket);
COVERAGE_DEFINE(lb_drop_no_group);
COVERAGE_DEFINE(lb_sticky_busy);
COVERAGE_DEFINE(lb_sticky_full);
COVERAGE_DEFINE(lb_sticky_hit);
COVERAGE_DEFINE(lb_sticky_moved);
COVERAGE_DEFINE(lb_sticky_new);

/* Returns the token in the slot of 'hash', or 0 if 'table' has no slots. */
static inline uint32_t
slot_token(const struct lb_table *table, uint64_t hash)
{
    return (OVS_LIKELY(table->n_slots)
            ? table->slots[maglev_slot(hash >> 32, table->n_slots)]
            : 0);
}

/* Returns the token for the flow of 'table' with 'hash', which 'sticky'
 * remembers from now on if it can, or 0 if there is none. */
static uint32_t
choose_sticky(const struct lb_table *table, struct lb_sticky *sticky,
              uint64_t hash, uint32_t now)
{
    uint64_t flow = hash ^ table->salt;
    uint32_t old = lb_sticky_lookup(sticky, flow, now, table->timeout);

    if (OVS_LIKELY(old && lb_table_has_token(table, old))) {
        COVERAGE_INC(lb_sticky_hit);
        return old;
    }

    uint32_t chosen = slot_token(table, hash);
    uint32_t token = chosen;

    if (!chosen) {
        return 0;
    }
    if (old) {
        COVERAGE_INC(lb_sticky_moved);
        token = lb_sticky_replace(sticky, flow, old, chosen, now,
                                  table->timeout);
    } else {
        switch (lb_sticky_insert(sticky, flow, &token, now, table->timeout)) {
        case LB_STICKY_ADDED:
            COVERAGE_INC(lb_sticky_new);
            break;
        case LB_STICKY_FOUND:
            COVERAGE_INC(lb_sticky_hit);
            break;
        case LB_STICKY_FULL:
            COVERAGE_INC(lb_sticky_full);
            break;
        case LB_STICKY_BUSY:
            COVERAGE_INC(lb_sticky_busy);
            break;
        }
    }
    /* Another thread that came first may have used another table. */
    return lb_table_has_token(table, token) ? token : chosen;
}

static void
execute_sticky(const struct lb_table *table, struct lb_sticky *sticky,
               struct dp_packet **packets, size_t n)
{
    uint32_t now = lb_sticky_ticks(time_msec());
    uint64_t hashes[NETDEV_MAX_BURST];

    lb_hash_burst(table, packets, n, hashes);
    for (size_t i = 0; i < n; i++) {
        lb_sticky_prefetch(sticky, hashes[i] ^ table->salt);
    }
    for (size_t i = 0; i < n; i++) {
        lb_sticky_prefetch_other(sticky, hashes[i] ^ table->salt);
    }
    for (size_t i = 0; i < n; i++) {
        packets[i]->md.dp_hash = choose_sticky(table, sticky, hashes[i], now);
    }
}

static void
execute_stateless(const struct lb_table *table, struct dp_packet **packets,
                  size_t n)
{
    const uint32_t *slots[NETDEV_MAX_BURST];
    uint64_t hashes[NETDEV_MAX_BURST];

    lb_hash_burst(table, packets, n, hashes);
    for (size_t i = 0; i < n; i++) {
        slots[i] = &table->slots[maglev_slot(hashes[i] >> 32,
                                             table->n_slots)];
        OVS_PREFETCH(slots[i]);
    }
    for (size_t i = 0; i < n; i++) {
        packets[i]->md.dp_hash = *slots[i];
    }
}

/* Gives each packet of 'batch' a token, or 0.  A batch may be longer than
 * NETDEV_MAX_BURST where Open vSwitch lets it grow: fragments that the
 * connection tracker had together, say. */
static void
execute(const struct lb_table *table, struct lb_sticky *sticky,
        struct dp_packet_batch *batch)
{
    size_t n_left = dp_packet_batch_size(batch);
    struct dp_packet **packets = batch->packets;

    while (n_left) {
        size_t n = MIN(n_left, NETDEV_MAX_BURST);

        if (sticky) {
            execute_sticky(table, sticky, packets, n);
        } else {
            execute_stateless(table, packets, n);
        }
        packets += n;
        n_left -= n;
    }
}

static void
drop_all(struct dp_packet_batch *batch)
{
    dp_packet_delete_batch(batch, true);
    compat_batch_clear(batch);
}

/* Drops the packets of 'batch' that got no token. */
static void
drop_without_token(struct dp_packet_batch *batch)
{
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;
    size_t i;

    DP_PACKET_BATCH_REFILL_FOR_EACH (i, n, packet, batch) {
        if (packet->md.dp_hash) {
            compat_batch_refill(batch, packet, i);
        } else {
            COVERAGE_INC(lb_drop_no_bucket);
            dp_packet_delete(packet);
        }
    }
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

    struct lb_sticky *sticky = (table->timeout ? lb_registry_get_sticky()
                                : NULL);

    if (sticky) {
        execute(table, sticky, batch);
        if (OVS_UNLIKELY(!table->n_slots)) {
            drop_without_token(batch);
        }
    } else if (OVS_LIKELY(table->n_slots)) {
        execute(table, NULL, batch);
    } else {
        COVERAGE_ADD(lb_drop_no_bucket, dp_packet_batch_size(batch));
        drop_all(batch);
    }
}

/* Implements lb_explain_func. */
static struct lb_choice
explain(const struct lb_table *table, struct dp_packet *packet)
{
    struct lb_sticky *sticky = (table->timeout ? lb_registry_get_sticky()
                                : NULL);
    enum lb_hashed hashed;
    uint64_t hash = lb_hash_explain(table, packet, &hashed);
    struct lb_choice choice = {
        .reason = sticky ? LB_BY_HASH_NEW : LB_BY_HASH,
        .hashed = hashed,
        .hash = hash,
        .token = slot_token(table, hash),
    };

    if (sticky) {
        uint32_t token = lb_sticky_peek(sticky, hash ^ table->salt,
                                        lb_sticky_ticks(time_msec()),
                                        &choice.ticks_left);

        if (token && lb_table_has_token(table, token)) {
            choice.reason = LB_BY_STICKY;
            choice.token = token;
            return choice;
        }
        choice.reason = token ? LB_BY_HASH_MOVED : LB_BY_HASH_NEW;
    }
    if (table->n_slots) {
        choice.slot = maglev_slot(hash >> 32, table->n_slots);
    } else {
        choice.reason = LB_NO_BUCKET;
    }
    return choice;
}

/* Chooses how to hash, and lets the control path ask about the data path.
 * Called once, before the first datapath is opened. */
void
lb_action_init(void)
{
    siphash_batch_select();
    lb_explain = explain;
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
    char digits[11];
    int n = 0;

    if (!ovs_scan(s, "lb(%10[0-9])%n", digits, &n)
        || strtoull(digits, NULL, 10) > UINT32_MAX) {
        return 0;
    }
    nl_msg_put_u32(actions, OVS_ACTION_ATTR_LB, strtoul(digits, NULL, 10));
    return n;
}
