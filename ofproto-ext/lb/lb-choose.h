/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_CHOOSE_H
#define LB_CHOOSE_H 1

/* Registers the command "lb/choose"; see lb-choose.c. */

void lb_choose_init(void);

#endif /* lb-choose.h */
