/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_KERNEL_H
#define NODE_KERNEL_H 1

/* Numbers of ours in the kernel
 * =============================
 *
 * 110 is the letter "n". */

/* Protocol of our routes (RTPROT_*), addresses (IFAPROT_*) and policy rules.
 * It tells them from those of others, also after a restart. */
#define NODE_PROTOCOL 110

/* Routing table with the route of packets to node ports. */
#define NODE_TABLE 110

#endif /* node-kernel.h */
