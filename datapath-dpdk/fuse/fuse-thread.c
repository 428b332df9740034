/* SPDX-License-Identifier: Apache-2.0 */

/* A thread's fused flow cache
 * ===========================
 *
 * The main thread changes what fuse-config.c reads from the database, and then
 * its version; each thread follows when it next has a batch or time. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-thread.h"

#include <stdlib.h>
#include <string.h>

#include "conntrack-private.h"
#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse-conn-tcp.h"
#include "datapath-dpdk/fuse/fuse-conn.h"
#include "datapath-dpdk/fuse/fuse-flush.h"
#include "datapath-dpdk/fuse/fuse-memory.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse-refresh.h"
#include "datapath-dpdk/fuse/fuse-trial.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpdk.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fuse);

atomic_bool fuse_active;

/* A port that opted out. */
struct closed_port {
    struct hmap_node node;
    const void *dp;              /* The datapath: never dereferenced. */
    odp_port_t port;
};

static struct ovs_mutex config_mutex = OVS_MUTEX_INITIALIZER;
static bool config_enabled OVS_GUARDED_BY(config_mutex);
static uint32_t config_entries OVS_GUARDED_BY(config_mutex)
    = FUSE_DEFAULT_ENTRIES;
static struct hmap closed_ports OVS_GUARDED_BY(config_mutex)
    = HMAP_INITIALIZER(&closed_ports);
static struct ovs_list threads OVS_GUARDED_BY(config_mutex)
    = OVS_LIST_INITIALIZER(&threads);
static _Atomic(uint32_t) config_version;

/* Sets '*version', and 'fuse_active', after a change. */
static void
config_changed(void)
    OVS_REQUIRES(config_mutex)
{
    atomic_fetch_add(&config_version, 1);
    if (config_enabled || !ovs_list_is_empty(&threads)) {
        atomic_store(&fuse_active, true);
    }
}

void
fuse_configure(bool enabled, uint32_t entries)
{
    ovs_mutex_lock(&config_mutex);
    if (enabled != config_enabled || entries != config_entries) {
        VLOG_INFO("fused flow cache %s, %"PRIu32" entries a thread",
                  enabled ? "on" : "off", entries);
        config_enabled = enabled;
        config_entries = entries;
        if (enabled) {
            fuse_memory_init();
        }
        config_changed();
    }
    ovs_mutex_unlock(&config_mutex);
}

static struct closed_port *
find_closed_port(const void *dp, odp_port_t port)
    OVS_REQUIRES(config_mutex)
{
    struct closed_port *closed;

    HMAP_FOR_EACH_WITH_HASH (closed, node,
                             hash_pointer(dp, odp_to_u32(port)),
                             &closed_ports) {
        if (closed->dp == dp && closed->port == port) {
            return closed;
        }
    }
    return NULL;
}

void
fuse_port_close(const void *dp, odp_port_t port, bool close)
{
    struct closed_port *closed;

    ovs_mutex_lock(&config_mutex);
    closed = find_closed_port(dp, port);
    if (close && !closed) {
        closed = xmalloc(sizeof *closed);
        closed->dp = dp;
        closed->port = port;
        hmap_insert(&closed_ports, &closed->node,
                    hash_pointer(dp, odp_to_u32(port)));
        config_changed();
    } else if (!close && closed) {
        hmap_remove(&closed_ports, &closed->node);
        free(closed);
        config_changed();
    }
    ovs_mutex_unlock(&config_mutex);
}

/* The table removes 'entry' of thread 't_'. */
static void
entry_removed(struct fuse_entry *entry, void *t_)
{
    struct fuse_thread *t = t_;
    const struct fuse_cold *cold = fuse_entry_cold(t->replay.table, entry);
    uint8_t dead = atomic_load_explicit(&entry->dead, memory_order_acquire);

    for (int owner = 0; owner < 2; owner++) {
        int kind = fuse_owner_kind(cold, owner);

        if (kind && kind != FUSE_OWNER_STICKY
            && !(dead & FUSE_DEAD_OWNER(owner))) {
            fuse_conn_unlink(cold->owners[owner], entry, owner);
        }
    }
    fuse_refresh_forget(t, entry);
    fuse_trial_end(t, entry);
    fuse_chain_unref(t, CONTAINER_OF(entry->chain, struct fuse_dp_chain, up));
}

/* Implements 'end' of struct fuse_replay. */
static void
end(struct fuse_replay *replay, struct fuse_entry *entry)
{
    fuse_trial_end(fuse_thread_of(replay), entry);
    fuse_kill_entry(entry);
}

/* Copies what opted out of the datapath of 't'. */
static void
copy_closed_ports(struct fuse_thread *t)
    OVS_REQUIRES(config_mutex)
{
    struct closed_port *closed;

    t->n_closed_ports = 0;
    t->closed_ports = xrealloc(t->closed_ports,
                               (hmap_count(&closed_ports) + 1)
                               * sizeof *t->closed_ports);
    HMAP_FOR_EACH (closed, node, &closed_ports) {
        if (closed->dp == t->pmd->dp) {
            t->closed_ports[t->n_closed_ports++] = closed->port;
        }
    }
}

/* Returns true if 'port' opted out. */
bool
fuse_port_is_closed(const struct fuse_thread *t, odp_port_t port)
{
    for (size_t i = 0; i < t->n_closed_ports; i++) {
        if (t->closed_ports[i] == port) {
            return true;
        }
    }
    return false;
}

static struct fuse_thread *
create_thread(struct dp_netdev_pmd_thread *pmd)
    OVS_REQUIRES(config_mutex)
{
    struct fuse_thread *t = xzalloc_cacheline(sizeof *t);

    t->pmd = pmd;
    t->max_entries = config_entries;
    t->replay.attend = fuse_attend;
    t->replay.resync = fuse_tcp_resync;
    t->replay.end = end;
    t->measures = pmd->core_id != NON_PMD_CORE_ID;
    for (int i = 0; i < FUSE_N_PORTS; i++) {
        fuse_gain_init(&t->ports[i].gain);
        fuse_pace_init(&t->ports[i].pace);
    }
    t->memory = fuse_memory_create(config_entries, pmd->numa_id,
                                   pmd->core_id == NON_PMD_CORE_ID);
    t->max_chains = fuse_max_chains(config_entries);
    ovs_mutex_init(&t->mutex);
    ovs_list_push_back(&threads, &t->node);
    return t;
}

static void
destroy_thread(struct fuse_thread *t)
    OVS_REQUIRES(config_mutex)
{
    while (!fuse_thread_close(t)) {
        continue;
    }
    fuse_memory_destroy(t->memory);
    ovs_list_remove(&t->node);
    ovs_mutex_destroy(&t->mutex);
    free(t->closed_ports);
    free_cacheline(t);
    if (!config_enabled && ovs_list_is_empty(&threads)) {
        atomic_store(&fuse_active, false);
    }
}

/* Makes the cache of 'pmd' follow the configuration.  Returns the cache if it
 * has its memory.  A PMD thread's cache that must go is emptied slice by slice
 * first, and not used meanwhile. */
static struct fuse_thread *
follow_config(struct dp_netdev_pmd_thread *pmd)
{
    struct fuse_thread *t = pmd->fuse;

    if (ovs_mutex_trylock(&config_mutex)) {
        return t && t->replay.table ? t : NULL;
    }
    if (t && (!config_enabled || t->max_entries != config_entries)) {
        if (pmd->core_id != NON_PMD_CORE_ID && !fuse_thread_close(t)) {
            ovs_mutex_unlock(&config_mutex);
            return NULL;
        }
        destroy_thread(t);
        t = NULL;
    }
    if (!t && config_enabled) {
        t = create_thread(pmd);
    }
    pmd->fuse = t;
    if (t && (t->replay.table || fuse_memory_attach(t, entry_removed))) {
        t->flushing = false;     /* It had to go, for a moment. */
        t->config_version = atomic_load(&config_version);
        copy_closed_ports(t);
    } else {
        t = NULL;
    }
    ovs_mutex_unlock(&config_mutex);
    return t;
}

/* Returns the cache of 'pmd', which has been made to follow the configuration,
 * or null if it has none or is in use: see "Re-entry" in fuse.h.  Owner. */
struct fuse_thread *
fuse_thread_get(struct dp_netdev_pmd_thread *pmd)
{
    struct fuse_thread *t = pmd->fuse;

    if (OVS_UNLIKELY(t && t->busy)) {
        return NULL;
    }
    if (OVS_UNLIKELY(!t || t->config_version
                           != atomic_load_explicit(&config_version,
                                                   memory_order_relaxed))) {
        t = follow_config(pmd);
    }
    return t;
}

/* 'pmd' is about to be freed.  Any thread, after its last packet. */
void
fuse_thread_destroy(struct dp_netdev_pmd_thread *pmd)
{
    if (pmd->fuse) {
        ovs_mutex_lock(&config_mutex);
        destroy_thread(pmd->fuse);
        pmd->fuse = NULL;
        ovs_mutex_unlock(&config_mutex);
    }
}

/* Has 't', which has a thread of its own, run 'func'.  Returns false after 1 s
 * without an answer: a thread without any port sleeps. */
static bool
ask(struct fuse_thread *t, fuse_request_func *func, void *aux)
{
    struct fuse_request request = { .func = func, .aux = aux };
    struct fuse_request *mine = &request;

    atomic_store(&t->request, mine);
    for (int i = 0; i < 1000 && !atomic_load(&request.done); i++) {
        xnanosleep(1000 * 1000);
    }
    if (atomic_compare_exchange_strong(&t->request, &mine, NULL)) {
        return false;
    }
    while (!atomic_load(&request.done)) {
        xnanosleep(1000 * 1000);
    }
    return true;
}

bool
fuse_ask_thread(struct fuse_thread *t, fuse_request_func *func, void *aux)
{
    /* A thread gets its memory only while it has 'config_mutex'. */
    if (t->pmd->core_id != NON_PMD_CORE_ID && t->replay.table) {
        return ask(t, func, aux);
    }
    ovs_mutex_lock(&t->mutex);
    while (!func(t, aux)) {
        continue;
    }
    ovs_mutex_unlock(&t->mutex);
    return true;
}

void
fuse_visit_threads(void (*visit)(struct fuse_thread *, void *aux), void *aux)
{
    struct fuse_thread *t;

    ovs_mutex_lock(&config_mutex);
    LIST_FOR_EACH (t, node, &threads) {
        visit(t, aux);
    }
    ovs_mutex_unlock(&config_mutex);
}

void
fuse_thread_put_name(const struct fuse_thread *t, struct ds *reply)
{
    if (t->pmd->core_id == NON_PMD_CORE_ID) {
        ds_put_cstr(reply, "main thread:\n");
    } else {
        ds_put_format(reply, "core %u:\n", t->pmd->core_id);
    }
}

void
fuse_put_silent(const struct fuse_thread *t, struct ds *reply)
{
    ds_put_format(reply, "core %u: no answer, the thread polls no port\n",
                  t->pmd->core_id);
}

void
fuse_for_each_thread(fuse_request_func *func, void *aux)
{
    struct fuse_thread *t;

    ovs_mutex_lock(&config_mutex);
    LIST_FOR_EACH (t, node, &threads) {
        if (!fuse_ask_thread(t, func, aux)) {
            fuse_put_silent(t, aux);
        }
    }
    ovs_mutex_unlock(&config_mutex);
}
