/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SWITCH_ASK_H
#define SWITCH_ASK_H 1

/* Asks ovs-vswitchd a command
 * ===========================
 *
 * As ovs-appctl does, but without waiting: the answer comes in a later turn of
 * the poll loop.
 *
 * Limits: a question without an answer fails after SWITCH_ASK_MS.
 *
 * Attack model: whoever owns the switch's socket may answer anything.  What is
 * no text counts as an error.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>

struct switch_ask;

#define SWITCH_ASK_MS 10000

struct switch_ask *switch_ask_start(const char *rundir, const char *command,
                                    const char *const args[]);
bool switch_ask_run(struct switch_ask *, char **reply, char **error);
void switch_ask_wait(struct switch_ask *);
void switch_ask_destroy(struct switch_ask *);

#endif /* switch-ask.h */
