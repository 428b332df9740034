/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_BUNDLE_H
#define OF_BUNDLE_H 1

/* Sending changes to the switch, in bundles
 * =========================================
 *
 * A bundle holds whole epochs of dirty items and is atomic: the switch takes
 * all of it or nothing.  The next bundle is filled while the switch works on
 * the one before, and is committed only after that one was: when the switch
 * refuses one, those after it, which may need it, are discarded.  All of their
 * items are sent again, in the same order.
 *
 * When the switch refuses a bundle and names the message, the owner of that
 * item is refused.  When it does not, the next bundles get smaller until one
 * epoch is left, and then the owner of that one is refused.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include "openvswitch/ofp-errors.h"

struct of_sync;
struct ofp_header;

void of_bundle_run(struct of_sync *);
void of_bundle_wait(struct of_sync *);
bool of_bundle_reply(struct of_sync *, const struct ofp_header *);
void of_bundle_error(struct of_sync *, const struct ofp_header *,
                     enum ofperr);
void of_bundle_forget(struct of_sync *);
void of_bundle_destroy(struct of_sync *);

#endif /* of-bundle.h */
