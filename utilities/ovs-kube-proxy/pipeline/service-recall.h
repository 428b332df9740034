/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_RECALL_H
#define SERVICE_RECALL_H 1

/* Which endpoint a connection of the past was sent to
 * ====================================================
 *
 * The journal of the store knows which Service had the address then, and with
 * which endpoints and weights.  The groups are made of these once more, and
 * the switch, which has the key, says what such a group chooses:
 *
 *     error = service_recall_create(p, &c, when, &recall);
 *     while (service_recall_question(recall, &group, &flow)) {
 *         ...ask "lb/choose" 'group' 'flow'...
 *         service_recall_answer(recall, reply);
 *     }
 *     service_recall_format(p, recall, &s);
 *
 * This is about connections that began at that time.  What depends on the node
 * is taken as it is now: its addresses, and which addresses are pods'.  If two
 * Services wanted the address, the one that had it for longer counts.
 *
 * Attack model: as service-explain.h.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>

struct ds;
struct service_connection;
struct service_outcome;
struct service_pipeline;
struct service_recall;

/* Stores in '*recallp' what is known of 'c' at 'when', in ms since 1970, for
 * the caller to destroy.  Returns null, or why nothing is known, for the
 * caller to free. */
char *service_recall_create(const struct service_pipeline *,
                            const struct service_connection *c,
                            long long int when,
                            struct service_recall **recallp);
void service_recall_destroy(struct service_recall *);

/* Stores the arguments of "lb/choose" in '*group' and '*flow', for the caller
 * to free, or returns false if no question is left. */
bool service_recall_question(const struct service_recall *,
                             char **group, char **flow);

/* Takes what the switch says. */
void service_recall_answer(struct service_recall *, const char *reply);

/* Notes that the switch does not answer because of 'why', which becomes the
 * recall's. */
void service_recall_give_up(struct service_recall *, char *why);

/* Notes where the connection is by what the switch tracks now. */
void service_recall_tracked(struct service_recall *,
                            const struct service_outcome *);

/* Appends the answer, in lines. */
void service_recall_format(const struct service_pipeline *,
                           const struct service_recall *, struct ds *);

#endif /* service-recall.h */
