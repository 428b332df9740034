/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-ident.h"

#include <stdlib.h>

#include "entropy.h"
#include "lib/lb/lb-registry.h"
#include "ofproto-ext/lb/lb-params.h"
#include "timeval.h"
#include "util.h"

/* Idents whose last version went, oldest first.  A group that stops to be
 * load-balanced leaves megaflows with its id until they are revalidated; so
 * its table stays a while, but only of so many groups. */
#define RETIRED_MS 10000
#define MAX_RETIRED 256

static struct ovs_list retired OVS_GUARDED_BY(lb_mutex)
    = OVS_LIST_INITIALIZER(&retired);
static unsigned int n_retired OVS_GUARDED_BY(lb_mutex);

static void
destroy_ident(struct lb_ident *ident)
    OVS_REQUIRES(lb_mutex)
{
    lb_tables_publish(ident->id, NULL);
    lb_registry_free_id(ident->id);
    free(ident);
}

void
lb_idents_sweep(void)
{
    long long int before = time_msec() - RETIRED_MS;
    struct lb_ident *ident;

    LIST_FOR_EACH_SAFE (ident, node, &retired) {
        if (n_retired <= MAX_RETIRED && ident->retired > before) {
            break;
        }
        ovs_list_remove(&ident->node);
        n_retired--;
        destroy_ident(ident);
    }
}

struct lb_ident *
lb_ident_create(const struct lb_params *params)
{
    uint32_t id;

    lb_idents_sweep();
    id = lb_registry_alloc_id();
    if (!id) {
        return NULL;
    }

    struct lb_ident *ident = xzalloc(sizeof *ident);

    ident->id = id;
    ident->n_versions = 1;
    ident->shared_key = params->shared_key;
    ident->host_key = params->host_key;
    ident->seed = params->seed;
    ident->stage = params->stage;
    ident->key = params->key;
    get_entropy_or_die(&ident->salt, sizeof ident->salt);
    return ident;
}

bool
lb_ident_fits(const struct lb_ident *ident, const struct lb_params *params)
{
    return (ident->shared_key == params->shared_key
            && ident->seed == params->seed
            && ident->stage == params->stage);
}

void
lb_ident_unref(struct lb_ident *ident)
{
    if (!--ident->n_versions) {
        ident->retired = time_msec();
        ovs_list_push_back(&retired, &ident->node);
        n_retired++;
        lb_idents_sweep();
    }
}
