/* SPDX-License-Identifier: Apache-2.0 */

/* Connections that end while another thread uses their entries.
 * datapath-dpdk/fuse/fuse-conn.c is included here, with functions in between
 * at which the other thread's work is done. */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "conntrack-private.h"
#include "ct-dpif.h"
#include "dpif.h"
#include "ovs-thread.h"
#include "util.h"

static void interrupt(void);
static bool conn_link(struct conn *, struct fuse_entry *, int owner,
                      struct fuse_tcp *, bool more);

#undef atomic_fetch_or
#define atomic_fetch_or(P, BITS)                                \
    (interrupt(), atomic_fetch_or_explicit(P, BITS, memory_order_seq_cst))
#define fuse_conn_link conn_link
#include "datapath-dpdk/fuse/fuse-conn.c"
#undef fuse_conn_link

/* What is done before an entry is made dead. */
static void (*on_dead)(void);

/* The last connections that got an entry, and which. */
#define N_LINKS 8
static struct conn *conns[N_LINKS];
static struct fuse_entry *entries[N_LINKS];
static uint32_t n_links;

static void
interrupt(void)
{
    void (*func)(void) = on_dead;

    on_dead = NULL;
    if (func) {
        func();
    }
}

bool
fuse_conn_link(struct conn *conn, struct fuse_entry *entry, int owner,
               struct fuse_tcp *tcp, bool more)
{
    assert_true(n_links < N_LINKS);
    conns[n_links] = conn;
    entries[n_links++] = entry;
    return conn_link(conn, entry, owner, tcp, more);
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
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        assert_int_equal(conns[1]->fuse.entries[i], 0);
    }
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reuse_while_connection_goes, setup),
    };

    set_program_name(argv[0]);
    return cmocka_run_group_tests(tests, start, stop);
}
