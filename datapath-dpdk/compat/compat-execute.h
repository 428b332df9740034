/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_EXECUTE_H
#define COMPAT_EXECUTE_H 1

#include "odp-execute.h"
#include "ovs-features.h"

/* Prepares for odp_execute_actions(), where that is necessary: for a program
 * that has a datapath without ofproto. */
static inline void
compat_odp_execute_init(void)
{
#ifdef OVS_HAS_EXECUTE_INIT
    odp_execute_init();
#endif
}

#endif /* compat-execute.h */
