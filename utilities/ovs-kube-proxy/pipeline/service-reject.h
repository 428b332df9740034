/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_REJECT_H
#define SERVICE_REJECT_H 1

/* Rejects connections to Services without endpoints
 * =================================================
 *
 * OpenFlow has no action that rejects a packet.  So flows send such packets
 * here, on a connection of their own, where they do not delay changes of
 * flows.  The answer is a TCP RST or an ICMP "port unreachable".  It leaves
 * the tables like any answer of the Service.
 *
 * Attack model: any client may send such packets, in any number and with any
 * content.  At most 'rate' a second are answered; the rest are dropped.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct metrics;
struct service_reject;

struct service_reject_options {
    const char *remote;         /* "unix:...", "tcp:...", "ssl:...". */
    int probe_interval;         /* Seconds. */
    uint16_t controller_id;     /* As in the flows. */
    uint8_t leave_table;        /* Table where answers start. */
    unsigned int reg;           /* Register that only our tables use. */
    unsigned int rate;          /* Answers a second. */
};

struct service_reject *service_reject_create(
    const struct service_reject_options *);
void service_reject_destroy(struct service_reject *);
void service_reject_run(struct service_reject *);
void service_reject_wait(struct service_reject *);
void service_reject_format_metrics(const struct service_reject *,
                                   const struct metrics *);

struct dp_packet *service_reject_compose(const void *packet, size_t size);

#endif /* service-reject.h */
