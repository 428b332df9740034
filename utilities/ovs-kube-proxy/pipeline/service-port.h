/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PORT_H
#define SERVICE_PORT_H 1

/* Flows and groups for one port of a Service
 * ==========================================
 *
 * They depend on that port and on "struct service_tables" alone.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stdint.h>
#include "service-tables.h"

struct service_flows;

/* What makes a Service differ from others and must be agreed with them: group
 * ids, and the addresses and ports that only one may have. */
struct service_flows_class {
    bool (*group_id)(const char *name, uint32_t *id, void *aux);
    /* May the Service have this address (and its length, for node ports) and
     * port?  Port 0 stands for fragments of 'protocol' that show no port, and
     * without a 'protocol' for the address as such. */
    bool (*claim)(const struct service_cidr *, uint8_t protocol,
                  uint16_t port, void *aux);
};

void service_flows_add_port(struct service_flows *,
                            const struct service_tables *,
                            const struct service_port *,
                            const struct service_flows_class *, void *aux);

#endif /* service-port.h */
