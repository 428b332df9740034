/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_METHOD_H
#define LB_METHOD_H 1

#include <stdbool.h>

#include "lib/lb/lb-table.h"

/* Selection methods of this project
 * =================================
 *
 * The names by which an OpenFlow controller asks for the load-balancing
 * action, in the NTR selection-method property of a select group:
 *
 *    - "maglev": spreads packets by their own fields.
 *
 *    - "maglev-teid": spreads GTP-U by its TEID, and other packets as "maglev"
 *      does.
 *
 *    - "maglev-inner": spreads GTP-U by fields of the packet inside, and other
 *      packets as "maglev" does.
 *
 * What the group does with them is in ofproto-ext/lb/lb-group.h and
 * datapath-dpdk/lb/lb-hash.h; the tools need only the names. */

/* Returns true if 'method', a string, names a selection method that this
 * project adds.  Any thread. */
bool lb_method_is_known(const char *method);

/* Returns false if 'method', a string, names a selection method that this
 * project adds, and messages of OpenFlow 'version' (as on the wire: 1 for 1.0,
 * 6 for 1.5) cannot carry it.  Open vSwitch's extension of 1.0 can.  Any
 * thread. */
bool lb_method_has_version(const char *method, int version);

/* A tool's message for that, with a group's number and method.  (Coccinelle
 * takes no string in two parts.) */
#define LB_METHOD_NEEDS_15 \
    "group %u: selection_method=%s needs OpenFlow 1.5: use -O OpenFlow15"

/* Returns what a group with selection method 'method', a string, hashes.  That
 * is LB_INPUT_PACKET for any that this project does not add.  Any thread. */
enum lb_input lb_method_input(const char *method);

/* Returns the name of the selection method that hashes 'input'.  Any
 * thread. */
const char *lb_method_name(enum lb_input input);

#endif /* lb-method.h */
