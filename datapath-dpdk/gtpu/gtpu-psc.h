/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_TNL_PSC_H
#define GTPU_TNL_PSC_H 1

/* PDU Session Containers in tunnel metadata */

#include <stdbool.h>

struct flow_tnl;
struct gtpu_psc;

/* Makes 'psc' the only option in 'tnl', in the datapath's format.  With a null
 * 'psc' there is none.  The caller has initialized 'tnl' as
 * pkt_metadata_init_tnl() does.  PMD thread. */
void gtpu_psc_to_tnl(const struct gtpu_psc *psc, struct flow_tnl *tnl);

/* Stores in '*psc' the container to send for 'tnl', in the format of
 * translation, and in '*present' whether there is one.  Returns 0, or EINVAL
 * if it is not valid.  Any thread. */
int gtpu_psc_from_tnl(const struct flow_tnl *tnl, struct gtpu_psc *psc,
                      bool *present);

#endif /* gtpu-psc.h */
