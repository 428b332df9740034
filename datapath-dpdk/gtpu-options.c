/* SPDX-License-Identifier: Apache-2.0 */

/* Options of ports of type "gtpu" that no other type has */

#include <config.h>
#include "datapath-dpdk/datapath-hooks.h"

#include <errno.h>
#include <string.h>

#include "datapath-dpdk/gtpu-vport.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "util.h"

bool
gtpu_option_is_known(const struct netdev *netdev, const char *key)
{
    return (!strcmp(netdev_get_type(netdev), "gtpu")
            && (!strcmp(key, "qfi") || !strcmp(key, "pdu_type")));
}

char *
gtpu_options_parse(const struct smap *args, struct gtpu_port_options *options)
{
    const char *dst_port = smap_get(args, "dst_port");
    const char *pdu_type = smap_get(args, "pdu_type");
    const char *qfi = smap_get(args, "qfi");

    memset(options, 0, sizeof *options);
    if (dst_port) {
        int port;

        if (!str_to_int(dst_port, 10, &port) || port != GTPU_UDP_PORT) {
            return xasprintf("dst_port=%s, but GTP-U has port %d only",
                             dst_port, GTPU_UDP_PORT);
        }
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
gtpu_vport_get_options(const struct netdev *netdev, struct smap *args)
{
    struct gtpu_port_options options = gtpu_vport_options(netdev);

    if (options.has_qfi) {
        smap_add_format(args, "qfi", "%d", options.qfi);
    }
    if (options.has_pdu_type) {
        smap_add(args, "pdu_type",
                 options.pdu_type == GTPU_PSC_UL ? "ul" : "dl");
    }
}
