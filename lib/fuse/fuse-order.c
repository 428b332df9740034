/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-order.h"

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t
add_word(uint64_t sum, const uint8_t *p)
{
    return (sum + fuse_get16(p)) * MULTIPLIER;
}

static inline uint64_t
bit_of(uint64_t sum)
{
    return UINT64_C(1) << (sum >> 58);
}

/* Returns the bit of the pair of IP addresses in the header at 'ip'. */
static uint64_t
addresses_bit(const uint8_t *ip, bool ipv6)
{
    const uint8_t *p = ip + (ipv6 ? 8 : 12), *end = ip + (ipv6 ? 40 : 20);
    uint64_t sum = 0;

    for (; p < end; p += 2) {
        sum = add_word(sum, p);
    }
    return bit_of(sum);
}

/* Returns the bit of the outermost pair of addresses of the packet of 'size'
 * octets at 'p', or 0 if there is none. */
static uint64_t
outer_bit(const uint8_t *p, uint32_t size)
{
    uint32_t l3 = 14;
    uint16_t type;

    if (size < 14 + 20) {
        return 0;
    }
    type = fuse_be16(p + 12);
    if (type == 0x8100) {
        type = fuse_be16(p + 16);
        l3 = 18;
    }
    if ((type != 0x0800 && type != 0x86dd)
        || size < l3 + (type == 0x0800 ? 20 : 40)) {
        return 0;
    }
    return addresses_bit(p + l3, type == 0x86dd);
}

/* Returns the flow of the 'i'th packet of 'batch', after replay: of a packet
 * with a shape the key is looked at, for a hit has been rewritten. */
struct fuse_flow
fuse_flow_of(const struct fuse_batch *batch, uint32_t i)
{
    const struct fuse_shape *shape;
    const uint8_t *key = batch->keys[i];
    struct fuse_flow flow = { 0, 0, 0 };
    uint64_t sum = 0;

    if (batch->shapes[i] < 0) {
        flow.any = flow.outer = outer_bit(batch->packets[i], batch->sizes[i]);
        return flow;
    }
    shape = &fuse_shapes[batch->shapes[i]];
    sum = shape->l4_kind;
    for (uint32_t word = 0; word < shape->n_flow_words; word++) {
        sum = add_word(sum, key + shape->flow_words[word]);
    }
    flow.inner = bit_of(sum);
    flow.outer = addresses_bit(key + shape->outer_l3, shape->outer_ipv6);
    return flow;
}
