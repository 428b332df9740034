/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PUSH_H
#define GTPU_PUSH_H 1

/* Messages other than G-PDUs that a tunnel port sends.  PMD thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct ovs_action_push_tnl;

/* Returns true if 'data', the header of a GTP-U tunnel, turns a packet into a
 * G-PDU by nothing but the header before it.  PMD thread. */
bool gtpu_vport_pushes_g_pdu(const struct ovs_action_push_tnl *data);

/* Replaces the content of 'packet' by the payload of a message of 'msg_type',
 * which gtpu_vport_may_push() allowed.  Returns the sequence number of an Echo
 * Request, otherwise 0. */
uint16_t gtpu_push_payload(struct dp_packet *packet, uint8_t msg_type);

/* Writes the source port of the G-PDU that 'packet' came in to 'gtpu', the
 * header of 'hdr_len' octets of an Error Indication.  The port is its last
 * extension header. */
void gtpu_push_udp_port(const struct dp_packet *packet, uint8_t *gtpu,
                        size_t hdr_len);

#endif /* gtpu-push.h */
