// SPDX-License-Identifier: Apache-2.0
//
// Hooks that mend faults of some releases of Open vSwitch.

// include: datapath-dpdk/compat/compat-hooks.h

// hook compat_prepare_to_cut: lib/dpif-netdev.c, 5, >=3.3
@compat_prepare_to_cut@
expression batch;
@@
+compat_prepare_to_cut(batch);
 dp_packet_batch_apply_cutlen(batch);
