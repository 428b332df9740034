/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_METER_H
#define OF_METER_H 1

/* The one meter of of-sync
 * ========================
 *
 * It limits the packets of "controller" actions that name it.  A switch
 * without meters does without: a warning says so.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/ofp-errors.h"

struct of_sync;
struct ofp_header;

void of_meter_start(struct of_sync *);
bool of_meter_error(struct of_sync *, const struct ofp_header *,
                    enum ofperr);
uint32_t of_meter_id(const struct of_sync *);

#endif /* of-meter.h */
