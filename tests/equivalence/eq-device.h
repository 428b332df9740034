/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_DEVICE_H
#define EQ_DEVICE_H 1

#include <stddef.h>
#include <stdint.h>

#include "dp-packet.h"
#include "tests/equivalence/eq-case.h"

/* Network devices of the sides: device 'i' of side 'a' is named "a-i". */
#define EQ_DEVICE_TYPE "eq-device"

void eq_device_register(void);

/* Metadata of a packet when it was sent. */
struct eq_meta {
    uint32_t priority;
    uint32_t rss;                /* 0 if not valid. */
    uint32_t packet_type;
    uint16_t l2_pad_size, l2_5_ofs, l3_ofs, l4_ofs;
};

struct eq_out {
    uint32_t port;               /* Index of the device. */
    uint32_t tag;                /* Of the packet that was put in; 0: none. */
    uint32_t size;
    struct eq_meta meta;
    uint8_t offloads;            /* COMPAT_OL_*. */
    uint8_t *octets;
};

#define EQ_MAX_OUTS 256
struct eq_outs {
    struct eq_out outs[EQ_MAX_OUTS];
    uint32_t n;
    uint8_t octets[EQ_MAX_OUTS * 2048];
    size_t n_octets;
};

/* What the devices of side 'name' have received and sent. */
struct eq_wire {
    char name;
    struct dp_packet_batch received[EQ_N_PORTS];
    struct eq_outs outs;
};

/* Makes the devices of side 'wire->name' use 'wire'. */
void eq_device_set_wire(struct eq_wire *);

/* A packet's tag, found in its octets: a magic number, a conversation and
 * direction, and a number that grows. */
#define EQ_MAGIC 0x7e57f1e5
#define EQ_TAG(STREAM, SEQ) ((uint32_t) (STREAM) << 24 | (SEQ))
uint32_t eq_find_tag(const uint8_t *, uint32_t size);

#endif /* eq-device.h */
