/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_BUCKET_H
#define OF_BUCKET_H 1

/* The difference between the buckets of two groups
 * ================================================
 *
 * Two buckets are the same if they do the same, whatever their ids are.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofputil_bucket;
struct ofputil_group_mod;

struct of_bucket_diff {
    struct ofputil_bucket **add;        size_t n_add;
    struct ofputil_bucket **remove;     size_t n_remove;
    uint32_t next_id;           /* First bucket id that is free. */
};
void of_bucket_diff(struct ofputil_group_mod *want,
                    const struct ofputil_group_mod *have,
                    struct of_bucket_diff *);
bool of_bucket_diff_reweighs(const struct of_bucket_diff *);
void of_bucket_diff_uninit(struct of_bucket_diff *);

#endif /* of-bucket.h */
