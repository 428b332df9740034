/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SYNC_H
#define OF_SYNC_H 1

/* Keeps the flows and groups of a switch as they should be
 * ========================================================
 *
 * Each user has a key and says which flows and groups it wants.  of-sync
 * brings the switch there:
 *
 *   - It sends only differences.  A change of one key is in one atomic
 *     OpenFlow bundle.  Buckets are inserted into groups and removed from
 *     them.
 *
 *   - After each connection it asks what the switch has.  Flows and groups
 *     that are right are not touched.
 *
 *   - Others may change or delete them later.  of-sync notices and puts them
 *     back.
 *
 * Flows outside of 'cookie' and 'cookie_mask', and groups outside of
 * 'group_min'...'group_max', belong to others and are never touched.
 *
 * When the switch refuses a flow or group, its key alone suffers: the switch
 * keeps what it had for that key until the key is replaced or the connection
 * begins anew.  When several keys want different things of the same flow, the
 * first key in alphabetical order wins.
 *
 * There are meters, all of one rate, which flows may name in "controller" and
 * "meter" actions.
 *
 *     of-sync.c      the connection; everything that users call
 *     of-owner.c     keys, and what they want
 *     of-item.c      flows and groups: what the switch has and should have
 *     of-value.c     what a flow or a group does
 *     of-bucket.c    differences between groups
 *     of-dump.c      asks what the switch has
 *     of-send.c      sends requests
 *     of-bundle.c    sends changes
 *     of-monitor.c   notices what others change
 *     of-flush.c     connections that the switch is to forget
 *     of-walk.c      when it has the time for that
 *     of-meter.c     the meters
 *     of-group-id.c  ids for groups
 *     of-stats.c     what the switch counts
 *     of-show.c      state and counters
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "of-options.h"

struct of_sync;
struct ofputil_bucket;
struct ofputil_flow_mod;
struct ofputil_group_mod;

struct of_sync *of_sync_create(const struct of_sync_options *);
void of_sync_set_bucket_cb(struct of_sync *, of_sync_bucket_cb *, void *aux);
void of_sync_destroy(struct of_sync *);
void of_sync_run(struct of_sync *);
void of_sync_wait(struct of_sync *);

bool of_sync_group_id(struct of_sync *, const char *name, uint32_t *id);
uint32_t of_sync_group_id_of(const struct of_sync *, const char *name);
bool of_sync_group_is_used(const struct of_sync *, uint32_t id);
void of_sync_group_release(struct of_sync *, const char *name);

void of_sync_replace(struct of_sync *, const char *key,
                     struct ofputil_flow_mod *, size_t n_flows,
                     struct ofputil_group_mod *, size_t n_groups);
void of_sync_remove(struct of_sync *, const char *key);
void of_sync_set_complete(struct of_sync *);
void of_sync_clear(struct of_sync *);

bool of_sync_has_dumped(const struct of_sync *);
bool of_sync_is_settled(const struct of_sync *);
bool of_sync_has_caught_up(const struct of_sync *);
long long int of_sync_behind_since(struct of_sync *);
bool of_sync_has_lb(const struct of_sync *);
uint32_t of_sync_meter(const struct of_sync *);
const char *of_sync_refused(const struct of_sync *, const char *key);

const struct ofputil_bucket *of_sync_find_bucket(const struct of_sync *,
                                                 uint32_t group_id,
                                                 uint32_t bucket_id);
bool of_sync_group_chooses(const struct of_sync *, uint32_t group_id);
void of_sync_ct_flush(struct of_sync *, const struct of_sync_ct *);

void of_sync_watch_counters(struct of_sync *);
void of_sync_ask_counters(struct of_sync *);
void of_sync_for_each_bucket(const struct of_sync *, uint32_t group_id,
                             of_sync_bucket_cb *, void *aux);
bool of_sync_group_packets(const struct of_sync *, uint32_t group_id,
                           uint64_t *packets);

#endif /* of-sync.h */
