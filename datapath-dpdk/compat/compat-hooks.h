/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_HOOKS_H
#define COMPAT_HOOKS_H 1

/* What the hooks that mend faults of Open vSwitch call
 * ====================================================
 *
 * The semantic patches in compat.cocci insert calls of this function into Open
 * vSwitch's lib/. */

struct dp_packet_batch;

/* Fills in the open checksums of the packets of 'batch' that are to be cut,
 * while the octets that they are over are there.  Open vSwitch 3.5 and 4.0
 * fill them in when the packet is sent, and read far beyond its end if it was
 * cut in front of its layer 4, or within its padding. */
void compat_prepare_to_cut(struct dp_packet_batch *batch);

#endif /* compat-hooks.h */
