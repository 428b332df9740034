/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/unit/memory-netdev.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct memory_netdev {
    struct netdev up;
    _Atomic(enum netdev_flags) flags;
    uint32_t number;
};

static struct memory_netdev *
memory_netdev_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct memory_netdev, up);
}

uint32_t
memory_netdev_number(const struct netdev *netdev)
{
    return memory_netdev_cast(netdev)->number;
}

struct netdev *
memory_netdev_alloc(void)
{
    struct memory_netdev *device = xzalloc(sizeof *device);

    return &device->up;
}

int
memory_netdev_construct(struct netdev *netdev)
{
    struct memory_netdev *device = memory_netdev_cast(netdev);
    const char *name = netdev_get_name(netdev);

    device->flags = NETDEV_UP;
    device->number = name[strlen(name) - 1] - '0';
    return 0;
}

void
memory_netdev_destruct(struct netdev *netdev OVS_UNUSED)
{
}

void
memory_netdev_dealloc(struct netdev *netdev)
{
    free(memory_netdev_cast(netdev));
}

int
memory_netdev_update_flags(struct netdev *netdev, enum netdev_flags off,
                           enum netdev_flags on, enum netdev_flags *old)
{
    struct memory_netdev *device = memory_netdev_cast(netdev);

    *old = device->flags;
    device->flags = (*old & ~off) | on;
    return 0;
}

int
memory_netdev_get_etheraddr(const struct netdev *netdev OVS_UNUSED,
                            struct eth_addr *mac)
{
    *mac = eth_addr_zero;
    return 0;
}

struct netdev_rxq *
memory_netdev_rxq_alloc(void)
{
    return xzalloc(sizeof(struct netdev_rxq));
}

int
memory_netdev_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

void
memory_netdev_rxq_destruct(struct netdev_rxq *rxq OVS_UNUSED)
{
}

void
memory_netdev_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq);
}

void
memory_netdev_rxq_wait(struct netdev_rxq *rxq OVS_UNUSED)
{
}
