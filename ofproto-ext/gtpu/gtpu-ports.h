/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PORTS_H
#define GTPU_PORTS_H 1

/* Ports for GTP-U messages with TEID 0.  Any thread. */

#include <stdbool.h>

#include "openvswitch/types.h"

struct flow_tnl;

/* Finds the port with a fixed key that gets messages with TEID 0 and the
 * addresses in 'tnl'.  Stores its key in '*key', and in '*carries_ethernet'
 * whether it carries Ethernet.  Returns false if there is none. */
bool gtpu_ports_find(const struct flow_tnl *tnl, ovs_be64 *key,
                     bool *carries_ethernet);

#endif /* gtpu-ports.h */
