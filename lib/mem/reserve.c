/* SPDX-License-Identifier: Apache-2.0 */

#define _GNU_SOURCE 1            /* For mlock2(). */

#include "lib/mem/reserve.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Asks for 'mem' to come from 'numa_node'.  That is a wish: memory of another
 * node makes a table slower, not wrong. */
static void
place(void *mem, size_t size, int numa_node)
{
    struct bitmask *nodes;

    if (numa_node == MEM_ANY_NODE || numa_available() < 0) {
        return;
    } else if (numa_node == MEM_ALL_NODES) {
        mbind(mem, size, MPOL_INTERLEAVE, numa_all_nodes_ptr->maskp,
              numa_all_nodes_ptr->size + 1, 0);
        return;
    }
    nodes = numa_allocate_nodemask();
    if (nodes) {
        numa_bitmask_setbit(nodes, numa_node);
        mbind(mem, size, MPOL_PREFERRED, nodes->maskp, nodes->size + 1, 0);
        numa_free_nodemask(nodes);
    }
}

/* Reserves 'size' octets, which read as zeros, aligned to pages.  They come
 * from 'numa_node', a number or one of the constants, where the kernel can do
 * that.  'flags' are MEM_LOCKED and others.
 *
 * Returns 0 and stores the memory in '*memp', for the caller to give to
 * mem_release(), or a positive errno value: ENOMEM if there is no address
 * space, EAGAIN if it would exceed RLIMIT_MEMLOCK.  '*memp' is then null. */
int
mem_reserve(size_t size, int numa_node, unsigned int flags, void **memp)
{
    /* Nothing is taken of what may not be accessed. */
    void *mem = mmap(NULL, size, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS
                     | (flags & MEM_COMMIT ? 0 : MAP_NORESERVE), -1, 0);

    *memp = NULL;
    if (mem == MAP_FAILED) {
        return errno;
    }
    /* Where the kernel cannot lock on access, memory that can be swapped is
     * better than all of it at once. */
    if (flags & MEM_LOCKED && mlock2(mem, size, MLOCK_ONFAULT)) {
        munlock(mem, size);
    }
    madvise(mem, size, MADV_HUGEPAGE);
    place(mem, size, numa_node);
    if (mprotect(mem, size, PROT_READ | PROT_WRITE)) {
        int error = errno;

        munmap(mem, size);
        return error;
    }
    *memp = mem;
    return 0;
}

/* Takes the 'size' octets at 'mem', part of what mem_reserve() returned and
 * not used by anybody yet.  Returns 0 or a positive errno value: ENOMEM if
 * there is not as much memory. */
int
mem_take(void *mem, size_t size)
{
    uintptr_t page = sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t) mem & ~(page - 1);
    uintptr_t end = ((uintptr_t) mem + size + page - 1) & ~(page - 1);

    while (madvise((void *) start, end - start, MADV_POPULATE_WRITE)) {
        if (errno == EINVAL) {
            /* Linux before 5.14.  Octets of neighbours stay as they are. */
            for (uintptr_t p = start; p < end; p += page) {
                atomic_fetch_or((_Atomic(uint8_t) *) p, 0);
            }
            break;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Gives back 'mem', of 'size' octets, from mem_reserve(), or null. */
void
mem_release(void *mem, size_t size)
{
    if (mem) {
        munmap(mem, size);
    }
}
