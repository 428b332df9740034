/* SPDX-License-Identifier: Apache-2.0 */

/* Rules for groups of controllers that cannot ask
 * ================================================
 *
 * OpenFlow 1.1 to 1.4 have no place for a selection method.  So configuration
 * can give one, and all that belongs to it, to a range of group numbers:
 *
 *     other_config:lb-groups-FIRST-LAST=METHOD[,timeout=SECONDS][,seed=N]
 *         [,stage=N][,fields=FIELD+FIELD...][,bridge=NAME]
 *
 * A key for each range, so that one can be set and removed without a look at
 * the others.  Of rules that overlap, the one whose key sorts first counts.  A
 * rule that is wrong is told in the log and has no effect.
 *
 * Main thread. */

#include <config.h>
#include "ofproto-ext/lb/lb-rules.h"

#include <stdlib.h>
#include <string.h>

#include "lib/lb/lb-method.h"
#include "ofproto-ext/lb/lb-fields.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_rules);

#define KEY_PREFIX "lb-groups-"

struct lb_rule {
    uint32_t first, last;            /* Numbers of groups. */
    char *bridge;                    /* Or null: all. */
    struct field_array fields;
    struct lb_params params;         /* Its 'fields' are those above. */
};

static struct lb_rule **rules;
static size_t n_rules;

/* What 'rules' were made from. */
static char *config;

static void
destroy_rule(struct lb_rule *rule)
{
    free(rule->bridge);
    free(rule->fields.values);
    free(rule);
}

static void
destroy_rules(void)
{
    for (size_t i = 0; i < n_rules; i++) {
        destroy_rule(rules[i]);
    }
    free(rules);
    rules = NULL;
    n_rules = 0;
}

/* Parses 'value', names of fields with "+" between them, into 'rule'.  Returns
 * null, or an error message for the caller to free. */
static char *
parse_fields(char *value, struct lb_rule *rule)
{
    struct lb_hash_word words[LB_TABLE_MAX_WORDS];
    char *save = NULL;
    size_t n_words;

    if (!*value) {
        return xstrdup("fields: none is named");
    }
    for (char *name = strtok_r(value, "+", &save); name;
         name = strtok_r(NULL, "+", &save)) {
        const struct mf_field *mf = mf_from_name(name);
        union mf_value mask;

        if (!mf) {
            return xasprintf("%s: no such field", name);
        }
        memset(&mask, 0xff, sizeof mask);
        field_array_set(mf->id, &mask, &rule->fields);
        if (lb_fields_to_words(&rule->fields, words, &n_words)) {
            return xasprintf("%s: cannot be hashed", name);
        }
    }
    return NULL;
}

/* Parses 'value' as the value of option 'name' into 'rule'.  Returns null, or
 * an error message for the caller to free. */
static char *
parse_option(const char *name, char *value, struct lb_rule *rule)
{
    if (!value) {
        return xasprintf("%s: no value", name);
    } else if (!strcmp(name, "timeout")) {
        return (value[strspn(value, "0123456789")]
                || !str_to_uint(value, 10, &rule->params.timeout)
                || rule->params.timeout > LB_MAX_TIMEOUT
                ? xasprintf("timeout=%s: not from 0 to %d", value,
                            LB_MAX_TIMEOUT) : NULL);
    } else if (!strcmp(name, "seed")) {
        return (value[strspn(value, "0123456789")]
                || !str_to_uint(value, 10, &rule->params.seed)
                ? xasprintf("seed=%s: not a number of 32 bits", value) : NULL);
    } else if (!strcmp(name, "stage")) {
        unsigned int stage;

        if (value[strspn(value, "0123456789")]
            || !str_to_uint(value, 10, &stage) || stage > LB_MAX_STAGE) {
            return xasprintf("stage=%s: not from 0 to %d", value,
                             LB_MAX_STAGE);
        }
        rule->params.stage = stage;
        return NULL;
    } else if (!strcmp(name, "fields")) {
        return parse_fields(value, rule);
    } else if (!strcmp(name, "bridge")) {
        free(rule->bridge);
        rule->bridge = xstrdup(value);
        return NULL;
    }
    return xasprintf("%s: no such option", name);
}

/* Parses 'key' and 'value' of other_config into 'rule'.  Returns null, or an
 * error message for the caller to free. */
static char *
parse_rule(const char *key, char *value, struct lb_rule *rule)
{
    char *save = NULL;
    const char *method = strtok_r(value, ",", &save);
    int n = 0;

    if (!ovs_scan(key, KEY_PREFIX"%"SCNu32"-%"SCNu32"%n", &rule->first,
                  &rule->last, &n)
        || key[n] || rule->first > rule->last) {
        return xstrdup("the key is not "KEY_PREFIX"FIRST-LAST");
    }
    if (!method || !lb_method_is_known(method)) {
        return xasprintf("%s: no such selection method",
                         method ? method : "(empty)");
    }
    rule->params.input = lb_method_input(method);
    rule->params.fields = &rule->fields;
    for (char *option = strtok_r(NULL, ",", &save); option;
         option = strtok_r(NULL, ",", &save)) {
        char *equals = strchr(option, '=');

        if (equals) {
            *equals++ = '\0';
        }

        char *error = parse_option(option, equals, rule);

        if (error) {
            return error;
        }
    }
    return NULL;
}

static void
add_rule(const char *key, const char *value)
{
    struct lb_rule *rule = xzalloc(sizeof *rule);
    char *copy = xstrdup(value);
    char *error = parse_rule(key, copy, rule);

    free(copy);
    if (error) {
        VLOG_WARN("other_config:%s=%s has no effect: %s", key, value, error);
        free(error);
        destroy_rule(rule);
        return;
    }
    rules = xrealloc(rules, (n_rules + 1) * sizeof *rules);
    rules[n_rules++] = rule;
}

/* Returns true if 'key' of other_config is that of a rule, be it a valid
 * one. */
bool
lb_rules_has_key(const char *key)
{
    return !strncmp(key, KEY_PREFIX, strlen(KEY_PREFIX));
}

/* Follows 'other_config'.  Returns false if nothing has changed.  If something
 * has, the caller has all groups let go of the old rules before, when 'apply'
 * is false, and take the new ones after, when it is true. */
bool
lb_rules_set(const struct smap *other_config, bool apply)
{
    const struct smap_node **nodes = smap_sort(other_config);
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool changed;

    for (size_t i = 0; i < smap_count(other_config); i++) {
        if (lb_rules_has_key(nodes[i]->key)) {
            ds_put_format(&ds, "%s=%s\n", nodes[i]->key, nodes[i]->value);
        }
    }
    changed = strcmp(ds_cstr(&ds), config ? config : "");
    if (changed) {
        destroy_rules();
    }
    if (changed && apply) {
        for (size_t i = 0; i < smap_count(other_config); i++) {
            if (lb_rules_has_key(nodes[i]->key)) {
                add_rule(nodes[i]->key, nodes[i]->value);
            }
        }
        free(config);
        config = ds_steal_cstr(&ds);
    } else {
        ds_destroy(&ds);
    }
    free(nodes);
    return changed;
}

/* Returns what a rule has 'group' do, whose own selection method is not ours,
 * or null if there is no rule for it.  Valid until the configuration
 * changes. */
const struct lb_params *
lb_rules_find(const struct ofgroup *group)
{
    for (size_t i = 0; i < n_rules; i++) {
        const struct lb_rule *rule = rules[i];

        if (group->group_id >= rule->first && group->group_id <= rule->last
            && (!rule->bridge
                || !strcmp(rule->bridge, group->ofproto->name))) {
            return &rule->params;
        }
    }
    return NULL;
}
