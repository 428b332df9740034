/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-cycles.h"

#include "datapath-dpdk/compat/compat-dpif.h"
#include "dpdk.h"

static uint64_t
get_cycles(struct dp_netdev_pmd_thread *pmd)
{
    return cycles_counter_update(&pmd->perf_stats);
}

fuse_cycles_func *fuse_cycles = get_cycles;
