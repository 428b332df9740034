/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_FIELDS_H
#define EQ_FIELDS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "tests/equivalence/eq-case.h"

struct flow;
struct flow_wildcards;

/* Fields of packets, and the bits that their values depend on. */

bool eq_is_ip(const struct flow *);
bool eq_has_ports(const struct flow *);

/* Returns true if 'flow' has 'field'.  Adds the bits that say so to 'wc'. */
bool eq_has_field(const struct flow *flow, enum eq_field field,
                  struct flow_wildcards *wc);

/* Returns the value of 'field' of 'flow', and adds the bits of 'mask' to
 * 'wc'. */
uint32_t eq_get_field(const struct flow *flow, enum eq_field field,
                      uint32_t mask, struct flow *wc);

#endif /* eq-fields.h */
