/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MEM_SLAB_H
#define MEM_SLAB_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for many objects of one size
 * ===================================
 *
 * Objects come from slabs of MEM_SLAB_SIZE octets, aligned to as much, so that
 * an object leads to its slab.
 *
 *         +------+--------+--------+-----+--------+
 *         | slab | object | object | ... | object |
 *         +------+--------+--------+-----+--------+
 *
 * A slab is a huge page where the kernel has one: there are fewer page faults
 * and fewer misses of the TLB than with malloc(3).  The next object is
 * prefetched.
 *
 * The kernel clears a slab before it can be used, which takes some 200 us.
 * 'wants' is set when half of the last one is used.  Then another thread
 * should create the next one and add it.
 *
 * A slab without objects goes back to the kernel; one is kept for the next
 * objects.
 *
 * Limits: an object that is in use keeps its slab.
 *
 * Thread-safety: none.  The user has a lock for each 'slabs'.  Slabs are
 * created and destroyed without it. */

#define MEM_SLAB_SIZE (2u << 20)

struct mem_slab;

struct mem_slabs {
    struct mem_slab *open;       /* A list of those with objects and room. */
    struct mem_slab *spare;      /* One without objects, or null. */
    size_t object_size;
    uint32_t per_slab;           /* Objects. */
    bool wants;                  /* Another slab. */
};

void mem_slabs_init(struct mem_slabs *, size_t object_size);
void *mem_slabs_alloc(struct mem_slabs *);
struct mem_slab *mem_slabs_free(struct mem_slabs *, void *object);
struct mem_slab *mem_slabs_add(struct mem_slabs *, struct mem_slab *);
struct mem_slabs *mem_slabs_of(const void *object);

struct mem_slab *mem_slab_create(int numa_node, bool locked);
void mem_slab_destroy(struct mem_slab *);

#endif /* lib/mem/slab.h */
