/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_CHAIN_H
#define FUSE_CHAIN_H 1

/* Chains of the fused flow cache
 * ==============================
 *
 * See fuse-chain.c. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dp_netdev_pmd_thread;
struct fuse_dp_chain;
struct fuse_program;
struct fuse_thread;
struct fuse_uses;

uint64_t fuse_epoch(const struct dp_netdev_pmd_thread *);
enum fuse_reason fuse_chain_get(struct fuse_thread *,
                                const struct fuse_uses *,
                                const struct fuse_program *,
                                const uint8_t *image, odp_port_t out_port,
                                struct fuse_dp_chain **);
bool fuse_chain_check(struct fuse_thread *, struct fuse_dp_chain *);
void fuse_chain_unref(struct fuse_thread *, struct fuse_dp_chain *);

/* The most that one call of fuse_chains_credit() credits. */
#define FUSE_CREDIT_MAX 128
void fuse_chains_credit(struct fuse_thread *, uint32_t n);

#endif /* fuse-chain.h */
