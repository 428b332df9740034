/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_PORTS_H
#define PROXY_PORTS_H 1

/* Source ports for masqueraded packets
 * ====================================
 *
 * Masqueraded packets have the node's address.  The node's kernel gives source
 * ports of that address to connections of its own.  If both used one port
 * toward one endpoint, answers to the node would be translated and sent to a
 * client.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stdint.h>

bool proxy_ports_choose(bool local, uint16_t *min, uint16_t *max);

#endif /* proxy-ports.h */
