/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H 1

/* Options of the switch
 * =====================
 *
 * Ties a table of options (lib/options/options.h) to Open vSwitch: the values
 * come from a column of the database, errors go to the log, and a command
 * shows what is in effect.  Main thread. */

#include <stdbool.h>

struct option_set;
struct smap;
struct unixctl_conn;
struct vlog_module;

/* Makes 'set' follow the column 'other_config'.  What is wrong there is logged
 * as of 'module', after the text 'where', which says whose column it is and
 * may be empty.  Ignores the keys for which 'ignores' returns true, unless it
 * is null. */
void config_options_follow(struct option_set *set,
                           const struct smap *other_config, const char *where,
                           bool (*ignores)(const char *key),
                           struct vlog_module *module);

/* Replies to 'conn' with the values in effect of 'set': as text, or as JSON if
 * the client wants that. */
void config_options_reply(struct unixctl_conn *conn,
                          const struct option_set *set);

#endif /* config-options.h */
