/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_POD_H
#define NODE_POD_H 1

/* A pod's port, out of the database
 * =================================
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>

struct node_pod;
struct ovsrec_interface;

bool node_pod_read(struct node_pod *, const struct ovsrec_interface *);

#endif /* node-pod.h */
