/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MEM_RESERVE_H
#define MEM_RESERVE_H 1

#include <stddef.h>

/* Memory that is taken as it is used
 * ==================================
 *
 * Tables reserve the address space of their largest size once, so that they
 * grow without moving.  A page is taken at the first access to it, also in a
 * process that has locked its memory by mlockall(2) with MCL_FUTURE.  A plain
 * mmap(2) would then take all of it at once, and not return before.
 *
 * The kernel is asked for huge pages.  The first access to one takes some
 * 200 us, because the kernel clears it.  If a thread must not wait for so
 * long, another thread calls mem_take() before.
 *
 * A later mlockall(2) with MCL_CURRENT and without MCL_ONFAULT takes all of
 * it.  Open vSwitch calls mlockall(2) only when it starts.
 *
 * Limits: what is reserved in a locked process counts against RLIMIT_MEMLOCK
 * as a whole, unless the process has CAP_IPC_LOCK.
 *
 * Thread-safety: any thread. */

/* In place of a NUMA node. */
#define MEM_ANY_NODE -1          /* That of the thread which takes a page. */
#define MEM_ALL_NODES -2         /* In turns. */

/* Flags. */
#define MEM_LOCKED 1             /* The process has locked its memory, what is
                                  * to come included: lock pages as taken. */
#define MEM_COMMIT 2             /* Refuse what the kernel's policy for
                                  * overcommitment does not allow. */

int mem_reserve(size_t size, int numa_node, unsigned int flags, void **memp);
int mem_take(void *, size_t size);
void mem_release(void *, size_t size);

#endif /* lib/mem/reserve.h */
