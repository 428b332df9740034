/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_KERNEL_H
#define NODE_KERNEL_H 1

/* What tells our things in the kernel from those of others
 * ========================================================
 *
 * Both numbers stand for "n". */

/* Protocol of our routes (RTPROT_*), addresses (IFAPROT_*) and policy rules,
 * by which an earlier run's are known. */
#define NODE_PROTOCOL 110

/* Table of the route that packets to node ports from outside take. */
#define NODE_TABLE 110

#endif /* node-kernel.h */
