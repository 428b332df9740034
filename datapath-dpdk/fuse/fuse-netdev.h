/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_NETDEV_H
#define FUSE_NETDEV_H 1

/* For lib/dpif-netdev.c alone: a function that it hands to fuse_init() before
 * it defines it. */

static bool dp_execute_output_action(struct dp_netdev_pmd_thread *,
                                     struct dp_packet_batch *,
                                     bool should_steal, odp_port_t);

#endif /* fuse-netdev.h */
