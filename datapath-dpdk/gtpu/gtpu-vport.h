/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_VPORT_H
#define GTPU_VPORT_H 1

/* The configured ports of type "gtpu"
 * ===================================
 *
 * Thread-safety: the main thread publishes, PMD threads read, and both share
 * only atomic counters. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/gtpu/gtpu-drop.h"
#include "datapath-dpdk/gtpu/gtpu-options.h"

struct netdev;

/* What the ports of type "gtpu" carry, of all bridges together. */
struct gtpu_carried {
    bool l3;                    /* Some port takes IP packets, or there is no
                                 * port. */
    bool l2;                    /* Some port takes Ethernet frames. */
};

/* PMD thread. */
struct gtpu_carried gtpu_vport_carried(void);

/* Returns the options of the port 'netdev' without 'path', which is all zeros.
 * Any thread; takes no lock. */
struct gtpu_port_options gtpu_vport_options(const struct netdev *netdev);

/* Returns the counter from which the port 'netdev' takes its sequence numbers.
 * Any thread. */
uint16_t gtpu_vport_seq_slot(const struct netdev *netdev);

/* Returns the next number of counter 'slot'.  Any 'slot' is valid.  PMD
 * thread. */
uint16_t gtpu_vport_next_seq(uint16_t slot);

/* Stores in 'n' the drops of the port 'netdev' by reason.  Main thread. */
void gtpu_vport_get_drops(const struct netdev *netdev,
                          unsigned long long int n[GTPU_N_DROPS]);

/* Calls 'cb' for each port, in no order.  Main thread. */
void gtpu_vport_for_each(void (*cb)(const struct netdev *, void *aux),
                         void *aux);

#endif /* gtpu-vport.h */
