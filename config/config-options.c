/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/config-options.h"

#include <stdlib.h>

#include "compat/compat-unixctl.h"
#include "lib/options/options.h"
#include "openvswitch/vlog.h"
#include "smap.h"

void
config_options_follow(struct option_set *set, const struct smap *other_config,
                      const char *where, bool (*ignores)(const char *key),
                      struct vlog_module *module)
{
    const struct smap_node *node;

    option_set_begin(set);
    SMAP_FOR_EACH (node, other_config) {
        char *error = (ignores && ignores(node->key) ? NULL
                       : option_set_take(set, node->key, node->value));

        if (error) {
            vlog(module, VLL_WARN, "%sother_config:%s", where, error);
            free(error);
        }
    }
    option_set_end(set);
}

void
config_options_reply(struct unixctl_conn *conn, const struct option_set *set)
{
    char *text = option_set_format(set);
    char *json = option_set_json(set);

    compat_reply(conn, text, json);
    free(json);
    free(text);
}
