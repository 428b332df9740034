/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_CONFIG_H
#define FUSE_CONFIG_H 1

/* See fuse-config.c. */

void fuse_config_init(void);

#endif /* fuse-config.h */
