/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_KEY_H
#define LB_KEY_H 1

#include "lib/hash/siphash.h"

/* The host's key; see lb-key.c. */

struct siphash_key lb_key_get(void);
int lb_key_rotate(void);

#endif /* lb-key.h */
