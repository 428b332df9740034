/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_METHOD_H
#define LB_METHOD_H 1

#include <stdbool.h>

/* Selection method "maglev"
 * =========================
 *
 * The name by which an OpenFlow controller asks for the load-balancing action,
 * in the NTR selection-method property of a select group.  What the group
 * does with it is in ofproto-ext/lb-group.h; the tools need only the name. */

/* Returns true if 'method', a string, names a selection method that this
 * project adds.  Any thread. */
bool lb_method_is_known(const char *method);

#endif /* lb-method.h */
