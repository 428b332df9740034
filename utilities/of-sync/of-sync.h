/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SYNC_H
#define OF_SYNC_H 1

/* Keeping a switch's flows and groups as they should be
 * =====================================================
 *
 * Contributors say, under a key, which flows and groups there should be, and
 * this brings the switch there.  Only differences are sent, each change of a
 * key in one atomic OpenFlow bundle, groups by insertion and removal of
 * buckets.  After a (re)connection it first asks what the switch has: what is
 * as it should be is not touched.  What somebody else changes or deletes
 * afterward is noticed and put back.
 *
 * There is one meter, which flows may name in "controller" actions.
 *
 * Flows outside of 'cookie' and 'cookie_mask', and groups outside of
 * 'group_min'...'group_max', belong to others.  They are never touched.
 *
 * What the switch refuses costs only the key it belongs to, which stays as it
 * was in the switch until it is replaced again, or there is another
 * connection.  If several keys want different things of the same flow, the
 * first in the order of names wins.
 *
 * Files: of-sync.c, the connection; of-dump.c, what the switch has; of-item.c,
 * what there should be; of-bundle.c, the changes; of-meter.c, the meter;
 * of-monitor.c, what others change; of-flush.c, connections to be forgotten.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct ds;
struct of_sync;
struct ofputil_flow_mod;
struct ofputil_group_mod;

struct of_sync_options {
    const char *remote;         /* "unix:...", "tcp:...", "ssl:...". */
    ovs_be64 cookie, cookie_mask;
    uint32_t group_min, group_max;
    uint8_t first_table;        /* Where changes by others are noticed; */
    uint8_t n_tables;           /* with 0, in all tables. */
    int probe_interval;         /* Seconds. */
    uint32_t meter_id;          /* 0: none. */
    uint32_t meter_rate;        /* Packets a second; 0: delete the meter. */
};

struct of_sync *of_sync_create(const struct of_sync_options *);
void of_sync_destroy(struct of_sync *);
void of_sync_run(struct of_sync *);
void of_sync_wait(struct of_sync *);

bool of_sync_group_id(struct of_sync *, const char *name, uint32_t *id);
void of_sync_group_release(struct of_sync *, const char *name);

void of_sync_replace(struct of_sync *, const char *key,
                     struct ofputil_flow_mod *, size_t n_flows,
                     struct ofputil_group_mod *, size_t n_groups);
void of_sync_remove(struct of_sync *, const char *key);
void of_sync_set_complete(struct of_sync *);
void of_sync_clear(struct of_sync *);

bool of_sync_is_settled(const struct of_sync *);
bool of_sync_has_caught_up(const struct of_sync *);
long long int of_sync_behind_since(struct of_sync *);
bool of_sync_has_lb(const struct of_sync *);
uint32_t of_sync_meter(const struct of_sync *);
const char *of_sync_refused(const struct of_sync *, const char *key);

/* Connections to be forgotten; a member that is zero matches all. */
struct of_sync_ct {
    uint16_t zone;
    uint8_t protocol;           /* IPPROTO_*. */
    bool ipv6;
    struct in6_addr orig_dst;   uint16_t orig_dport;    /* Host byte order. */
    struct in6_addr reply_src;  uint16_t reply_sport;
};
void of_sync_ct_flush(struct of_sync *, const struct of_sync_ct *);

void of_sync_format(const struct of_sync *, struct ds *);
void of_sync_format_metrics(const struct of_sync *, struct ds *);

#endif /* of-sync.h */
