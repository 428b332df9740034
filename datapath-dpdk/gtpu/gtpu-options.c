/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-options.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "util.h"

bool
gtpu_option_is_known(const struct netdev *netdev, const char *key)
{
    static const char *const known[] = {
        "qfi", "pdu_type", "echo_interval", "echo_t3", "echo_n3", "echo_fast",
    };

    if (!strcmp(netdev_get_type(netdev), "gtpu")) {
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
            if (!strcmp(key, known[i])) {
                return true;
            }
        }
    }
    return false;
}

char *
gtpu_options_parse(const struct smap *args, struct gtpu_port_options *options)
{
    const char *dst_port = smap_get(args, "dst_port");
    const char *pdu_type = smap_get(args, "pdu_type");
    const char *remote_ip = smap_get(args, "remote_ip");
    const char *qfi = smap_get(args, "qfi");
    const char *error;

    memset(options, 0, sizeof *options);
    if (dst_port) {
        int port;

        if (!str_to_int(dst_port, 10, &port) || port != GTPU_UDP_PORT) {
            return xasprintf("dst_port=%s, but GTP-U has port %d only",
                             dst_port, GTPU_UDP_PORT);
        }
    }
    error = gtpu_path_config_parse(smap_get(args, "echo_interval"),
                                   smap_get(args, "echo_t3"),
                                   smap_get(args, "echo_n3"),
                                   smap_get(args, "echo_fast"),
                                   &options->path);
    if (error) {
        return xstrdup(error);
    } else if (options->path.interval
               && (!remote_ip || !strcmp(remote_ip, "flow"))) {
        return xstrdup("echo_interval needs a fixed remote_ip");
    }
    if (qfi && strcmp(qfi, "flow")) {
        unsigned int n;

        if (!str_to_uint(qfi, 0, &n) || n > GTPU_QFI_MAX) {
            return xasprintf("qfi=%s is not \"flow\" nor 0 to %d", qfi,
                             GTPU_QFI_MAX);
        }
        options->has_qfi = true;
        options->qfi = n;
    }
    if (pdu_type && strcmp(pdu_type, "flow")) {
        options->has_pdu_type = true;
        if (!strcmp(pdu_type, "ul")) {
            options->pdu_type = GTPU_PSC_UL;
        } else if (strcmp(pdu_type, "dl")) {
            return xasprintf("pdu_type=%s is not \"flow\", \"dl\" nor \"ul\"",
                             pdu_type);
        }
    }
    return NULL;
}

int
gtpu_options_check(const struct netdev *netdev, const struct smap *args,
                   struct ds *errors)
{
    struct gtpu_port_options options;
    char *error;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return 0;
    }
    error = gtpu_options_parse(args, &options);
    if (error) {
        ds_put_format(errors, "%s: %s\n", netdev_get_name(netdev), error);
        free(error);
        return EINVAL;
    }
    return 0;
}

void
gtpu_options_format(const struct gtpu_port_options *options, struct smap *args)
{
    if (options->has_qfi) {
        smap_add_format(args, "qfi", "%d", options->qfi);
    }
    if (options->has_pdu_type) {
        smap_add(args, "pdu_type",
                 options->pdu_type == GTPU_PSC_UL ? "ul" : "dl");
    }
    if (options->path.interval) {
        smap_add_format(args, "echo_interval", "%"PRIu32,
                        options->path.interval);
        smap_add_format(args, "echo_t3", "%"PRIu32, options->path.t3);
        smap_add_format(args, "echo_n3", "%"PRIu32, options->path.n3);
        if (options->path.fast) {
            smap_add(args, "echo_fast", "true");
        }
    }
}
