/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MEMORY_NETDEV_H
#define MEMORY_NETDEV_H 1

/* A network device for tests in one process
 * =========================================
 *
 * Has no Ethernet address and one receive queue, and is up from the start.  A
 * test makes a class of its own that says what is received and sent:
 *
 *     static const struct netdev_class class = {
 *         MEMORY_NETDEV_BASE,
 *         .type = "fuse-test",
 *         .send = device_send,
 *         .rxq_recv = device_rxq_recv,
 *     };
 *
 * Thread-safety: any thread. */

#include <stdint.h>

#include "netdev-provider.h"

#define MEMORY_NETDEV_BASE \
    .alloc = memory_netdev_alloc, \
    .construct = memory_netdev_construct, \
    .destruct = memory_netdev_destruct, \
    .dealloc = memory_netdev_dealloc, \
    .update_flags = memory_netdev_update_flags, \
    .get_etheraddr = memory_netdev_get_etheraddr, \
    .rxq_alloc = memory_netdev_rxq_alloc, \
    .rxq_construct = memory_netdev_rxq_construct, \
    .rxq_destruct = memory_netdev_rxq_destruct, \
    .rxq_dealloc = memory_netdev_rxq_dealloc, \
    .rxq_wait = memory_netdev_rxq_wait

/* Returns the number of 'netdev': the digit at the end of its name. */
uint32_t memory_netdev_number(const struct netdev *netdev);

struct netdev *memory_netdev_alloc(void);
int memory_netdev_construct(struct netdev *);
void memory_netdev_destruct(struct netdev *);
void memory_netdev_dealloc(struct netdev *);
int memory_netdev_update_flags(struct netdev *, enum netdev_flags off,
                               enum netdev_flags on, enum netdev_flags *old);
int memory_netdev_get_etheraddr(const struct netdev *, struct eth_addr *);
struct netdev_rxq *memory_netdev_rxq_alloc(void);
int memory_netdev_rxq_construct(struct netdev_rxq *);
void memory_netdev_rxq_destruct(struct netdev_rxq *);
void memory_netdev_rxq_dealloc(struct netdev_rxq *);
void memory_netdev_rxq_wait(struct netdev_rxq *);

#endif /* memory-netdev.h */
