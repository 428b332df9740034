/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_CONFIGZ_H
#define PROXY_CONFIGZ_H 1

/* /configz: the configuration, as it is in force
 * ==============================================
 *
 * As kube-proxy has it: a JSON object with a member that has the component's
 * name.  In it are the options of the command line, by name, with the values
 * that are in force; null where an option is not in use.
 *
 * Attack model: whoever reaches the address may read it.  It has the names of
 * files, and no secret.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct ds;
struct proxy_options;
struct service_pipeline;

void proxy_configz_format(const struct proxy_options *,
                          const struct service_pipeline *, struct ds *);

#endif /* proxy-configz.h */
