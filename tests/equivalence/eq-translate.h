/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_TRANSLATE_H
#define EQ_TRANSLATE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "tests/equivalence/eq-case.h"

struct flow;
struct flow_wildcards;
struct netdev;
struct ofpbuf;

/* Translation of a case's pipeline
 * ================================
 *
 * Takes the place of ofproto: finds the datapath actions for a packet, and the
 * bits that they depend on. */

#define EQ_LOCAL_IP 0xc0a80001   /* Ends of tunnels: 192.168.0.1, this... */
#define EQ_PEER_IP 0xc0a80002    /* ...and others, by key. */

/* The state that is different between sides, or changes. */
struct eq_pipeline {
    const struct eq_case *c;     /* With the leaves as they are now. */
    uint32_t groups[EQ_N_GROUPS]; /* Ids of their tables. */
    struct netdev *tunnels[EQ_N_TUNNELS];
    uint32_t neighbours;         /* Bitmap of tunnels' peers that are known. */
};

/* Puts the actions for 'flow' into 'actions', and the bits that they depend on
 * into '*wc'.  Returns false if the packet needs a neighbour that is not
 * known: then the actions drop it. */
bool eq_translate(const struct eq_pipeline *, const struct flow *flow,
                  struct flow_wildcards *wc, struct ofpbuf *actions);

#endif /* eq-translate.h */
