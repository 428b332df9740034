/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/fuse/fuse-tcp.h.  Entries of a connection follow its sequence
 * numbers, and accept what a naive tracker accepts.  That tracker sees all
 * packets and counts octets from 0 on without end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/fuse/fuse-tcp.h"
#include "tests/unit/random-numbers.h"

/* A packet, with 64-bit numbers that never wrap. */
struct wide {
    int src;
    int64_t seq, ack, len, win;
};

/* The naive tracker. */
struct naive {
    struct {
        int64_t sent;            /* End of what it has sent. */
        int64_t allowed;         /* End of what it may send. */
        int64_t max_win;
        int scale;
    } peers[2];
};

static bool
naive_accepts(const struct naive *t, const struct wide *p)
{
    const int64_t slack = 0xffff + 1500;
    int src = p->src, dst = !src;
    int64_t seq = p->len ? p->seq : t->peers[src].sent;

    return (seq + p->len <= t->peers[src].allowed
            && seq >= (t->peers[src].sent
                       - (t->peers[dst].max_win << t->peers[dst].scale))
            && p->ack <= t->peers[dst].sent + slack
            && p->ack >= (t->peers[dst].sent
                          - (slack << t->peers[src].scale)));
}

static void
naive_follow(struct naive *t, const struct wide *p)
{
    int src = p->src, dst = !src;
    int64_t win = p->win << t->peers[src].scale;

    if (p->win > t->peers[src].max_win) {
        t->peers[src].max_win = p->win;
    }
    if (p->len && p->seq + p->len > t->peers[src].sent) {
        t->peers[src].sent = p->seq + p->len;
    }
    if (p->ack + win >= t->peers[dst].allowed) {
        t->peers[dst].allowed = p->ack + (win ? win : 1);
    }
}

/* A connection with its entries: 'n' for each direction. */
struct bench {
    struct naive naive;
    struct fuse_tcp_peer peers[2];   /* As in the real tracker. */
    struct fuse_tcp tcps[2][2];
    uint32_t merged[2][2];
    int n;
    uint32_t n_resyncs;
};

static void
sync_all(struct bench *b)
{
    for (int src = 0; src < 2; src++) {
        for (int i = 0; i < b->n; i++) {
            if (b->tcps[src][i].n != b->merged[src][i]) {
                b->merged[src][i] = fuse_tcp_merge(&b->tcps[src][i],
                                                   &b->peers[src],
                                                   &b->peers[!src]);
            }
        }
    }
}

static void
assert_same(const struct bench *b)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b->peers[i].seqlo, (uint32_t) b->naive.peers[i].sent);
        assert_int_equal(b->peers[i].seqhi,
                         (uint32_t) b->naive.peers[i].allowed);
        assert_int_equal(b->peers[i].max_win, b->naive.peers[i].max_win);
    }
}

/* The first octets are sent near 'start'. */
static void
bench_init(struct bench *b, int64_t start, int n, int scale0, int scale1)
{
    memset(b, 0, sizeof *b);
    b->n = n;
    for (int i = 0; i < 2; i++) {
        b->naive.peers[i].sent = start + i * 1000;
        b->naive.peers[i].allowed = start + i * 1000 + 60000;
        b->naive.peers[i].max_win = 1000;
        b->naive.peers[i].scale = i ? scale1 : scale0;
        b->peers[i].seqlo = b->naive.peers[i].sent;
        b->peers[i].seqhi = b->naive.peers[i].allowed;
        b->peers[i].max_win = b->naive.peers[i].max_win;
        b->peers[i].wscale = b->naive.peers[i].scale;
    }
    for (int src = 0; src < 2; src++) {
        for (int i = 0; i < n; i++) {
            fuse_tcp_copy(&b->tcps[src][i], &b->peers[src], &b->peers[!src],
                          false);
        }
    }
}

/* A packet as a peer sends it, or delayed, repeated or forged. */
static struct wide
make_packet(const struct bench *b)
{
    struct wide p = { .src = rnd(2) };
    int64_t sent = b->naive.peers[p.src].sent;
    int64_t other = b->naive.peers[!p.src].sent;
    int64_t room = b->naive.peers[p.src].allowed - sent;

    p.win = rnd(4) ? 1000 + rnd(64000) : rnd(65536);
    p.seq = sent;
    p.ack = other;
    switch (rnd(12)) {
    case 0:                     /* A pure acknowledgment, maybe an old one. */
        p.ack -= rnd(3) ? 0 : rnd(100000);
        break;
    case 1:                     /* Once more. */
        p.seq -= rnd(70000);
        p.len = rnd(3000);
        break;
    case 2:                     /* Keepalive. */
        p.seq -= 1;
        p.len = rnd(2);
        break;
    case 3:                     /* Before what was sent earlier. */
        p.seq += rnd(20000);
        p.len = rnd(1449);
        break;
    case 4:                     /* At the edges. */
        p.seq = sent + room - 100 + rnd(200);
        p.len = rnd(200);
        p.ack += rnd(2) ? 0 : 66935 + rnd(200);
        break;
    case 5:
        p.seq = sent - (b->naive.peers[!p.src].max_win
                        << b->naive.peers[!p.src].scale) - 100 + rnd(200);
        p.len = rnd(200);
        break;
    case 6:
        p.ack = other - (INT64_C(67035) << b->naive.peers[p.src].scale)
                - 100 + rnd(200);
        p.len = rnd(200);
        break;
    case 7:                     /* Forged. */
        p.seq += (int64_t) rnd(INT64_C(1) << 31) - (INT64_C(1) << 30);
        p.ack += rnd(2) ? 0
                 : (int64_t) rnd(INT64_C(1) << 31) - (INT64_C(1) << 30);
        p.len = rnd(1449);
        break;
    default:
        p.len = room > 0 ? rnd((room < 1 << 20 ? room : 1 << 20) + 1) : 0;
    }
    return p;
}

/* Changes entry 'i' as replay does. */
static bool
entry_accepts(struct bench *b, const struct wide *p, int i)
{
    struct fuse_tcp *tcp = &b->tcps[p->src][i];
    const struct fuse_tcp_packet tp = { .seq = p->seq, .ack = p->ack,
                                        .len = p->len, .win = p->win };

    if (!fuse_tcp_is_valid(tcp, &tp, false)) {
        b->n_resyncs++;
        sync_all(b);
        fuse_tcp_copy(tcp, &b->peers[p->src], &b->peers[!p->src], false);
        if (!fuse_tcp_is_valid(tcp, &tp, true)) {
            return false;
        }
    }
    fuse_tcp_follow(tcp, &tp);
    return true;
}

/* One entry for each direction accepts exactly what the tracker does, and
 * updates the tracker's numbers alike. */
static void
check_one(int64_t start, int scale0, int scale1)
{
    struct bench b;
    uint32_t n = 4000000, n_accepted = 0;

    bench_init(&b, start, 1, scale0, scale1);
    for (uint32_t round = 0; round < n; round++) {
        struct wide p = make_packet(&b);
        bool accepted = naive_accepts(&b.naive, &p);

        assert_int_equal(entry_accepts(&b, &p, 0), accepted);
        if (accepted) {
            naive_follow(&b.naive, &p);
            n_accepted++;
        }
        if (!rnd(50)) {
            sync_all(&b);
            assert_same(&b);
        }
    }
    assert_true(n_accepted > n / 2 && n_accepted < n * 95 / 100);
    /* It went round. */
    assert_true(b.naive.peers[0].sent > start + (INT64_C(1) << 32));
    assert_true(b.n_resyncs < n);
}

static void
test_one(void **state)
{
    (void) state;
    check_one(INT64_C(1) << 40, 0, 0);
    check_one((INT64_C(1) << 40) - 5000, 7, 2);
    /* With 14, compared numbers are 2^31 apart. */
    check_one(INT64_C(1) << 40, 13, 13);
}

/* Two entries for a direction.  One of them may be idle for more octets than
 * numbers can be compared over.  They accept what the tracker accepts, and
 * together follow its numbers. */
static void
test_two(void **state)
{
    struct bench b;
    int busy = 0;

    (void) state;
    bench_init(&b, INT64_C(1) << 40, 2, 3, 5);
    for (uint32_t round = 0; round < 1000000; round++) {
        struct wide p = make_packet(&b);

        if (round % 200000 == 199999) {
            busy = !busy;
        }
        if (!naive_accepts(&b.naive, &p)) {
            continue;
        }
        if (rnd(1000) == 0) {
            sync_all(&b);
            assert_same(&b);
        }
        assert_true(entry_accepts(&b, &p, busy));
        naive_follow(&b.naive, &p);
    }
    assert_true(b.naive.peers[0].sent > (INT64_C(1) << 40)
                                        + (INT64_C(3) << 32));
    sync_all(&b);
    assert_same(&b);
}

/* An entry of two connections accepts what is valid for both. */
static void
test_more(void **state)
{
    struct bench a, b;

    (void) state;
    for (int round = 0; round < 100000; round++) {
        struct wide p;
        struct fuse_tcp tcp;

        bench_init(&a, INT64_C(1) << 40, 1, 2, 3);
        bench_init(&b, (INT64_C(1) << 40) + rnd(50000), 1, 2, 3);
        b.naive.peers[0].allowed += rnd(20000);
        b.peers[0].seqhi = b.naive.peers[0].allowed;
        do {
            p = make_packet(&a);
        } while (p.src);
        fuse_tcp_copy(&tcp, &a.peers[0], &a.peers[1], false);
        fuse_tcp_copy(&tcp, &b.peers[0], &b.peers[1], true);

        const struct fuse_tcp_packet tp = { .seq = p.seq, .ack = p.ack,
                                            .len = p.len, .win = p.win };

        if (fuse_tcp_is_valid(&tcp, &tp, false) && p.len
            && p.seq >= b.naive.peers[0].sent) {
            assert_true(naive_accepts(&a.naive, &p));
            assert_true(naive_accepts(&b.naive, &p));
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_two),
        cmocka_unit_test(test_more),
    };

    return cmocka_run_group_tests_name("fuse-tcp", tests, NULL, NULL);
}
