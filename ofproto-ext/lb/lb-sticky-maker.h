/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_STICKY_MAKER_H
#define LB_STICKY_MAKER_H 1

#include <stdbool.h>
#include <stddef.h>

/* Makes the table of sticky flows; see lb-sticky-maker.c. */

/* Entries, of 16 bytes each, unless configured. */
#define LB_MAKER_DEFAULT_ENTRIES 1048576

void lb_maker_configure(size_t n_entries, const char *pmd_cpu_mask);
int lb_maker_need_table(void);
bool lb_maker_has_table(void);
bool lb_maker_is_moving(void);

#endif /* lb-sticky-maker.h */
