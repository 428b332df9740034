/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PORT_H
#define SERVICE_PORT_H 1

/* Flows and groups for one port of a Service
 * ==========================================
 *
 * They depend only on that port, on "struct service_tables", and on what the
 * class grants.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stdint.h>
#include "service-tables.h"

struct service_flows;

/* No IP protocol: see "struct service_flows_class". */
#define CLAIM_SOURCES 255

/* What a Service must share with others: ids of groups, and addresses with
 * ports. */
struct service_flows_class {
    bool (*group_id)(const char *name, uint32_t *id, void *aux);
    /* Returns true if the Service may have this port of this address (or
     * range, for node ports).  Port 0 stands for fragments of 'protocol' that
     * show no port.  Protocol 0 stands for all other ports of the address,
     * CLAIM_SOURCES for its ranges of sources. */
    bool (*claim)(const struct kube_cidr *, uint8_t protocol,
                  uint16_t port, void *aux);
};

void service_flows_add_port(struct service_flows *,
                            const struct service_tables *,
                            const struct service_port *,
                            const struct service_flows_class *, void *aux);

#endif /* service-port.h */
