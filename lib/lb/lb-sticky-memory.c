/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of a table of remembered flows: creation, end. */

#include "lib/lb/lb-sticky.h"

#include <errno.h>
#include <numa.h>
#include <stdlib.h>

#include "lib/lb/lb-sticky-private.h"
#include "lib/mem/reserve.h"

/* Makes a table of 'n_entries', rounded up to a power of 2 and to
 * LB_STICKY_MIN_ENTRIES, in memory of NUMA node 'numa_node', or of all nodes
 * in turns if that is -1.  The node is ignored where the kernel has no support
 * for NUMA.  'locked' says that the process has locked its memory.
 *
 * The first access to each huge page takes some 200 us, unless
 * lb_sticky_take() comes before.
 *
 * Returns 0 and stores the table in '*stickyp', for the caller to destroy, or
 * EINVAL if 'n_entries' is 0 or more than LB_STICKY_MAX_ENTRIES, or if there
 * is no such node that this process may use, or ENOMEM, or EAGAIN if it would
 * exceed RLIMIT_MEMLOCK; then '*stickyp' is null. */
int
lb_sticky_create(size_t n_entries, int numa_node, bool locked,
                 struct lb_sticky **stickyp)
{
    *stickyp = NULL;
    if (!n_entries || n_entries > LB_STICKY_MAX_ENTRIES || numa_node < -1) {
        return EINVAL;
    }
    if (numa_node >= 0 && numa_available() >= 0
        && !numa_bitmask_isbitset(numa_all_nodes_ptr, numa_node)) {
        return EINVAL;
    }

    uint32_t n = LB_STICKY_MIN_ENTRIES;
    while (n < n_entries) {
        n *= 2;
    }

    struct lb_sticky *sticky = malloc(sizeof *sticky);
    if (!sticky) {
        return ENOMEM;
    }
    *sticky = (struct lb_sticky) {
        .line_mask = n / ENTRIES_PER_LINE - 1,
        .n_entries = n,
        .n_bytes = n * sizeof(struct entry),
    };
    int error = mem_reserve(sticky->n_bytes,
                            numa_node < 0 ? MEM_ALL_NODES : numa_node,
                            MEM_COMMIT | (locked ? MEM_LOCKED : 0),
                            (void **) &sticky->lines);
    if (error) {
        free(sticky);
        return error;
    }
    *stickyp = sticky;
    return 0;
}

/* Takes the memory of 'n' entries of 'sticky' from the 'first' one on, before
 * anybody uses the table.  Returns 0 or ENOMEM. */
int
lb_sticky_take(struct lb_sticky *sticky, size_t first, size_t n)
{
    return mem_take((char *) sticky->lines + first * sizeof(struct entry),
                    n * sizeof(struct entry));
}

/* Frees 'sticky', which may be null.  No other thread may use it any more. */
void
lb_sticky_destroy(struct lb_sticky *sticky)
{
    if (sticky) {
        mem_release(sticky->lines, sticky->n_bytes);
        free(sticky);
    }
}
