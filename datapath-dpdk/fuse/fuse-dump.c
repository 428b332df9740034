/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-dump.h"

#include <stdlib.h>

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
copy_chain(const struct fuse_dp_chain *chain, struct fuse_dump_chain *copy)
{
    const struct fuse_program *p = chain->up.program;

    copy->packets = chain->credited + chain->up.packets;
    copy->n_entries = chain->up.n_entries;
    copy->out_port = chain->up.out_port;
    copy->k = p->k;
    copy->m = p->m;
    copy->dead = chain->up.dead;
    copy->drops = p->flags & FUSE_P_DROP;
    copy->n_flows = chain->uses.n_flows;
    for (uint32_t i = 0; i < copy->n_flows; i++) {
        copy->ufids[i] = chain->uses.flows[i].flow->ufid;
    }
}

bool
fuse_dump_copy(struct fuse_thread *t, void *dump_)
{
    uint32_t n_touched = t->chains ? t->chains->n_touched : 0;
    struct fuse_dump *dump = dump_;

    for (int i = 0; i < FUSE_DUMP_SLICE; i++) {
        const struct fuse_dp_chain *chain;

        dump->end = dump->position >= n_touched;
        if (dump->end || dump->n >= FUSE_DUMP_MAX) {
            return true;
        }
        chain = fuse_pool_at(t->chains, dump->position++);
        if (chain) {
            copy_chain(chain, &dump->chains[dump->n++]);
        }
    }
    return false;
}

static void
put_chain(const struct fuse_dump_chain *chain, struct ds *reply)
{
    ds_put_format(reply, "  packets:%"PRIu64", entries:%"PRIu32", ",
                  chain->packets, chain->n_entries);
    if (chain->dead) {
        ds_put_cstr(reply, "dead, ");
    }
    if (chain->drops) {
        ds_put_cstr(reply, "drop");
    } else {
        ds_put_format(reply, "replace %u by %u, output:%"PRIu32,
                      chain->k, chain->m, chain->out_port);
    }
    ds_put_cstr(reply, "\n");
    for (uint32_t i = 0; i < chain->n_flows; i++) {
        ds_put_cstr(reply, "    ");
        odp_format_ufid(&chain->ufids[i], reply);
        ds_put_cstr(reply, "\n");
    }
}

/* Appends the chains of 't' to 'reply_'. */
static void
dump_thread(struct fuse_thread *t, void *reply_)
{
    struct fuse_dump *dump = xzalloc(sizeof *dump);
    struct ds *reply = reply_;

    fuse_thread_put_name(t, reply);
    do {
        dump->n = 0;
        if (!fuse_ask_thread(t, fuse_dump_copy, dump)) {
            fuse_put_silent(t, reply);
            break;
        }
        for (uint32_t i = 0; i < dump->n; i++) {
            put_chain(&dump->chains[i], reply);
        }
    } while (!dump->end);
    free(dump);
}

void
fuse_dump(struct ds *reply)
{
    fuse_visit_threads(dump_thread, reply);
}
