/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SEND_H
#define OF_SEND_H 1

/* Requests to the switch
 * ======================
 *
 * Thread-safety: as of-sync.h. */

#include "openvswitch/types.h"

struct of_sync;
struct ofpbuf;

ovs_be32 of_send(struct of_sync *, struct ofpbuf *);

#endif /* of-send.h */
