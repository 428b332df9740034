/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_REPLAY_H
#define FUSE_REPLAY_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fuse/fuse-batch.h"
#include "lib/fuse/fuse-program.h"
#include "lib/fuse/fuse-shape.h"
#include "lib/fuse/fuse-table.h"

/* Replay
 * ======
 *
 * Finds the entries of a batch of packets and does to each packet what its
 * entry says.  Rounds of some packets each take turns: while one works, memory
 * for the others is on its way to the processor's cache.
 *
 *    1. classify, mask and hash; prefetch the bucket,
 *    2. look for the signature; prefetch the entry,
 *    3. compare the keys; prefetch the chain,
 *    4. check that the entry is true, verify checksums, rewrite, count.
 *
 * There are implementations in plain C, with AVX2 and with AVX-512.  All
 * include lib/fuse/fuse-replay-impl.h and do the same.
 *
 * Thread-safety: a "struct fuse_replay", its table and its chains belong to
 * one thread.  One thread calls fuse_replay_select() before all other
 * functions.
 *
 * Attack model: see fuse-shape.h and fuse-table.h.  The work for a packet is
 * bounded; only a checksum takes more time for more octets. */

/* Flows that take the same way through the pipeline share this.  The user's
 * part follows in memory.
 *
 * Pushed headers mostly differ from flow to flow only in the first part of the
 * image, by the UDP source port.  Then the chain has the rest. */
struct fuse_chain {
    uint64_t epoch;              /* When it was last known to be true. */
    const struct fuse_program *program;
    uint64_t packets;            /* Not yet credited... */
    uint64_t bytes;              /* ...with the sizes as they came. */
    uint32_t out_port;
    uint32_t n_entries;
    uint32_t number;             /* In 'next_dirty'. */
    uint16_t tcp_flags;
    bool dirty;                  /* Whether there is something to credit. */
    bool dead;
    bool own_images;             /* Entries have all parts of their images. */
    uint8_t image2[128] __attribute__((aligned(64)));
                                 /* The second and third, else. */
} __attribute__((aligned(64)));

struct fuse_replay {
    struct fuse_table *table;
    const struct fuse_tunnels *tunnels;
    uint64_t epoch;              /* See fuse-chain.c. */
    uint32_t now;                /* In ms. */

    /* Queue of chains to credit: for each chain, the number of the one behind
     * it; the first, the last, and how many there are. */
    uint32_t *next_dirty;
    uint32_t first_dirty;
    uint32_t last_dirty;
    uint32_t n_dirty;

    /* Called for an entry that is due to be refreshed, or whose chain is dead
     * or of another epoch.  Returns true if the entry is true: then its chain
     * has the present epoch and the entry is refreshed.  Otherwise the entry
     * is dead. */
    bool (*attend)(struct fuse_replay *, struct fuse_entry *);

    /* Called for an entry with FUSE_P_TCP whose packet seems to be out of the
     * window.  Copies what the tracker knows by now to the entry.  Returns
     * true if the tracker does not check windows. */
    bool (*resync)(struct fuse_replay *, struct fuse_entry *);

    /* Called for an entry whose flow a packet with SYN, FIN or RST ends. */
    void (*end)(struct fuse_replay *, struct fuse_entry *);
};

typedef void fuse_replay_func(struct fuse_replay *, struct fuse_batch *);

fuse_replay_func fuse_replay_plain;
#ifdef __x86_64__
fuse_replay_func fuse_replay_avx2;
fuse_replay_func fuse_replay_avx512;
#endif

struct fuse_replay_impl {
    const char *name;
    fuse_replay_func *func;
    bool (*works)(void);         /* On this CPU? */
};

/* Adds 'chain' to the chains to credit, unless it is one of them. */
static inline void
fuse_chain_make_dirty(struct fuse_replay *r, struct fuse_chain *chain)
{
    if (!chain->dirty) {
        chain->dirty = true;
        if (r->n_dirty++) {
            r->next_dirty[r->last_dirty] = chain->number;
        } else {
            r->first_dirty = chain->number;
        }
        r->last_dirty = chain->number;
    }
}

/* From the best to the plain one, which always works and is the last. */
extern const struct fuse_replay_impl fuse_replay_impls[];
extern const size_t fuse_n_replay_impls;

/* The best for this CPU. */
extern fuse_replay_func *fuse_replay_batch;
const char *fuse_replay_select(void);

#endif /* fuse-replay.h */
