/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_OFPROTO_H
#define COMPAT_OFPROTO_H 1

/* What differs between releases of Open vSwitch for the main thread. */

#include "flow.h"
#include "ovs-features.h"

/* As flow_compose(), with right checksums. */
static inline void
compat_flow_compose(struct dp_packet *packet, const struct flow *flow,
                    const void *l7, size_t l7_len)
{
#ifdef OVS_HAS_COMPOSE_BAD_CSUM
    flow_compose(packet, flow, l7, l7_len, false);
#else
    flow_compose(packet, flow, l7, l7_len);
#endif
}

#endif /* compat-ofproto.h */
