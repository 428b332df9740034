/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_MEMORY_H
#define COMPAT_MEMORY_H 1

#include "ovs-features.h"
#include "util.h"

/* Returns true if the daemon has locked its memory (--mlockall). */
static inline bool
compat_memory_locked(void)
{
#ifdef OVS_HAS_MEMORY_ALL_LOCKED
    return memory_all_locked();
#else
    return memory_locked();
#endif
}

#endif /* compat-memory.h */
