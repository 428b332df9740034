/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_INPUT_H
#define FUSE_INPUT_H 1

/* Packets from a port
 * ===================
 *
 * See fuse-input.c. */

#include "datapath-dpdk/fuse/fuse-hooks.h"

void fuse_input_init(fuse_output_func *);

#endif /* fuse-input.h */
