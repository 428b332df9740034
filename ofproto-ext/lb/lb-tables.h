/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_TABLES_H
#define LB_TABLES_H 1

#include <stddef.h>
#include <stdint.h>

#include "openvswitch/thread.h"

/* Tables of groups, and the memory that they take together
 * ========================================================
 *
 * A table counts from when it is built until nobody can find it any more; the
 * grace period in which the data path may still hold it is not counted.
 *
 * All functions need 'lb_mutex'. */

struct lb_member;
struct lb_table;
struct lb_table_config;
struct ofgroup;

extern struct ovs_mutex lb_mutex;

/* Limits how much the tables of all groups take, in octets.  Groups that there
 * are stay. */
void lb_tables_set_limit(size_t n_bytes) OVS_REQUIRES(lb_mutex);
size_t lb_tables_bytes(void) OVS_REQUIRES(lb_mutex);

/* Builds a table of the 'n' 'members' that is to take the place of the one of
 * 'id', if any.  Returns it, or null, after a warning about 'group', if there
 * is no memory for it, or if it would exceed the limit and takes more than the
 * one before. */
struct lb_table *lb_tables_build(const struct ofgroup *group, uint32_t id,
                                 const struct lb_member *members, size_t n,
                                 const struct lb_table_config *)
    OVS_REQUIRES(lb_mutex);

/* Makes 'table', which may be null, what the data path uses for 'id'. */
void lb_tables_publish(uint32_t id, struct lb_table *table)
    OVS_REQUIRES(lb_mutex);

/* Destroys 'table', which was never published.  It may be null. */
void lb_tables_discard(struct lb_table *table) OVS_REQUIRES(lb_mutex);

#endif /* lb-tables.h */
