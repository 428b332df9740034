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

/* Returns what a group with selection method 'method', a string, hashes.  That
 * is LB_INPUT_PACKET for any that this project does not add.  Any thread. */
enum lb_input lb_method_input(const char *method);

#endif /* lb-method.h */
