/* SPDX-License-Identifier: Apache-2.0 */

/* SCTP in the connection tracker
 * ==============================
 *
 * Open vSwitch's userspace connection tracker knew no ports of SCTP before
 * release 3.5: all associations of two hosts were one connection to it, and
 * NAT changed addresses only.  Here an association is a connection by its
 * ports, as in the kernel's datapath, and ports are translated.  Its state is
 * that of any protocol but TCP: established when both sides have sent.
 * Associations with several addresses are one connection for each pair.
 *
 * All of this is called by the connection tracker, in any thread. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include "conntrack.h"
#include "conntrack-private.h"
#include "dp-packet.h"
#include "packets.h"
#include "util.h"

/* Octets of an SCTP header that an ICMP error quotes at least. */
#define MIN_QUOTED 8

/* Sets the ports of 'key' from the 'size' octets of an SCTP packet at 'data'.
 * There must be a whole header or, if 'min_size' is not null, so many octets.
 * Returns false if it cannot be an SCTP packet (RFC 9260, section 3.1). */
bool
ct_sctp_extract(struct conn_key *key, const void *data, size_t size,
                const size_t *min_size)
{
    const struct sctp_header *sctp = data;

    if (OVS_UNLIKELY(size < (min_size ? MAX(*min_size, MIN_QUOTED)
                             : SCTP_HEADER_LEN))) {
        return false;
    }
    key->src.port = sctp->sctp_src;
    key->dst.port = sctp->sctp_dst;
    return key->src.port && key->dst.port;
}

/* Gives 'packet', whose SCTP header may be cut in the quotation of an ICMP
 * error, the ports of 'key' in reverse direction. */
void
ct_sctp_set_ports(struct dp_packet *packet, const struct conn_key *key)
{
    if (dp_packet_l4_size(packet) >= SCTP_HEADER_LEN) {
        packet_set_sctp_port(packet, key->dst.port, key->src.port);
    } else if (dp_packet_l4_size(packet) >= MIN_QUOTED) {
        struct sctp_header *sctp = dp_packet_l4(packet);

        sctp->sctp_src = key->dst.port;
        sctp->sctp_dst = key->src.port;
    }
}
