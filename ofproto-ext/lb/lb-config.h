/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_CONFIG_H
#define LB_CONFIG_H 1

/* Configuration of load balancing; see lb-config.c. */

void lb_config_init(void);

#endif /* lb-config.h */
