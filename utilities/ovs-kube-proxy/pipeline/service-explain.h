/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_EXPLAIN_H
#define SERVICE_EXPLAIN_H 1

/* Which endpoint serves a connection
 * ==================================
 *
 * Only the switch knows: its connection tracker has the connections, and its
 * key decides about new ones.  These functions make the questions, read what
 * the switch answers, and add what the program knows.
 *
 * Attack model: the switch's answers are text of any kind.  What is not as
 * expected means that the endpoint is not known.
 *
 * Ports are in host byte order; IPv4 addresses are v4-mapped.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

struct ds;
struct service_pipeline;

/* As the client has it. */
struct service_connection {
    uint8_t protocol;           /* IPPROTO_TCP, _UDP or _SCTP. */
    struct in6_addr src, dst;
    uint16_t sport, dport;
};

/* What becomes of it. */
struct service_outcome {
    enum {
        SERVICE_UNKNOWN,
        SERVICE_TRACKED,        /* The switch tracks it. */
        SERVICE_CHOSEN,         /* A new one would meet 'group_id'. */
        SERVICE_PART,           /* Then it would meet 'group_id', too. */
        SERVICE_NEW,            /* A new one would go to the endpoint. */
        SERVICE_NO_CHOICE,      /* A new one would meet no group. */
    } kind;
    struct in6_addr addr;       /* The endpoint's, if tracked or new. */
    uint16_t port;
    uint32_t group_id, token;   /* The group that a new one meets, and the
                                 * bucket's token in the switch. */
    bool in_part;               /* Has there been SERVICE_PART? */
    char *why;                  /* What the switch says, or null. */
};

char *service_connection_parse(const char *protocol, const char *src,
                               const char *dst, struct service_connection *);
uint16_t service_explain_zone(const struct service_pipeline *);
char *service_explain_flow(const struct service_connection *);
char *service_explain_actions(const struct service_pipeline *,
                              const struct service_outcome *);
void service_explain_tracked(const struct service_connection *,
                             const char *dump, struct service_outcome *);
void service_explain_traced(const char *trace, struct service_outcome *);
void service_explain_chosen(const struct service_pipeline *,
                            const char *show, struct service_outcome *);
void service_explain_format(const struct service_pipeline *,
                            const struct service_connection *,
                            const struct service_outcome *, struct ds *);
void service_explain_format_address(const struct service_outcome *,
                                    struct ds *);
void service_explain_format_endpoint(const struct service_pipeline *,
                                     const char *key,
                                     const struct service_outcome *,
                                     struct ds *);

#endif /* service-explain.h */
