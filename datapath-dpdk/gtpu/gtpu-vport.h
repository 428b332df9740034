/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_VPORT_H
#define GTPU_VPORT_H 1

/* The tunnel type "gtpu", internals
 * =================================
 *
 * What the files gtpu-*.c of this folder share: reasons to drop, the outer
 * headers' checksum, and what is known of the configured ports.
 *
 * Source: 3GPP TS 29.281.  The GTP-U header itself is gtpu.h's business.
 *
 * Thread-safety: functions say "PMD thread" or "main thread".  PMD threads
 * only read what the main thread publishes, and share no more than atomic
 * counters.
 *
 * Attack model: see lib/gtpu/gtpu.h.  Here, too, no octet of a packet is read
 * before its length was checked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csum.h"
#include "lib/gtpu/gtpu-path.h"
#include "lib/gtpu/gtpu.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "packets.h"

struct flow_tnl;
struct gtpu_tunnel;
struct netdev;
struct netdev_tunnel_config;
struct ovs_action_push_tnl;
struct smap;

/* Why a packet is dropped, besides the errors of lib/gtpu/gtpu.h:
 * GTPU_DROP(enumerator, name, description).  Each is counted in
 * "gtpu_drop_<name>". */
#define GTPU_DROPS                                                          \
    GTPU_DROP(OUTER, outer, "outer headers incomplete or inconsistent")     \
    GTPU_DROP(FRAGMENT, fragment, "fragment of an outer packet")            \
    GTPU_DROP(IP_CSUM, ip_csum, "wrong checksum of the outer IPv4 header")  \
    GTPU_DROP(UDP_LENGTH, udp_length,                                       \
              "UDP length field inconsistent or exceeds the packet")        \
    GTPU_DROP(UDP_CSUM, udp_csum, "wrong UDP checksum")                     \
    GTPU_DROP(NO_SEQ, no_seq, "Echo Request without sequence number")       \
    GTPU_DROP(ECHO_OFF, echo_off, "Echo Request, and none is answered")     \
    GTPU_DROP(ECHO_LIMIT, echo_limit, "Echo Request beyond the rate limit") \
    GTPU_DROP(ERROR_LIMIT, error_limit,                                     \
              "Error Indication beyond the rate limit")                     \
    GTPU_DROP(NO_ERROR, no_error,                                           \
              "Error Indication, but not to the sender of a G-PDU")         \
    GTPU_DROP(RELAYED, relayed, "Echo Request of another node")             \
    GTPU_DROP(NO_ANSWER, no_answer,                                         \
              "to be answered, but not from one other host's address")      \
    GTPU_DROP(NO_ROUTE, no_route, "to be answered, but no bridge leads back") \
    GTPU_DROP(TOO_BIG, too_big,                                             \
              "packet too big for the length fields when encapsulated")     \
    GTPU_DROP(NOT_IP, not_ip,                                               \
              "neither IPv4 nor IPv6, to a port that carries IP")

/* GTPU_OK, an enum gtpu_error, or one of these. */
enum gtpu_drop {
    GTPU_DROP_NONE = GTPU_OK,
    GTPU_DROP_LAST_ERROR__ = GTPU_N_ERRORS - 1,
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) GTPU_DROP_##ENUM,
    GTPU_DROPS
#undef GTPU_DROP
    GTPU_N_DROPS,
    GTPU_TAKEN = GTPU_N_DROPS   /* Has been used up: not counted. */
};

/* Counts a dropped packet.  Any thread. */
void gtpu_drop_count(enum gtpu_drop);

/* Returns how many packets have been counted for 'drop', by all threads up to
 * some seconds ago.  Main thread. */
unsigned long long int gtpu_drop_read(enum gtpu_drop);

/* What a port's statistics count a drop as. */
enum gtpu_drop_kind {
    GTPU_RX_ERROR,              /* Received, and malformed. */
    GTPU_RX_DROPPED,            /* Received, and not wanted. */
    GTPU_TX_DROPPED,            /* Not sent. */
};
enum gtpu_drop_kind gtpu_drop_kind(enum gtpu_drop);

/* What was dropped of one port.  Any thread. */
struct gtpu_drops {
    atomic_ullong n[GTPU_N_DROPS];
};

/* Count a dropped packet, also for the port that it was from or for, if that
 * can be told; see gtpu-tunnel.c.  'tnl' is the metadata of a received packet,
 * as far as it is known: without FLOW_TNL_F_KEY the TEID is not.  'data' is
 * the header that a packet did not get.  GTPU_TAKEN is not counted.  PMD
 * thread. */
void gtpu_drop_rx(const struct flow_tnl *tnl, enum gtpu_drop);
void gtpu_drop_tx(const struct ovs_action_push_tnl *data, enum gtpu_drop);

/* Makes 'drops' count what is dropped of the tunnel that 'cfg' describes,
 * until gtpu_tunnel_remove(), which takes a null pointer, too.  'drops' must
 * remain for a grace period after that.  One thread at a time. */
struct gtpu_tunnel *gtpu_tunnel_add(const struct netdev_tunnel_config *cfg,
                                    struct gtpu_drops *drops);
void gtpu_tunnel_remove(struct gtpu_tunnel *);

/* Stores in 'n' what was dropped of the port 'netdev', by enum gtpu_drop.
 * Main thread. */
void gtpu_vport_get_drops(const struct netdev *netdev,
                          unsigned long long int n[GTPU_N_DROPS]);

/* Makes the command "gtpu/show" known.  See gtpu-show.c. */
void gtpu_show_init(void);

/* Calls 'cb' for each port, in no order.  Main thread. */
void gtpu_vport_for_each(void (*cb)(const struct netdev *, void *aux),
                         void *aux);

/* Returns the name of 'drop', without "gtpu_drop_", and a phrase for people.
 * Both are static strings. */
const char *gtpu_drop_name(enum gtpu_drop);
const char *gtpu_drop_description(enum gtpu_drop);

/* What the ports of type "gtpu" carry, all bridges together. */
struct gtpu_carried {
    bool l3;                    /* Some port takes IP packets, or none takes
                                 * anything. */
    bool l2;                    /* Some port takes Ethernet frames. */
};

/* PMD thread. */
struct gtpu_carried gtpu_vport_carried(void);

/* What a port's options say about what it sends. */
struct gtpu_port_options {
    bool has_qfi, has_pdu_type; /* Whether options:qfi and options:pdu_type
                                 * are there. */
    uint8_t qfi;                /* 0 to GTPU_QFI_MAX. */
    uint8_t pdu_type;           /* GTPU_PSC_DL or GTPU_PSC_UL. */
    struct gtpu_path_config path; /* What PMD threads do not see. */
};

/* Returns the options of the port 'netdev': all but 'path', for any thread;
 * and all, for the main thread. */
struct gtpu_port_options gtpu_vport_options(const struct netdev *netdev);
struct gtpu_port_options gtpu_vport_all_options(const struct netdev *netdev);

/* Returns the offset of the GTP-U header in a packet with the outer headers
 * that Open vSwitch builds: without IP options or IPv6 extension headers. */
static inline size_t
gtpu_header_offset(bool is_ipv6)
{
    return (ETH_HEADER_LEN + (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + UDP_HEADER_LEN);
}

/* Parses 'args', a port's column "options", into '*options'.  Returns a null
 * pointer, or what is wrong, which the caller frees.  See gtpu-options.c. */
char *gtpu_options_parse(const struct smap *args,
                         struct gtpu_port_options *options);

/* PDU Session Containers in tunnel metadata; see gtpu-psc.c.
 *
 * gtpu_psc_to_tnl() makes 'psc', or none if it is null, all the options in
 * 'tnl', in the datapath's format.  'tnl' must be as pkt_metadata_init_tnl()
 * leaves it.  PMD thread.
 *
 * gtpu_psc_from_tnl() stores in '*psc' the container that 'tnl', in the format
 * of translation, tells to send, and in '*present' whether there is one.
 * Returns 0, or EINVAL if that is no valid one. */
void gtpu_psc_to_tnl(const struct gtpu_psc *psc, struct flow_tnl *tnl);
int gtpu_psc_from_tnl(const struct flow_tnl *tnl, struct gtpu_psc *psc,
                      bool *present);

/* Returns which counter the port 'netdev' takes its sequence numbers from.
 * Any thread. */
uint16_t gtpu_vport_seq_slot(const struct netdev *netdev);

/* Returns the next number of counter 'slot', any number.  PMD thread. */
uint16_t gtpu_vport_next_seq(uint16_t slot);

/* Returns the ones' complement sum of the pseudo-header and the 'len' octets
 * at 'udp', a UDP header and its payload, in a packet whose IP header at 'l3'
 * is IPv6 if 'is_ipv6', IPv4 otherwise: the checksum to write if the field
 * was 0, and 0 if the checksum was right.  'len' is the UDP length, not what
 * the IP header says, which may be more. */
static inline ovs_be16
gtpu_udp_csum(const void *l3, bool is_ipv6, const struct udp_header *udp,
              uint16_t len)
{
    const struct ip_header *ip = l3;
    uint32_t sum;

    if (is_ipv6) {
        return packet_csum_upperlayer6(l3, udp, IPPROTO_UDP, len);
    }
    sum = csum_add32(0, get_16aligned_be32(&ip->ip_src));
    sum = csum_add32(sum, get_16aligned_be32(&ip->ip_dst));
    sum = csum_add16(sum, htons(IPPROTO_UDP));
    sum = csum_add16(sum, htons(len));
    return csum_finish(csum_continue(sum, udp, len));
}

#endif /* gtpu-vport.h */
