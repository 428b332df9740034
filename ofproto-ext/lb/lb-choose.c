/* SPDX-License-Identifier: Apache-2.0 */

/* Which bucket would it be?
 * =========================
 *
 *     lb/choose GROUP FLOW
 *
 * Says which bucket a group would choose for the first packet of a flow, by
 * this switch's key.  The group need not exist: what it chooses depends on
 * nothing but its parameters and its buckets (lib/lb/maglev.h).  So this tells
 * what a change will do, or what a group did that has changed since.
 *
 * Changes nothing, and remembers nothing.  All buckets count as alive. */

#include <config.h>
#include "ofproto-ext/lb/lb-choose.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dp-packet.h"
#include "flow.h"
#include "lib/lb/lb-method.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-table.h"
#include "ofproto-ext/compat/compat-ofproto.h"
#include "ofproto-ext/lb/lb-fields.h"
#include "ofproto-ext/lb/lb-params.h"
#include "ofproto-ext/lb/lb-version.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "unixctl.h"
#include "util.h"

/* Fills in the buckets of 'lb' from those of 'gm', with their identities.  The
 * token of each is its place in that order, plus 1. */
static void
fill_buckets(struct lb_group *lb, const struct ofputil_group_mod *gm)
{
    struct ofputil_bucket *bucket;
    size_t n = 0;

    lb->n_buckets = ovs_list_size(&gm->buckets);
    lb->buckets = xcalloc(lb->n_buckets + 1, sizeof *lb->buckets);
    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        lb->buckets[n++].bucket = bucket;
    }
    lb_buckets_identify(lb);
    for (size_t i = 0; i < n; i++) {
        lb->buckets[i].token = i + 1;
    }
}

/* Builds the table of 'lb', whose key and fields are those of 'params', for
 * the caller to destroy.  Returns a positive errno value if that is not
 * possible. */
static int
build_table(const struct lb_group *lb, const struct lb_params *params,
            struct lb_table **tablep)
{
    const struct lb_table_config config = {
        .key = params->key,
        .input = params->input,
        .n_words = lb->n_words,
        .words = lb->words,
    };
    struct lb_member *members = xcalloc(lb->n_buckets + 1, sizeof *members);
    int error;

    for (size_t i = 0; i < lb->n_buckets; i++) {
        const struct lb_bucket *b = &lb->buckets[i];

        members[i] = (struct lb_member) { .id = b->id,
                                          .token = b->token,
                                          .weight = b->bucket->weight,
                                          .alive = true };
    }
    error = lb_table_build(members, lb->n_buckets, &config, tablep);
    free(members);
    return error;
}

/* Returns the choice of 'table' for a packet of 'flow'. */
static struct lb_choice
choose(const struct lb_table *table, const struct flow *flow)
{
    struct dp_packet *packet = dp_packet_new(0);
    struct lb_choice choice;

    compat_flow_compose(packet, flow, NULL, 64);
    pkt_metadata_from_flow(&packet->md, flow);
    choice = lb_explain(table, packet);
    dp_packet_delete(packet);
    return choice;
}

/* Stores in '*reply' what 'gm' would choose for 'flow'.  Returns null, or what
 * is wrong.  The caller must free both. */
static char *
choose_of_group(const struct ofputil_group_mod *gm, const struct flow *flow,
                char **reply)
{
    const struct lb_params params = lb_params_of_props(&gm->props);
    struct lb_ident ident = { .key = params.key };
    struct lb_group lb = { .ident = &ident };
    const char *refused = lb_fields_to_words(params.fields, lb.words,
                                             &lb.n_words);
    struct lb_table *table;
    char *error = NULL;
    int retval;

    if (refused) {
        return xasprintf("field %s cannot be hashed", refused);
    }
    fill_buckets(&lb, gm);
    retval = build_table(&lb, &params, &table);
    if (retval) {
        error = xasprintf("no table (%s)", ovs_strerror(retval));
    } else {
        struct lb_choice choice = choose(table, flow);

        *reply = (choice.token
                  ? xasprintf("hash 0x%016"PRIx64", slot %"PRIu32" of "
                              "%"PRIu32", bucket %"PRIu32"\n",
                              choice.hash, choice.slot, table->n_slots,
                              lb.buckets[choice.token - 1].bucket->bucket_id)
                  : xasprintf("hash 0x%016"PRIx64", no bucket\n",
                              choice.hash));
        lb_table_destroy(table);
    }
    free(lb.buckets);
    return error;
}

static void
lb_unixctl_choose(struct unixctl_conn *conn, int argc OVS_UNUSED,
                  const char *argv[], void *aux OVS_UNUSED)
{
    enum ofputil_protocol usable;
    struct ofputil_group_mod gm;
    char *reply = NULL, *error;
    struct flow flow;

    error = parse_ofp_group_mod_str(&gm, OFPGC11_ADD, argv[1], NULL, NULL,
                                    &usable);
    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    if (gm.type != OFPGT11_SELECT
        || !lb_method_is_known(gm.props.selection_method)) {
        error = xstrdup("the group is not one with selection_method=maglev, "
                        "maglev-teid or maglev-inner");
    } else if (!lb_explain) {
        error = xstrdup("no datapath has the action lb");
    } else {
        error = parse_ofp_exact_flow(&flow, NULL, NULL, argv[2], NULL);
    }
    if (!error) {
        error = choose_of_group(&gm, &flow, &reply);
    }
    ofputil_uninit_group_mod(&gm);
    if (error) {
        unixctl_command_reply_error(conn, error);
    } else {
        unixctl_command_reply(conn, reply);
    }
    free(error);
    free(reply);
}

void
lb_choose_init(void)
{
    unixctl_command_register("lb/choose", "group flow", 2, 2,
                             lb_unixctl_choose, NULL);
}
