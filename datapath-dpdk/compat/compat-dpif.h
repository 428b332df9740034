/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_DPIF_H
#define COMPAT_DPIF_H 1

/* The userspace datapath's own structures in each release of Open vSwitch. */

#include "dpif.h"
#include "ovs-features.h"

#ifdef OVS_HAS_PRIVATE_DPIF
#include "dpif-netdev-private-dpif.h"
#include "dpif-netdev-private-flow.h"
#include "dpif-netdev-private-thread.h"
#else
#include "dpif-netdev-dfc.h"
#include "dpif-netdev-dpcls.h"
#include "dpif-netdev-flow.h"
#include "dpif-netdev-perf.h"
#include "dpif-netdev-thread.h"
#endif

/* Returns true if all megaflows of 'in_port' are for the simple match. */
static inline bool
compat_simple_match_enabled(struct dp_netdev_pmd_thread *pmd,
                            odp_port_t in_port)
{
#ifdef OVS_HAS_PRIVATE_DPIF
    return dp_netdev_simple_match_enabled(pmd, in_port);
#else
    return (ccmap_find(&pmd->n_flows, odp_to_u32(in_port))
            == ccmap_find(&pmd->n_simple_flows, odp_to_u32(in_port)));
#endif
}

#endif /* compat-dpif.h */
