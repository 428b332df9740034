/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_OWNER_H
#define FUSE_OWNER_H 1

/* Owners of an entry
 * ==================
 *
 * A connection, or a flow in a sticky table, that an entry depends on and
 * keeps alive.  An entry has two at most, number 0 and 1. */

#include <stdint.h>

#include "lib/fuse/fuse-table.h"

/* Part of a connection's link to an entry: number of the owner. */
#define FUSE_OWNER_MASK ((uintptr_t) 1)

/* Flags in an entry's 'dead'. */
#define FUSE_DEAD_OWNER(I) (1 << (I))
#define FUSE_DEAD_ELSE 0x80

static inline void
fuse_kill_entry(struct fuse_entry *entry)
{
    atomic_fetch_or(&entry->dead, FUSE_DEAD_ELSE);
}

/* The kind of each owner is a nibble of 'user' in the entry's "struct
 * fuse_cold": 0 for none, 1 plus an enum ct_timeout for a connection. */
#define FUSE_OWNER_STICKY 15

static inline int
fuse_owner_kind(const struct fuse_cold *cold, int owner)
{
    return cold->user >> 4 * owner & 0xf;
}

#endif /* fuse-owner.h */
