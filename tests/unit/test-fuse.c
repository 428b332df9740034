/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the fused flow cache's table, programs and replay (lib/fuse/).  The
 * implementations of replay that this CPU can run are compared with each
 * other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/fuse/fuse-order.h"
#include "lib/fuse/fuse-replay.h"
#include "tests/unit/random-numbers.h"

#define BUFFER 768
#define ROOM 128

static struct fuse_tunnels tunnels;

static uint16_t
sum(const uint8_t *p, uint32_t n, uint32_t s)
{
    for (uint32_t i = 0; i < n; i++) {
        s += i & 1 ? p[i] : p[i] << 8;
    }
    while (s >> 16) {
        s = (s & 0xffff) + (s >> 16);
    }
    return s;
}

static void
put_be16(uint8_t *p, uint16_t x)
{
    p[0] = x >> 8;
    p[1] = x;
}

/* Writes a UDP or TCP packet of flow 'flow' at 'p'.  Returns its size. */
static uint32_t
make_packet(uint8_t *p, uint32_t flow, uint32_t payload)
{
    bool ipv6 = flow & 1, tcp = flow & 2, vlan = flow & 4;
    uint32_t l3 = vlan ? 18 : 14, l4 = l3 + (ipv6 ? 40 : 20);
    uint32_t hlen = tcp ? 20 : 8, len = hlen + payload;
    uint8_t *ip = p + l3, *th = p + l4;

    memset(p, 0, l4 + hlen);
    p[0] = 2;
    put_be16(p + 12, vlan ? 0x8100 : ipv6 ? 0x86dd : 0x0800);
    if (vlan) {
        put_be16(p + 14, 7);
        put_be16(p + 16, ipv6 ? 0x86dd : 0x0800);
    }
    for (uint32_t i = 0; i < payload; i++) {
        th[hlen + i] = rnd(256);
    }
    put_be16(th, 1000);
    put_be16(th + 2, 80 + flow / 8);
    if (tcp) {
        put_be16(th + 4, rnd(65536));
        th[12] = 0x50;
        th[13] = 0x10;
    } else {
        put_be16(th + 4, len);
    }
    if (ipv6) {
        ip[0] = 0x60;
        put_be16(ip + 4, len);
        ip[6] = tcp ? 6 : 17;
        ip[7] = 64;
        ip[8] = ip[24] = 0xfc;
    } else {
        ip[0] = 0x45;
        put_be16(ip + 2, 20 + len);
        put_be16(ip + 4, rnd(65536));
        ip[8] = 64;
        ip[9] = tcp ? 6 : 17;
        ip[12] = ip[16] = 10;
        put_be16(ip + 10, ~sum(ip, 20, 0));
    }

    uint16_t c = ~sum(th, len, (tcp ? 6 : 17) + len
                               + sum(ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, 0));

    put_be16(th + (tcp ? 16 : 6), c ? c : 0xffff);
    return l4 + len;
}

/* Writes a packet like make_packet(), in GTP-U of 8, 12 or 16 octets if 'kind'
 * says so.  Returns its size. */
static uint32_t
make_any_packet(uint8_t *p, uint32_t flow, uint32_t payload, uint32_t kind)
{
    uint8_t inner[BUFFER];
    uint32_t skip = flow & 4 ? 18 : 14, hlen = 4 + 4 * kind, size, ofs;

    if (kind == 0) {
        return make_packet(p, flow, payload);
    }
    size = make_packet(inner, flow, payload) - skip;
    make_packet(p, (flow & ~3u) | rnd(2), hlen + size);
    ofs = fuse_be16(p + 12) == 0x8100 ? 18 : 14;
    ofs += p[ofs] >> 4 == 4 ? 20 : 40;
    put_be16(p + ofs + 2, 2152);
    put_be16(p + ofs + 6, 0);
    ofs += 8;
    memset(p + ofs, 0, hlen);
    p[ofs] = kind == 1 ? 0x30 : kind == 2 ? 0x32 : 0x34;
    p[ofs + 1] = 255;
    put_be16(p + ofs + 2, hlen - 8 + size);
    put_be16(p + ofs + 6, flow);
    if (kind == 3) {
        p[ofs + 11] = 0x85;
        p[ofs + 12] = 1;
    }
    memcpy(p + ofs + hlen, inner + skip, size);
    return ofs + hlen + size;
}

static bool
attend_true(struct fuse_replay *r, struct fuse_entry *entry)
{
    entry->refresh = r->now + 1000;
    entry->chain->epoch = r->epoch;
    return true;
}

static void
end_nothing(struct fuse_replay *r, struct fuse_entry *entry)
{
    (void) r;
    (void) entry;
}

/* The pipeline that programs replay: TTL - 1, another destination address and
 * port, and a VLAN tag more or less.  'p' has room before it.  Returns the new
 * start. */
static uint8_t *
ordinary(uint8_t *p, uint32_t *size, uint32_t flow)
{
    bool ipv6 = flow & 1, tcp = flow & 2, vlan = flow & 4;
    uint8_t *ip = p + (vlan ? 18 : 14);
    uint8_t *th = ip + (ipv6 ? 40 : 20);
    uint32_t len = fuse_be16(ip + (ipv6 ? 4 : 2)) - (ipv6 ? 0 : 20);
    uint8_t *q = vlan ? p + 4 : p - 4;

    memmove(q, p, 12);
    if (!vlan) {
        put_be16(q + 12, 0x8100);
        put_be16(q + 14, 9);
    }
    *size += vlan ? -4 : 4;
    ip[ipv6 ? 7 : 8]--;
    ip[ipv6 ? 39 : 19] = 77;
    put_be16(th + 2, 8080);
    if (!ipv6) {
        put_be16(ip + 10, 0);
        put_be16(ip + 10, ~sum(ip, 20, 0));
    }
    if (!tcp && !fuse_get16(th + 6)) {
        return q;               /* It has no checksum. */
    }
    put_be16(th + (tcp ? 16 : 6), 0);

    uint16_t c = ~sum(th, len, (tcp ? 6 : 17) + len
                               + sum(ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, 0));

    put_be16(th + (tcp ? 16 : 6), c || tcp ? c : 0xffff);
    return q;
}

#define N_FLOWS 64

struct bench {
    struct fuse_table *table;
    struct fuse_replay replay;
    struct fuse_outcome out[N_FLOWS];
    struct fuse_chain chains[N_FLOWS];
    uint32_t next_dirty[N_FLOWS];
};

/* Clears the checksum of a UDP packet of 'flow' at 'p'. */
static void
clear_udp_csum(uint8_t *p, uint32_t flow)
{
    put_be16(p + (flow & 4 ? 18 : 14) + (flow & 1 ? 40 : 20) + 6, 0);
}

static struct bench *
bench_create(void)
{
    struct bench *b = aligned_alloc(64, sizeof *b);

    memset(b, 0, sizeof *b);
    assert_int_equal(fuse_table_create(1000, -1, false, &b->table), 0);
    b->replay = (struct fuse_replay) {
        .table = b->table, .tunnels = &tunnels, .epoch = 1,
        .next_dirty = b->next_dirty, .attend = attend_true,
        .end = end_nothing,
    };
    return b;
}

static void
bench_destroy(struct bench *b)
{
    fuse_table_destroy(b->table);
    free(b);
}

/* Learns flow 'flow' into 'b' from one packet, which is UDP without a checksum
 * if 'no_csum'.  'flags' are the program's.  Returns the entry. */
static struct fuse_entry *
learn(struct bench *b, uint32_t flow, bool no_csum, uint16_t flags,
      fuse_replay_func *func)
{
    uint8_t before[BUFFER], after[BUFFER];
    struct fuse_batch batch = { .n = 1, .in_port = 3 };
    struct fuse_outcome *out = &b->out[flow];
    struct fuse_chain *chain = &b->chains[flow];
    struct fuse_entry *entry;
    uint32_t size, n_image, n_tries = 0;

    size = make_packet(before + ROOM, flow, 40);
    if (no_csum) {
        clear_udp_csum(before + ROOM, flow);
    }
    memcpy(after, before, sizeof after);

    struct fuse_sample sample = {
        .before = before + ROOM, .n_before = size, .before_size = size,
        .rewritten = true, .flags = flags,
    };

    sample.after_size = size;
    sample.after = ordinary(after + ROOM, &sample.after_size, flow);
    sample.n_after = sample.after_size;

    batch.packets[0] = before + ROOM;
    batch.sizes[0] = size;
    func(&b->replay, &batch);
    assert_int_not_equal(batch.verdicts[0], FUSE_HIT);
    assert_true(batch.shapes[0] >= 0);
    sample.shape = batch.shapes[0];
    assert_int_equal(fuse_compose(&sample, out), FUSE_COMPOSED);

    chain->program = &out->program;
    chain->number = flow;
    chain->own_images = flow & 8;
    n_image = out->program.n_octets;
    if (!chain->own_images && n_image > FUSE_PART_1) {
        memcpy(chain->image2, out->image + FUSE_PART_1, n_image - FUSE_PART_1);
        n_image = FUSE_PART_1;
    }
    do {
        /* With random keys both buckets may be full: then the table
         * grows. */
        entry = fuse_table_insert(b->table, batch.hashes[0], batch.shapes[0],
                                  n_image, 3, batch.keys[0], 0);
    } while (!entry && n_tries++ < 100);
    assert_non_null(entry);
    entry->chain = chain;
    entry->l3_delta = out->l3_delta;
    entry->l4_delta = out->l4_delta;
    fuse_entry_set_image(entry, out->image, n_image);
    return entry;
}

static void
check_replay(fuse_replay_func *func)
{
    static uint8_t packets[FUSE_BATCH][BUFFER], expected[FUSE_BATCH][BUFFER];
    struct bench *b = bench_create();
    uint32_t n_hits = 0, n = 0;

    for (uint32_t flow = 0; flow < N_FLOWS; flow++) {
        learn(b, flow, false, FUSE_P_L3_CHECK | FUSE_P_L4_CHECK, func);
    }
    for (int round = 0; round < 200; round++) {
        struct fuse_batch batch = { .n = 1 + rnd(FUSE_BATCH), .in_port = 3 };
        uint32_t flows[FUSE_BATCH], sizes[FUSE_BATCH];
        bool bad[FUSE_BATCH];

        for (uint32_t i = 0; i < batch.n; i++) {
            flows[i] = rnd(N_FLOWS);
            sizes[i] = make_packet(packets[i] + ROOM, flows[i], rnd(500));
            bad[i] = !rnd(10);
            if (bad[i]) {
                packets[i][ROOM + sizes[i] - 1] ^= 0x40;
                packets[i][ROOM + sizes[i] - 3] ^= 0x01;
            }
            memcpy(expected[i], packets[i], BUFFER);
            batch.packets[i] = packets[i] + ROOM;
            batch.sizes[i] = sizes[i];
            batch.headroom[i] = ROOM;
        }
        func(&b->replay, &batch);
        for (uint32_t i = 0; i < batch.n; i++) {
            uint8_t *p = expected[i] + ROOM;
            const struct fuse_program *program = &b->out[flows[i]].program;

            n++;
            if (batch.verdicts[i] == FUSE_HIT) {
                uint32_t size = sizes[i];
                uint8_t *q = ordinary(p, &size, flows[i]);

                assert_false(bad[i]);
                n_hits++;
                assert_int_equal(q - p, program->k - program->m);
                assert_memory_equal(q, batch.packets[i] + (q - p), size);
            } else {
                /* Untouched. */
                assert_memory_equal(p, batch.packets[i], sizes[i]);
            }
        }
    }
    /* A tenth is bad, except for checksums that are right by chance. */
    assert_true(n_hits > n * 8 / 10);
    bench_destroy(b);
}

/* Replays one packet of UDP flow 'flow' and compares a hit with the ordinary
 * path.  Returns the verdict. */
static enum fuse_verdict
replay_udp(struct bench *b, uint32_t flow, bool no_csum,
           fuse_replay_func *func)
{
    uint8_t packet[BUFFER], expected[BUFFER];
    uint32_t size = make_packet(packet + ROOM, flow, rnd(100));
    struct fuse_batch batch = {
        .n = 1, .in_port = 3, .packets = { packet + ROOM },
        .sizes = { size }, .headroom = { ROOM },
    };
    uint8_t *p = expected + ROOM;
    ptrdiff_t shift = 0;

    if (no_csum) {
        clear_udp_csum(packet + ROOM, flow);
    }
    memcpy(expected, packet, sizeof expected);
    func(&b->replay, &batch);
    if (batch.verdicts[0] == FUSE_HIT) {
        uint8_t *q = ordinary(p, &size, flow);

        shift = q - p;
        p = q;
    }
    assert_memory_equal(p, packet + ROOM + shift, size);
    return batch.verdicts[0];
}

/* An entry that was learned from a UDP packet without a checksum cannot
 * correct one.  A packet with a checksum has the flow learned again, and the
 * new entry is for both. */
static void
check_no_csum(fuse_replay_func *func, uint16_t flags)
{
    struct bench *b = bench_create();

    for (uint32_t flow = 0; flow < N_FLOWS; flow++) {
        if (flow & 2) {
            continue;           /* TCP. */
        }
        /* Over IPv6 a checksum is required where it is verified. */
        bool may_lack = !(flow & 1) || !(flags & FUSE_P_L4_CHECK);

        learn(b, flow, true, flags, func);
        assert_int_equal(replay_udp(b, flow, true, func),
                         may_lack ? FUSE_HIT : FUSE_DECLINED);
        assert_int_equal(replay_udp(b, flow, false, func), FUSE_STALE);
        learn(b, flow, false, flags, func);
        assert_int_equal(replay_udp(b, flow, false, func), FUSE_HIT);
        assert_int_equal(replay_udp(b, flow, true, func),
                         may_lack ? FUSE_HIT : FUSE_DECLINED);
        assert_int_equal(replay_udp(b, flow, false, func), FUSE_HIT);
    }
    bench_destroy(b);
}

static uint32_t n_resyncs, known_seqhi;

/* Stands for the tracker, which knows 'known_seqhi'. */
static bool
resync(struct fuse_replay *r, struct fuse_entry *entry)
{
    fuse_entry_tcp(r->table, entry)->seqhi = known_seqhi;
    fuse_entry_tcp(r->table, entry)->outdated = false;
    n_resyncs++;
    return false;
}

/* Replays a packet of TCP flow 'flow' with 'payload' octets from 'seq' on.
 * Returns the verdict. */
static enum fuse_verdict
replay_tcp(struct bench *b, uint32_t flow, uint32_t seq, uint32_t payload,
           fuse_replay_func *func)
{
    uint8_t packet[BUFFER];
    uint32_t size = make_packet(packet + ROOM, flow, payload);
    uint8_t *th = packet + ROOM + size - payload - 20;
    struct fuse_batch batch = {
        .n = 1, .in_port = 3, .packets = { packet + ROOM },
        .sizes = { size }, .headroom = { ROOM },
    };

    put_be16(th + 4, seq >> 16);
    put_be16(th + 6, seq);
    put_be16(th + 10, 700);     /* Acknowledgment. */
    put_be16(th + 14, 100);     /* Window. */
    func(&b->replay, &batch);
    return batch.verdicts[0];
}

/* A TCP packet hits if it is in the window that the entry knows, or else in
 * the tracker's, which counts as well if that has moved on.  The entry follows
 * only such packets. */
static void
check_tcp(fuse_replay_func *func)
{
    const struct fuse_tcp_peer src = { .seqlo = 5000, .seqhi = 5600,
                                       .max_win = 1 };
    const struct fuse_tcp_peer dst = { .seqlo = 700, .seqhi = 720,
                                       .max_win = 50 };
    struct bench *b = bench_create();

    b->replay.resync = resync;
    known_seqhi = 6000;
    for (uint32_t flow = 2; flow < N_FLOWS; flow += flow & 1 ? 3 : 1) {
        struct fuse_entry *entry = learn(b, flow, false, FUSE_P_TCP, func);
        struct fuse_tcp *tcp = fuse_table_track(b->table, entry);

        fuse_tcp_copy(tcp, &src, &dst, false);
        n_resyncs = 0;
        assert_int_equal(replay_tcp(b, flow, 5000, 500, func), FUSE_HIT);
        assert_int_equal(tcp->seqlo, 5500);
        assert_int_equal(tcp->edge, 800);
        assert_int_equal(tcp->max_win, 100);
        assert_int_equal(tcp->n, 1);
        assert_int_equal(n_resyncs, 0);
        assert_int_equal(replay_tcp(b, flow, 5500, 500, func), FUSE_HIT);
        assert_int_equal(tcp->seqlo, 6000);
        assert_int_equal(n_resyncs, 1);
        assert_int_equal(replay_tcp(b, flow, 5951, 50, func), FUSE_DECLINED);
        assert_int_equal(replay_tcp(b, flow, 5949, 10, func), FUSE_DECLINED);
        assert_int_equal(n_resyncs, 3);
        assert_int_equal(tcp->n, 2);
        assert_int_equal(tcp->seqlo, 6000);
        assert_int_equal(replay_tcp(b, flow, 5950, 50, func), FUSE_HIT);
        assert_int_equal(n_resyncs, 3);
        /* Another packet took the ordinary path. */
        tcp->outdated = true;
        assert_int_equal(replay_tcp(b, flow, 5950, 50, func), FUSE_HIT);
        assert_int_equal(n_resyncs, 4);
        assert_int_equal(replay_tcp(b, flow, 5950, 50, func), FUSE_HIT);
        assert_int_equal(n_resyncs, 4);
    }
    bench_destroy(b);
}

/* Returns the implementation 'name', or null if it is not for this CPU. */
static fuse_replay_func *
find_replay(const char *name)
{
    for (size_t i = 0; i < fuse_n_replay_impls; i++) {
        const struct fuse_replay_impl *impl = &fuse_replay_impls[i];

        if (!strcmp(impl->name, name)) {
            return impl->works() ? impl->func : NULL;
        }
    }
    return NULL;
}

/* The same for a test's state; skips an implementation that cannot run. */
static fuse_replay_func *
replay_of(void **state)
{
    fuse_replay_func *func = find_replay(*state);

    if (!func) {
        skip();
    }
    return func;
}

static void
test_replay(void **state)
{
    check_replay(replay_of(state));
}

static void
test_tcp(void **state)
{
    check_tcp(replay_of(state));
}

static void
test_no_csum(void **state)
{
    fuse_replay_func *func = replay_of(state);

    check_no_csum(func, 0);
    check_no_csum(func, FUSE_P_L3_CHECK | FUSE_P_L4_CHECK);
}

/* It makes the same keys and hashes as plain C, for packets of any octets, and
 * reads nothing past their end (under valgrind). */
static void
test_same_keys(void **state)
{
    fuse_replay_func *func = replay_of(state);
    struct fuse_table *table;
    struct fuse_replay r = { .tunnels = &tunnels, .attend = attend_true,
                             .end = end_nothing };

    assert_int_equal(fuse_table_create(10, -1, false, &table), 0);
    r.table = table;
    for (int round = 0; round < 20000; round++) {
        static uint8_t buffer[BUFFER];
        uint32_t size;
        uint8_t *p;
        struct fuse_batch a = { .n = 1 }, b;

        size = make_any_packet(buffer, rnd(N_FLOWS), rnd(100), rnd(4));
        if (round & 1) {
            size = rnd(200);
            for (uint32_t i = 0; i < size; i++) {
                buffer[i] = rnd(256);
            }
        }
        p = malloc(size + !size);
        memcpy(p, buffer, size);
        a.packets[0] = p;
        a.sizes[0] = size;
        b = a;
        fuse_replay_plain(&r, &a);
        func(&r, &b);
        assert_int_equal(a.shapes[0], b.shapes[0]);
        if (a.shapes[0] >= 0) {
            assert_true(a.hashes[0] == b.hashes[0]);
            assert_memory_equal(a.keys[0], b.keys[0],
                                fuse_shapes[a.shapes[0]].n_blocks * 64);
        }
        free(p);
    }
    fuse_table_destroy(table);
}

/* It rewrites the same octets as plain C, in the same way, and none behind
 * them. */
static void
test_same_rewrites(void **state)
{
    fuse_replay_func *funcs[2] = { fuse_replay_plain, replay_of(state) };
    static struct fuse_program p;
    static struct fuse_chain chain = { .program = &p, .epoch = 1 };
    uint32_t next_dirty[1];
    struct fuse_replay r = { .tunnels = &tunnels, .epoch = 1,
                             .next_dirty = next_dirty,
                             .attend = attend_true, .end = end_nothing };

    for (uint32_t round = 0; round < 1000; round++) {
        uint8_t image[FUSE_MAX_KEY], packet[BUFFER] = { 0 };
        uint8_t packets[2][BUFFER];
        uint32_t n = round % (FUSE_MAX_KEY + 1), n_image = n;
        uint32_t size = make_packet(packet, 8 * round, 100);

        assert_int_equal(fuse_table_create(10, -1, false, &r.table), 0);
        memset(&p, 0, sizeof p);
        fuse_program_set_octets(&p, n);
        for (uint32_t i = 0; i < n; i++) {
            p.omask[i] = rnd(256);
            image[i] = rnd(256) & p.omask[i];
        }
        chain.own_images = rnd(2);
        if (!chain.own_images && n > FUSE_PART_1) {
            memcpy(chain.image2, image + FUSE_PART_1, n - FUSE_PART_1);
            n_image = FUSE_PART_1;
        }
        for (int i = 0; i < 2; i++) {
            struct fuse_batch batch = { .n = 1, .in_port = 3,
                                        .packets = { packets[i] },
                                        .sizes = { size } };

            memcpy(packets[i], packet, sizeof packet);
            funcs[i](&r, &batch);
            if (!i) {
                struct fuse_entry *entry = fuse_table_insert(
                    r.table, batch.hashes[0], batch.shapes[0], n_image, 3,
                    batch.keys[0], 0);

                assert_int_equal(batch.verdicts[0], FUSE_MISS);
                assert_non_null(entry);
                entry->chain = &chain;
                fuse_entry_set_image(entry, image, n_image);
                funcs[i](&r, &batch);
            }
            assert_int_equal(batch.verdicts[0], FUSE_HIT);
        }
        for (uint32_t i = 0; i < n; i++) {
            packet[i] = (packet[i] & ~p.omask[i]) | image[i];
        }
        assert_memory_equal(packet, packets[0], BUFFER);
        assert_memory_equal(packet, packets[1], BUFFER);
        fuse_table_destroy(r.table);
    }
}

/* The key has each header bit that counts, and no other.  Changing such a bit
 * changes the key, as long as the packet keeps its shape. */
static void
check_key_bits(fuse_replay_func *func)
{
    static uint8_t p[BUFFER], key[FUSE_MAX_KEY];
    uint32_t n_shapes[2][2] = { { 0 } };
    struct fuse_table *table;
    struct fuse_replay r = { .tunnels = &tunnels, .attend = attend_true,
                             .end = end_nothing };

    assert_int_equal(fuse_table_create(10, -1, false, &table), 0);
    r.table = table;
    for (int round = 0; round < 400; round++) {
        struct fuse_batch batch = { .n = 1 };
        const struct fuse_shape *shape;
        int n;

        batch.packets[0] = p;
        batch.sizes[0] = make_any_packet(p, rnd(N_FLOWS), rnd(100), rnd(4));
        func(&r, &batch);
        n = batch.shapes[0];
        if (n < 0) {
            continue;       /* No shape: its header would be too long. */
        }
        shape = &fuse_shapes[n];
        n_shapes[shape->n_octets > 64][shape->n_blocks > 1]++;
        memcpy(key, batch.keys[0], sizeof key);
        for (uint32_t bit = 0; bit < shape->n_octets * 8; bit++) {
            bool counts = shape->mask[bit / 8] >> bit % 8 & 1;

            p[bit / 8] ^= 1 << bit % 8;
            func(&r, &batch);
            p[bit / 8] ^= 1 << bit % 8;
            if (batch.shapes[0] == n
                && counts != !!memcmp(key, batch.keys[0],
                                      shape->n_blocks * 64)) {
                fail_msg("bit %u of shape %d", bit, n);
            }
        }
    }
    /* Short ones, folded ones, and long ones. */
    assert_true(n_shapes[0][0] > 20 && n_shapes[1][0] > 20
                && n_shapes[1][1] > 20);
    fuse_table_destroy(table);
}

static void
test_key_bits(void **state)
{
    check_key_bits(replay_of(state));
}

static uint32_t n_removed;

static void
count_removed(struct fuse_entry *entry, void *aux)
{
    (void) entry;
    (void) aux;
    n_removed++;
}

/* The table takes no more entries than asked for.  Live ones stay; dead and
 * idle ones go. */
static void
test_bounds(void **state)
{
    uint8_t key[FUSE_MAX_KEY] = { 0 };
    struct fuse_table *table;
    struct fuse_entry *entry;
    uint32_t n = 0;

    (void) state;
    assert_int_equal(fuse_table_create(100, -1, false, &table), 0);
    table->removed_cb = count_removed;
    for (uint32_t i = 0; i < 1000; i++) {
        memcpy(key, &i, sizeof i);
        n += fuse_table_insert(table,
                               rnd(UINT32_MAX) * UINT64_C(0x9e3779b97f)
                               | UINT64_C(1) << 32, 0, i & 1 ? 64 : 0, 1, key,
                               1000) != NULL;
    }
    assert_int_equal(n, table->n_entries);
    assert_true(n <= 100 && n >= 80);
    assert_int_equal(n_removed, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        memcpy(key, &i, sizeof i);
        entry = fuse_table_insert(table,
                                  rnd(UINT32_MAX) * UINT64_C(0x9e3779b9)
                                  | UINT64_C(1) << 32, 0, i & 1 ? 64 : 0, 1,
                                  key, 2000 + FUSE_IDLE_MS);
        if (entry) {
            atomic_store(&entry->dead, 1);
        }
    }
    assert_true(n_removed > 40);
    assert_true(table->n_entries <= 100);
    for (uint32_t i = 0; i < 1000 && table->n_entries; i++) {
        entry = fuse_table_sweep(table);
        if (entry) {
            fuse_table_remove(table, entry);
        }
    }
    assert_int_equal(table->n_entries, 0);
    fuse_table_destroy(table);
    assert_int_not_equal(fuse_table_create(0, -1, false, &table), 0);
}

/* Looks 'hash' up as replay does.  Returns the entry, or null. */
static struct fuse_entry *
look_up(struct fuse_table *table, uint64_t hash)
{
    const struct fuse_bucket *b[2] = {
        &table->buckets[fuse_bucket1(table, hash)],
        &table->buckets[fuse_bucket2(table, hash)],
    };

    for (int which = 0; which < (b[0]->n_elsewhere ? 2 : 1); which++) {
        for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
            if (b[which]->places[i].sig == hash >> 32) {
                return fuse_table_entry(table, b[which]->places[i].number);
            }
        }
    }
    return NULL;
}

/* The table grows step by step.  What is in it stays, and is found. */
static void
test_growth(void **state)
{
    enum { N = 20000 };
    static struct fuse_entry *entries[N];
    static uint64_t hashes[N];
    uint8_t key[FUSE_MAX_KEY] = { 0 };
    struct fuse_table *table;
    uint32_t n_missing = 0;

    (void) state;
    assert_int_equal(fuse_table_create(2 * N, -1, false, &table), 0);
    for (uint32_t i = 0; i < N; i++) {
        hashes[i] = ((uint64_t) rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX)
                     | UINT64_C(1) << 32);
        memcpy(key, &i, sizeof i);
        entries[i] = fuse_table_insert(table, hashes[i], 0, i & 1 ? 64 : 0, 1,
                                       key, 0);
        n_missing += !entries[i];
        if (i % 3 == 0 && entries[i / 3]) {
            assert_ptr_equal(look_up(table, hashes[i / 3]), entries[i / 3]);
        }
        if (i % 16 == 15 && entries[i - 7]) {
            fuse_table_remove(table, entries[i - 7]);
            entries[i - 7] = NULL;
            assert_null(look_up(table, hashes[i - 7]));
        }
    }
    assert_true(n_missing < N / 1000);
    assert_true(table->n_buckets >= table->n_entries / 2);
    assert_true(table->n_buckets <= table->n_entries);
    for (uint32_t i = 0; i < N; i++) {
        if (entries[i]) {
            assert_ptr_equal(look_up(table, hashes[i]), entries[i]);
            memcpy(key, &i, sizeof i);
            assert_memory_equal(entries[i]->key, key, 64);
            assert_int_equal(fuse_entry_cold(table, entries[i])->hash,
                             (uint32_t) hashes[i]);
        }
    }
    fuse_table_destroy(table);
}

/* The fast classification finds what the thorough one does. */
static void
test_classify(void **state)
{
    static uint8_t buffer[BUFFER];
    uint32_t n_plain = 0;

    (void) state;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t size = make_packet(buffer, rnd(N_FLOWS), rnd(100));
        struct fuse_class quick = { 1, 2, true }, thorough = { 3, 4, true };
        int shape;

        for (uint32_t n = rnd(4); n > 0; n--) {
            buffer[rnd(2) ? rnd(60) % size : 12 + rnd(38) % (size - 12)]
                = rnd(2) ? rnd(256) : 1 << rnd(8);
        }
        size -= rnd(8) ? 0 : rnd(size);
        shape = fuse_classify(buffer, size, &tunnels, &quick);
        assert_int_equal(shape, fuse_classify_any(buffer, size, &tunnels,
                                                  &thorough));
        if (shape >= 0) {
            assert_int_equal(quick.pad, thorough.pad);
            assert_int_equal(quick.tcp_flags, thorough.tcp_flags);
            assert_int_equal(quick.end, thorough.end);
            n_plain += shape == FUSE_L4_TCP || shape == FUSE_L4_UDP;
        }
    }
    assert_true(n_plain > 10000);
}

static void
test_admission(void **state)
{
    uint64_t hash = UINT64_C(0x1234567100000001);
    struct fuse_table *table;

    (void) state;
    assert_int_equal(fuse_table_create(100, -1, false, &table), 0);
    for (uint32_t i = 1; i < 20; i++) {
        assert_int_equal(fuse_table_count_miss(table, hash), i < 16 ? i : 16);
    }
    fuse_table_refuse(table, hash);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fuse_table_count_miss(table, hash), 0);
    }
    fuse_table_forgive(table, hash);
    assert_int_equal(fuse_table_count_miss(table, hash), 1);
    assert_int_equal(fuse_table_count_miss(table, hash), 2);
    fuse_table_destroy(table);
}

/* As many flows as the table has entries take turns packet by packet.  None is
 * kept out for long. */
static void
test_admission_of_many(void **state)
{
    enum { N = 1 << 14 };
    static uint64_t hashes[N];
    struct fuse_table *table;
    int n_admitted = 0;

    (void) state;
    assert_int_equal(fuse_table_create(N, -1, false, &table), 0);
    for (int i = 0; i < N; i++) {
        hashes[i] = fuse_hash_finish(table, (uint64_t) rnd(1 << 30) << 30
                                            | rnd(1 << 30));
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++) {
            if (hashes[i] && fuse_table_count_miss(table, hashes[i]) == 2) {
                fuse_table_forgive(table, hashes[i]);
                hashes[i] = 0;
                n_admitted++;
            }
        }
        assert_int_equal(!round, !n_admitted);
    }
    assert_in_range(n_admitted, N * 9 / 10, N);
    fuse_table_destroy(table);
}

#define TEST_REPLAY(NAME, TEST) \
    { #TEST " " NAME, TEST, NULL, NULL, (void *) NAME }

/* Packets of a flow have the same flow in fuse-order.h, in any tunnel,
 * whatever their other octets are. */
static void
test_flows(void **state)
{
    fuse_replay_func *func = replay_of(state);
    uint8_t buffer[BUFFER], *p = buffer + ROOM;
    struct fuse_replay replay = { .tunnels = &tunnels };
    uint32_t counts[64] = { 0 };

    assert_int_equal(fuse_table_create(16, -1, false, &replay.table), 0);
    for (uint32_t flow = 0; flow < 4096; flow++) {
        uint64_t inner = 0;

        for (uint32_t i = 0; i < 8; i++) {
            struct fuse_batch batch = { .n = 1, .packets = { p } };
            struct fuse_flow first, fragment;
            uint32_t l3;

            batch.sizes[0] = make_any_packet(p, flow, rnd(100), i % 4);
            l3 = fuse_be16(p + 12) == 0x8100 ? 18 : 14;
            p[5] = rnd(256);
            p[l3 + (p[l3] == 0x45 ? 8 : 7)] = rnd(256);
            func(&replay, &batch);
            assert_true(batch.shapes[0] >= 0);
            first = fuse_flow_of(&batch, 0, true);
            assert_int_equal(first.any, 0);
            assert_true(!i || first.inner == inner);
            inner = first.inner;

            p[l3 + 6] = p[l3] == 0x45 ? 0x20 : 44;
            func(&replay, &batch);
            assert_true(batch.shapes[0] < 0);
            fragment = fuse_flow_of(&batch, 0, true);
            assert_int_equal(fragment.inner, 0);
            assert_true(fragment.any && fragment.any == first.outer);
        }
        counts[__builtin_ctzll(inner)]++;
    }
    /* 64 each, within 11: each flow comes twice, once with a VLAN tag. */
    for (int i = 0; i < 64; i++) {
        assert_in_range(counts[i], 16, 128);
    }
    fuse_table_destroy(replay.table);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST_REPLAY("plain", test_replay),
        TEST_REPLAY("avx2", test_replay),
        TEST_REPLAY("avx512", test_replay),
        TEST_REPLAY("plain", test_no_csum),
        TEST_REPLAY("avx2", test_no_csum),
        TEST_REPLAY("avx512", test_no_csum),
        TEST_REPLAY("plain", test_tcp),
        TEST_REPLAY("avx2", test_tcp),
        TEST_REPLAY("avx512", test_tcp),
        TEST_REPLAY("avx2", test_same_keys),
        TEST_REPLAY("avx512", test_same_keys),
        TEST_REPLAY("avx2", test_same_rewrites),
        TEST_REPLAY("avx512", test_same_rewrites),
        TEST_REPLAY("plain", test_key_bits),
        TEST_REPLAY("avx2", test_key_bits),
        TEST_REPLAY("avx512", test_key_bits),
        TEST_REPLAY("plain", test_flows),
        TEST_REPLAY("avx2", test_flows),
        TEST_REPLAY("avx512", test_flows),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_admission_of_many),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_classify),
    };

    fuse_shapes_init();
    /* In network byte order. */
    tunnels.ports[fuse_get16((const uint8_t *) "\x08\x68")] = FUSE_TUNNEL_GTPU;
    memset(tunnels.endpoints, 1, sizeof tunnels.endpoints);
    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
