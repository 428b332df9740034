/* SPDX-License-Identifier: Apache-2.0 */

/* Meters on the way of hits
 * =========================
 *
 * A meter's answer is no part of an outcome: it depends on what went through
 * the meter before.  So the outcome has the meters' numbers, and each hit goes
 * through Open vSwitch's meters, which count it and may drop it, before it
 * goes out.  Only flows whose meters come last, before rewrites and the
 * output, are learned, so that nothing else needs to know of the drop. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-meter.h"

#include <string.h>

#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dp-packet.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "util.h"

/* Returns what the 'i'th packet of 'fb', a hit, depends on. */
static const struct fuse_uses *
uses_of(const struct fuse_batch *fb, uint32_t i)
{
    return &CONTAINER_OF(fb->entries[i]->chain, struct fuse_dp_chain,
                         up)->uses;
}

static bool
meters_are_equal(const struct fuse_uses *a, const struct fuse_uses *b)
{
    return (a->n_meters == b->n_meters
            && !memcmp(a->meters, b->meters,
                       a->n_meters * sizeof a->meters[0]));
}

/* Takes the packets in 'todo', a bitmap, through a meter.  Each has the size
 * there that it would have on the ordinary path: a meter may count octets.
 * Returns those that are left. */
static uint32_t
run_meter(struct dp_netdev_pmd_thread *pmd,
          const struct dp_packet_batch *batch, const struct fuse_batch *fb,
          const struct fuse_meter_use *use, uint32_t todo)
{
    const struct {
        struct nlattr header;
        uint32_t id;
    } action = { { sizeof action, OVS_ACTION_ATTR_METER }, use->id };
    struct dp_packet_batch out;
    uint32_t left = 0, n = 0;

    dp_packet_batch_init(&out);
    for (uint32_t bits = todo; bits; bits = zero_rightmost_1bit(bits)) {
        uint32_t i = rightmost_1bit_idx(bits);

        dp_packet_set_size(batch->packets[i], fb->sizes[i] + use->size_delta);
        dp_packet_batch_add(&out, batch->packets[i]);
    }
    fuse_execute_meter(pmd, &out, &action.header);
    for (uint32_t bits = todo; bits; bits = zero_rightmost_1bit(bits)) {
        uint32_t i = rightmost_1bit_idx(bits);

        if (n < dp_packet_batch_size(&out)
            && out.packets[n] == batch->packets[i]) {
            dp_packet_set_size(batch->packets[i], fb->sizes[i]);
            left |= UINT32_C(1) << i;
            n++;
        }
    }
    compat_batch_destroy(&out);
    return left;
}

/* Packets of a batch that have the same meters. */
struct group {
    const struct fuse_uses *uses;
    uint32_t packets;            /* Bitmap. */
};

/* Sorts the packets in 'metered', a bitmap, into 'groups' by their meters.  A
 * place for each first meter finds a group; if two share a place, there may be
 * more groups than needed.  Returns how many there are. */
static uint32_t
make_groups(const struct fuse_batch *fb, uint32_t metered,
            struct group groups[FUSE_BATCH])
{
    uint8_t places[64];
    uint32_t n = 0;

    memset(places, 0, sizeof places);
    for (uint32_t bits = metered; bits; bits = zero_rightmost_1bit(bits)) {
        uint32_t i = rightmost_1bit_idx(bits);
        const struct fuse_uses *uses = uses_of(fb, i);
        uint8_t *place = &places[uses->meters[0].id % sizeof places];

        if (*place >= n || !meters_are_equal(groups[*place].uses, uses)) {
            *place = n++;
            groups[*place] = (struct group) { uses, 0 };
        }
        groups[*place].packets |= UINT32_C(1) << i;
    }
    return n;
}

/* Takes the hits in 'metered', a bitmap of packets of 'batch' whose entries
 * are in 'fb', through the meters on their way.  Packets of the same meters
 * go together, as those of a megaflow do on the ordinary path.  Returns a
 * bitmap of those that are left, with their sizes as they came; the others
 * are freed.  Owner of the cache of 'pmd'. */
uint32_t
fuse_meter(struct dp_netdev_pmd_thread *pmd,
           const struct dp_packet_batch *batch, const struct fuse_batch *fb,
           uint32_t metered)
{
    struct group groups[FUSE_BATCH];
    uint32_t n = make_groups(fb, metered, groups);
    uint32_t all_left = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct fuse_uses *uses = groups[i].uses;
        uint32_t left = groups[i].packets;

        for (uint32_t j = 0; j < uses->n_meters && left; j++) {
            left = run_meter(pmd, batch, fb, &uses->meters[j], left);
        }
        all_left |= left;
    }
    return all_left;
}
