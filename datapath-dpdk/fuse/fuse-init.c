/* SPDX-License-Identifier: Apache-2.0 */

/* Start of the fused flow cache
 * ============================= */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-hooks.h"

#include "datapath-dpdk/fuse/fuse-config.h"
#include "datapath-dpdk/fuse/fuse-input.h"
#include "datapath-dpdk/fuse/fuse-show.h"
#include "lib/fuse/fuse-replay.h"
#include "ovs-thread.h"

/* Called once, before the first datapath is opened, with the function that
 * sends a batch to a port. */
void
fuse_init(fuse_output_func *output)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        fuse_input_init(output);
        fuse_shapes_init();
        fuse_config_init();
        fuse_show_init(fuse_replay_select());
        ovsthread_once_done(&once);
    }
}
