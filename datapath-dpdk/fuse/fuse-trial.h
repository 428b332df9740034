/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_TRIAL_H
#define FUSE_TRIAL_H 1

/* Trials of the fused flow cache
 * ==============================
 *
 * See fuse-trial.c.  Owner of the cache. */

#include <stdbool.h>
#include <stdint.h>

struct fuse_entry;
struct fuse_thread;

/* Whether a flow without an entry is learned. */
enum fuse_admission {
    FUSE_NOT_ADMITTED,
    FUSE_ADMITTED,               /* It is learned... */
    FUSE_ON_TRIAL,               /* ...and its hits are counted. */
};

enum fuse_admission fuse_admit(struct fuse_thread *, uint32_t in_port,
                               uint64_t hash);
void fuse_trial_start(struct fuse_thread *, const struct fuse_entry *,
                      uint64_t cycles);
bool fuse_trial_goes_on(const struct fuse_thread *, const struct fuse_entry *);
bool fuse_trial_hit(struct fuse_thread *, const struct fuse_entry *);
void fuse_trial_end(struct fuse_thread *, const struct fuse_entry *);

#endif /* fuse-trial.h */
