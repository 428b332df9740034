/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SEND_H
#define OF_SEND_H 1

/* Requests to the switch
 * ======================
 *
 * Other files say when a request is sent; this one says what is in it.
 *
 * Thread-safety: as of-sync.h. */

#include <stdint.h>
#include "openvswitch/types.h"

struct of_bundle;
struct of_item;
struct of_sync;
struct of_value;
struct ofpbuf;

ovs_be32 of_send(struct of_sync *, struct ofpbuf *);
ovs_be32 of_send_control(struct of_sync *, const struct of_bundle *,
                         uint16_t type);
void of_send_item(struct of_sync *, struct of_bundle *, struct of_item *,
                  struct of_value *want);

#endif /* of-send.h */
