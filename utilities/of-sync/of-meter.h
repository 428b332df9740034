/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_METER_H
#define OF_METER_H 1

/* The meters of of-sync
 * =====================
 *
 * They limit the packets of "controller" actions that name them, and of flows
 * that do.  All have one rate, so that nobody needs to say which of them is in
 * use.  A switch without meters does without: a warning says so.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/ofp-errors.h"
#include "openvswitch/types.h"

struct of_sync;
struct ofp_header;

/* A request to have a meter, while it is under way. */
struct of_meter {
    ovs_be32 add_xid, modify_xid;   /* 0: none. */
};

uint32_t of_meter_count(const struct of_sync *);
void of_meter_start(struct of_sync *);
bool of_meter_retry(struct of_sync *);
bool of_meter_error(struct of_sync *, const struct ofp_header *,
                    enum ofperr);
uint32_t of_meter_id(const struct of_sync *);

#endif /* of-meter.h */
