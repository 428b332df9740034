/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_LIBRARY_H
#define COMPAT_LIBRARY_H 1

/* What differs between releases of Open vSwitch's library for programs. */

#include "daemon.h"
#include "flow.h"
#include "ovs-features.h"

/* As daemonize_start(), for a program that needs no access to a datapath. */
static inline void
compat_daemonize_start(void)
{
#ifdef OVS_HAS_DAEMONIZE_PORTS
    daemonize_start(false, false);
#else
    daemonize_start(false);
#endif
}

/* As flow_compose(), without payload, with right checksums. */
static inline void
compat_flow_compose(struct dp_packet *packet, const struct flow *flow)
{
#ifdef OVS_HAS_COMPOSE_BAD_CSUM
    flow_compose(packet, flow, NULL, 0, false);
#else
    flow_compose(packet, flow, NULL, 0);
#endif
}

#endif /* compat-library.h */
