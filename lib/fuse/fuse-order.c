/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-order.h"

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t
add_to_hash(uint64_t hash, uint64_t x)
{
    hash = (hash ^ x) * MULTIPLIER;
    return hash ^ hash >> 32;
}

/* Returns the bit for the 'n' octets at 'p', a multiple of 4. */
static inline uint64_t
bit_of(const uint8_t *p, uint32_t n, uint64_t hash)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t x;

        __builtin_memcpy(&x, p, sizeof x);
        hash = add_to_hash(hash, x);
    }
    if (n) {
        uint32_t x;

        __builtin_memcpy(&x, p, sizeof x);
        hash = add_to_hash(hash, x);
    }
    return UINT64_C(1) << (hash & 63);
}

/* Returns the bit of the pair of IP addresses in the header at 'ip'. */
static inline uint64_t
addresses_bit(const uint8_t *ip, bool ipv6)
{
    return ipv6 ? bit_of(ip + 8, 32, 0) : bit_of(ip + 12, 8, 0);
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

/* Returns the bit of the flow of 'shape' with 'key'. */
static inline uint64_t
inner_bit(const struct fuse_shape *shape, const uint8_t *key)
{
    uint32_t n = shape->n_flow_words * 2;
    uint8_t octets[2 * FUSE_MAX_FLOW_WORDS];

    if (!shape->fold) {
        return bit_of(key + shape->flow_words[0], n, shape->l4_kind);
    }
    for (uint32_t i = 0; i < shape->n_flow_words; i++) {
        __builtin_memcpy(octets + 2 * i, key + shape->flow_words[i], 2);
    }
    return bit_of(octets, n, shape->l4_kind);
}

/* Returns the flow of the 'i'th packet of 'batch', after replay.  It looks at
 * the key of a packet with a shape, because a hit has been rewritten.  'outer'
 * may be false if all packets of the batch have shapes: then the outermost
 * addresses do not count. */
struct fuse_flow
fuse_flow_of(const struct fuse_batch *batch, uint32_t i, bool outer)
{
    const struct fuse_shape *shape;
    const uint8_t *key = batch->keys[i];
    struct fuse_flow flow = { 0, 0, 0 };

    if (batch->shapes[i] < 0) {
        flow.any = flow.outer = outer_bit(batch->packets[i], batch->sizes[i]);
        return flow;
    }
    shape = &fuse_shapes[batch->shapes[i]];
    flow.inner = inner_bit(shape, key);
    if (outer) {
        flow.outer = addresses_bit(key + shape->outer_l3, shape->outer_ipv6);
    }
    return flow;
}

/* Returns true if the IP packet in the frame at 'p', which has no shape, may
 * be TCP. */
static bool
may_be_tcp(const uint8_t *p)
{
    uint32_t l3 = fuse_be16(p + 12) == 0x8100 ? 18 : 14;

    return (p[l3] >> 4 == 4 ? p[l3 + 9] == 6
            : p[l3 + 6] != 17 && p[l3 + 6] != 58);
}

/* Returns the flow of the 'i'th packet of 'batch' if it may begin or end a TCP
 * connection, else one of zeros.  Any TCP packet without a shape may. */
struct fuse_flow
fuse_end_of(const struct fuse_batch *batch, uint32_t i)
{
    struct fuse_flow flow = fuse_flow_of(batch, i, true);
    bool ends = (batch->shapes[i] >= 0 ? batch->classes[i].end
                 : flow.any && may_be_tcp(batch->packets[i]));

    return ends ? flow : (struct fuse_flow) { 0, 0, 0 };
}

/* Returns true if all packets of 'batch' have shapes. */
bool
fuse_batch_has_shapes(const struct fuse_batch *batch)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        if (batch->shapes[i] < 0) {
            return false;
        }
    }
    return true;
}
