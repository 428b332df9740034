/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_HOOKS_H
#define COMPAT_HOOKS_H 1

/* Hooks that mend faults of Open vSwitch
 * ======================================
 *
 * The semantic patches in compat.cocci insert calls of this function into Open
 * vSwitch's lib/. */

struct dp_packet_batch;

/* Fills in checksums that were left open in the packets of 'batch' that are
 * about to be cut.  Open vSwitch 3.5 and 4.0 do so later, when a packet is
 * sent.  By then a packet may have lost the octets that the checksum covers:
 * if it was cut in front of its layer 4, or within its padding, they read far
 * beyond its end.  PMD thread. */
void compat_prepare_to_cut(struct dp_packet_batch *batch);

#endif /* compat-hooks.h */
