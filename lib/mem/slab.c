/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/mem/slab.h"

#include "lib/mem/reserve.h"

#define ALIGNMENT 16
#define CACHE_LINE 64

/* The start of a slab. */
struct mem_slab {
    struct mem_slabs *slabs;
    struct mem_slab *prev, *next; /* In the list 'open'. */
    void *free;                  /* Objects that were used, each of which
                                  * begins with the address of the next. */
    uint32_t n_used;
    uint32_t n_touched;          /* Objects that were ever used. */
};

#define HEADER_SIZE 64
_Static_assert(sizeof(struct mem_slab) <= HEADER_SIZE, "header");

static struct mem_slab *
slab_of(const void *object)
{
    return (struct mem_slab *)
        ((uintptr_t) object & ~(uintptr_t) (MEM_SLAB_SIZE - 1));
}

/* Returns a slab that is ready to be used, of memory of 'numa_node', for the
 * caller to give to mem_slabs_add() or mem_slab_destroy(), or null if there is
 * no memory.  'locked' says whether the process has locked its memory.  Any
 * thread. */
struct mem_slab *
mem_slab_create(int numa_node, bool locked)
{
    void *mem;

    /* As much again, for the alignment. */
    if (mem_reserve(2 * MEM_SLAB_SIZE, numa_node, locked ? MEM_LOCKED : 0,
                    &mem)) {
        return NULL;
    }

    uint8_t *start = mem;
    size_t before = -(uintptr_t) start & (MEM_SLAB_SIZE - 1);

    if (before) {
        mem_release(start, before);
    }
    start += before;
    mem_release(start + MEM_SLAB_SIZE, MEM_SLAB_SIZE - before);
    if (mem_take(start, MEM_SLAB_SIZE)) {
        mem_release(start, MEM_SLAB_SIZE);
        return NULL;
    }
    return (struct mem_slab *) start;
}

/* Gives 'slab', which has no objects, or null, back to the kernel.  Any
 * thread. */
void
mem_slab_destroy(struct mem_slab *slab)
{
    mem_release(slab, MEM_SLAB_SIZE);
}

/* Initializes 'slabs', without memory, for objects of 'object_size' octets,
 * more than 0 and less than MEM_SLAB_SIZE / 2. */
void
mem_slabs_init(struct mem_slabs *slabs, size_t object_size)
{
    object_size = (object_size + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);
    *slabs = (struct mem_slabs) {
        .object_size = object_size,
        .per_slab = (MEM_SLAB_SIZE - HEADER_SIZE) / object_size,
    };
}

/* Returns the slabs that 'object', of mem_slabs_alloc(), came from.  Any
 * thread. */
struct mem_slabs *
mem_slabs_of(const void *object)
{
    return slab_of(object)->slabs;
}

/* Adds 'slab', which has no objects.  Returns null, or a slab that is not
 * needed, for the caller to give to mem_slab_destroy(). */
struct mem_slab *
mem_slabs_add(struct mem_slabs *slabs, struct mem_slab *slab)
{
    slabs->wants = false;
    if (slabs->spare) {
        return slab;
    }
    slab->slabs = slabs;
    slabs->spare = slab;
    return NULL;
}

static void
open_slab(struct mem_slabs *slabs, struct mem_slab *slab)
{
    slab->prev = NULL;
    slab->next = slabs->open;
    if (slab->next) {
        slab->next->prev = slab;
    }
    slabs->open = slab;
}

static void
close_slab(struct mem_slabs *slabs, struct mem_slab *slab)
{
    if (slab->next) {
        slab->next->prev = slab->prev;
    }
    if (slab->prev) {
        slab->prev->next = slab->next;
    } else {
        slabs->open = slab->next;
    }
}

/* Returns the next object of 'slab', which has room. */
static void *
next_object(const struct mem_slabs *slabs, const struct mem_slab *slab)
{
    return (slab->free ? slab->free
            : (uint8_t *) slab + HEADER_SIZE
              + slab->n_touched * slabs->object_size);
}

/* Returns a new object, with any contents, for the caller to give to
 * mem_slabs_free(), or null if another slab must be added before. */
void *
mem_slabs_alloc(struct mem_slabs *slabs)
{
    struct mem_slab *slab = slabs->open;

    if (!slab) {
        slab = slabs->spare;
        if (!slab) {
            return NULL;
        }
        slabs->spare = NULL;
        open_slab(slabs, slab);
    }

    uint8_t *object = next_object(slabs, slab);

    if (slab->free) {
        slab->free = *(void **) object;
    } else {
        slab->n_touched++;
    }
    slab->n_used++;
    if (slab->n_used == slabs->per_slab / 2 && !slabs->spare
        && slab == slabs->open && !slab->next) {
        slabs->wants = true;
    }
    if (slab->n_used == slabs->per_slab) {
        close_slab(slabs, slab);
    } else {
        uint8_t *next = next_object(slabs, slab);

        for (size_t i = 0; i < slabs->object_size; i += CACHE_LINE) {
            __builtin_prefetch(next + i, 1);
        }
    }
    return object;
}

/* Frees 'object', of mem_slabs_alloc() with the same 'slabs'.  Returns null,
 * or a slab that is not needed any more, for the caller to give to
 * mem_slab_destroy(). */
struct mem_slab *
mem_slabs_free(struct mem_slabs *slabs, void *object)
{
    struct mem_slab *slab = slab_of(object);

    *(void **) object = slab->free;
    slab->free = object;
    if (slab->n_used-- == slabs->per_slab) {
        open_slab(slabs, slab);
    }
    if (slab->n_used) {
        return NULL;
    }
    close_slab(slabs, slab);
    return mem_slabs_add(slabs, slab);
}
