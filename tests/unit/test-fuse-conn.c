/* SPDX-License-Identifier: Apache-2.0 */

/* Connections that end while another thread uses their entries.  This file
 * includes datapath-dpdk/fuse/fuse-conn.c, with calls in it that do the other
 * thread's work. */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "conntrack.h"
#include "conntrack-private.h"
#include "conntrack-tp.h"
#include "ct-dpif.h"
#include "datapath-dpdk/fuse/fuse-conn.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "dpif.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

static void interrupt(void);
static void update_expiration(struct conntrack *, struct conn *,
                              enum ct_timeout, long long int now);
static void conn_gone(struct conn *);
static bool conn_link(struct conn *, struct fuse_entry *, int owner,
                      int timeout, struct fuse_tcp *, bool more);

#undef atomic_fetch_or
#define atomic_fetch_or(P, BITS)                                \
    (interrupt(), atomic_fetch_or_explicit(P, BITS, memory_order_seq_cst))
#define conn_update_expiration update_expiration
#define fuse_conn_gone conn_gone
#define fuse_conn_link conn_link
#include "datapath-dpdk/fuse/fuse-conn.c"
#undef conn_update_expiration
#undef fuse_conn_gone
#undef fuse_conn_link

/* Called before an entry is made dead, before an expiration is set, and before
 * an entry is linked. */
static void (*on_dead)(void);
static void (*on_update)(void);
static void (*on_link)(void);

/* The last connections that got an entry, and the entries. */
#define N_LINKS 8
static struct conn *conns[N_LINKS];
static struct fuse_entry *entries[N_LINKS];
static uint32_t n_links;

/* A thread stops here when a connection is gone. */
static __thread bool stops;
static sem_t stopped, go_on;

static void
call(void (**func)(void))
{
    void (*f)(void) = *func;

    *func = NULL;
    if (f) {
        f();
    }
}

static void
interrupt(void)
{
    call(&on_dead);
}

static void
update_expiration(struct conntrack *ct, struct conn *conn, enum ct_timeout tm,
                  long long int now)
    OVS_REQUIRES(conn->lock)
{
    call(&on_update);
    conn_update_expiration(ct, conn, tm, now);
}

void
fuse_conn_gone(struct conn *conn)
{
    if (stops) {
        sem_post(&stopped);
        sem_wait(&go_on);
    }
    conn_gone(conn);
}

bool
fuse_conn_link(struct conn *conn, struct fuse_entry *entry, int owner,
               int timeout, struct fuse_tcp *tcp, bool more)
{
    call(&on_link);
    assert_true(n_links < N_LINKS);
    conns[n_links] = conn;
    entries[n_links++] = entry;
    return conn_link(conn, entry, owner, timeout, tcp, more);
}

/* Establishes a connection of flow 'flow' in 'zone', which gets an entry. */
static void
establish(unsigned int flow, uint16_t zone)
{
    uint32_t n = n_links + 1;

    set_way_ct(zone);
    dpif_flow_flush(dpif);
    put_packet(flow, 0, PLAIN);
    run();
    put_packet(flow, 0, REPLY);
    run();
    for (int i = 1; i < 4; i++) {
        put_packet(flow, i, PLAIN);
        run();
    }
    assert_int_equal(n_links, n);
}

static bool
has_entry(const struct conn *conn)
{
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        if (conn->fuse.entries[i]) {
            return true;
        }
    }
    return false;
}

/* The PMD thread removes the entry and takes it for another flow, if it does
 * not have to wait for the connection's lock. */
static void
reuse_entry(void)
{
    if (!ovs_mutex_trylock(&conns[0]->lock)) {
        ovs_mutex_unlock(&conns[0]->lock);
        flush();
        establish(2, 1);
    }
}

static void
test_reuse_while_connection_goes(void **state OVS_UNUSED)
{
    uint16_t zone = 0;

    n_links = 0;
    establish(0, 0);
    on_dead = reuse_entry;
    assert_int_equal(ct_dpif_flush(dpif, &zone, NULL), 0);
    assert_null(on_dead);
    if (n_links == 1) {
        reuse_entry();
    }
    assert_ptr_equal(entries[0], entries[1]);
    flush();
    assert_false(has_entry(conns[1]));
}

/* Another thread sees the answer to flow 0. */
static void
answer(void)
{
    struct ofpbuf actions;
    size_t ofs;

    ofpbuf_init(&actions, 0);
    ofs = nl_msg_start_nested(&actions, OVS_ACTION_ATTR_CT);
    nl_msg_end_nested(&actions, ofs);
    execute(make_packet(0, 0, REPLY), &actions);
    ofpbuf_uninit(&actions);
}

static struct conntrack *ct;

static bool
find_ct(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    ct = t->ct;
    return true;
}

/* A connection without an answer gets an entry, which the answer ends. */
static void
test_one_way(void **state OVS_UNUSED)
{
    uint64_t hits;

    n_links = 0;
    set_way_ct(0);
    for (int i = 0; i < 4; i++) {
        put_packet(0, i, PLAIN);
        run();
    }
    assert_int_equal(n_links, 1);
    hits = count_of(FUSE_C_HITS);
    assert_true(hits > 0);
    fuse_for_each_thread(find_ct, NULL);
    assert_true(fuse_conn_refresh(ct, conns[0], CT_TM_OTHER_MULTIPLE,
                                  time_msec()) > 0);

    answer();
    assert_int_equal(fuse_conn_refresh(ct, conns[0], CT_TM_OTHER_MULTIPLE,
                                       time_msec()), 0);
    put_packet(0, 4, PLAIN);
    run();
    assert_int_equal(count_of(FUSE_C_HITS), hits);
}

/* The answer comes after the entry was made. */
static void
test_answer_while_learned(void **state OVS_UNUSED)
{
    uint64_t hits = count_of(FUSE_C_HITS);

    n_links = 0;
    set_way_ct(0);
    on_link = answer;
    for (int i = 0; i < 8 && on_link; i++) {
        put_packet(0, i, PLAIN);
        run();
    }
    assert_int_equal(n_links, 1);
    assert_false(has_entry(conns[0]));
    put_packet(0, 8, PLAIN);
    run();
    assert_int_equal(count_of(FUSE_C_HITS), hits);
}

/* Thread: a packet in the direction of replies opens the connection anew,
 * which ends the old one. */
static void *
force_new(void *aux OVS_UNUSED)
{
    struct ofpbuf actions;
    size_t ofs;

    ofpbuf_init(&actions, 0);
    ofs = nl_msg_start_nested(&actions, OVS_ACTION_ATTR_CT);
    nl_msg_put_flag(&actions, OVS_CT_ATTR_FORCE_COMMIT);
    nl_msg_end_nested(&actions, ofs);
    stops = true;
    execute(make_packet(0, 1, REPLY), &actions);
    ofpbuf_uninit(&actions);
    return NULL;
}

static pthread_t forcing;

static void
start_forcing(void)
{
    forcing = ovs_thread_create("force", force_new, NULL);
    sem_wait(&stopped);
}

/* A connection ends while an entry refreshes it. */
static void
test_expire_while_refreshed(void **state OVS_UNUSED)
{
    long long int expiration;

    n_links = 0;
    establish(0, 0);
    fuse_for_each_thread(find_ct, NULL);
    on_update = start_forcing;
    fuse_conn_refresh(ct, conns[0], CT_TM_OTHER_BIDIR, time_msec());
    sem_post(&go_on);
    xpthread_join(forcing, NULL);
    atomic_read_relaxed(&conns[0]->expiration, &expiration);
    assert_int_equal(expiration, 0);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reuse_while_connection_goes, setup),
        cmocka_unit_test_setup(test_expire_while_refreshed, setup),
        cmocka_unit_test_setup(test_one_way, setup),
        cmocka_unit_test_setup(test_answer_while_learned, setup),
    };

    set_program_name(argv[0]);
    sem_init(&stopped, 0, 0);
    sem_init(&go_on, 0, 0);
    return cmocka_run_group_tests(tests, datapath_start, datapath_stop);
}
