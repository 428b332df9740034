/* SPDX-License-Identifier: Apache-2.0 */

/* GTP-U in the datapath action tnl_push, as text
 * ==============================================
 *
 *     gtpu(flags=0x34,msgtype=255,teid=0x7b,psc(type=1,qfi=9,rqi=0))
 *     gtpu(flags=0x32,msgtype=255,teid=0x7b,seq=3)
 *     gtpu(flags=0x36,msgtype=255,teid=0x7b,octets=00030085021009...)
 *
 * The part behind the TEID is shown in words if the words give the same octets
 * again, otherwise as octets.  "seq" is the number of the port's counter,
 * which stands in place of a sequence number. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include <inttypes.h>
#include <string.h>

#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-parse.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Returns true if 'spec' gives the 'hdr_len' octets at 'gtpu'. */
static bool
is_made_by(const struct gtpu_hdr_spec *spec, const uint8_t *gtpu,
           size_t hdr_len)
{
    uint8_t octets[GTPU_HLEN + GTPU_OPT_LEN + 2 * GTPU_EXT_UNIT];
    int n = gtpu_build_header(octets, sizeof octets, spec, 0);

    return (n >= 0 && n == hdr_len && octets[0] == gtpu[0]
            && !memcmp(octets + GTPU_HLEN, gtpu + GTPU_HLEN,
                       hdr_len - GTPU_HLEN));
}

/* Appends to 's' the header at 'gtpu', the last one in 'data', without its
 * closing parenthesis. */
void
gtpu_push_format(const struct ovs_action_push_tnl *data, const void *gtpu_,
                 struct ds *s)
{
    const uint8_t *gtpu = gtpu_;
    size_t ofs = gtpu - (const uint8_t *) data->header;
    size_t hdr_len = data->header_len > ofs ? data->header_len - ofs : 0;
    struct gtpu_header h;

    if (hdr_len < GTPU_HLEN) {
        ds_put_cstr(s, "gtpu(");
        return;
    }
    ds_put_format(s, "gtpu(flags=%#"PRIx8",msgtype=%"PRIu8",teid=0x%"PRIx32,
                  gtpu[0], gtpu[1],
                  ntohl(get_unaligned_be32((const ovs_be32 *) (gtpu + 4))));
    if (hdr_len == GTPU_HLEN) {
        return;
    }

    uint8_t copy[sizeof data->header];

    memcpy(copy, gtpu, hdr_len);
    if (!gtpu_set_length(copy, hdr_len, 0)
        && !gtpu_parse(copy, hdr_len, hdr_len, NULL, &h)) {
        const struct gtpu_hdr_spec spec = {
            .teid = h.teid,
            .msg_type = h.msg_type,
            .has_seq = h.has_seq,
            .seq = h.seq,
            .psc = h.has_psc ? &h.psc : NULL,
        };

        if (is_made_by(&spec, copy, hdr_len)) {
            if (h.has_seq) {
                ds_put_format(s, ",seq=%"PRIu16, h.seq);
            }
            if (h.has_psc) {
                ds_put_format(s, ",psc(type=%d,qfi=%d,rqi=%d",
                              h.psc.pdu_type, h.psc.qfi, h.psc.rqi);
                if (h.psc.has_ppi) {
                    ds_put_format(s, ",ppi=%d", h.psc.ppi);
                }
                ds_put_char(s, ')');
            }
            return;
        }
    }
    ds_put_cstr(s, ",octets=0x");
    for (size_t i = GTPU_HLEN; i < hdr_len; i++) {
        ds_put_format(s, "%02"PRIx8, gtpu[i]);
    }
}

/* Parses the hexadecimal digits at 's' into at most 'size' octets at 'p'.
 * Returns the number of octets and adds the number of characters to '*n'. */
static int
parse_octets(const char *s, uint8_t *p, size_t size, int *n)
{
    size_t len = 0;
    bool ok = true;

    while (len < size) {
        uintmax_t octet = hexits_value(s + 2 * len, 2, &ok);

        if (!ok) {
            break;
        }
        p[len++] = octet;
    }
    *n += 2 * len;
    return len;
}

/* Returns true if 's' begins with a UDP header and a GTP-U header. */
bool
gtpu_push_is_next(const char *s)
{
    const char *end = strchr(s, ')');

    return !strncmp(s, "udp(", 4) && end && !strncmp(end, "),gtpu(", 7);
}

/* Returns the length of the header at 'gtpu' that gtpu_push_parse() wrote. */
size_t
gtpu_push_len(const void *gtpu_)
{
    const uint8_t *gtpu = gtpu_;
    size_t hdr_len = GTPU_HLEN;

    if (gtpu[0] & GTPU_F_OPT) {
        hdr_len += GTPU_OPT_LEN;
        if (gtpu[0] & GTPU_F_E && gtpu[hdr_len - 1]) {
            do {
                hdr_len += gtpu[hdr_len] * GTPU_EXT_UNIT;
            } while (gtpu[hdr_len - 1]);
        }
    }
    return hdr_len;
}

/* Parses the text at 's + *n' behind the TEID, with the closing parentheses,
 * into the 'size' octets at 'gtpu'.  'spec' has the fields before it.  Returns
 * false on a syntax error, otherwise adds the number of characters to '*n'. */
static bool
parse_rest(const char *s, int *n, struct gtpu_hdr_spec *spec, uint8_t flags,
           uint8_t *gtpu, size_t size)
{
    uint8_t type, qfi, rqi, ppi;
    struct gtpu_psc psc;
    struct gtpu_header h;
    int len;

    if (ovs_scan_len(s, n, ",octets=0x")) {
        len = parse_octets(s + *n, gtpu + GTPU_HLEN, size - GTPU_HLEN, n);
        if (len < 0 || gtpu_build_header(gtpu, GTPU_HLEN, spec, 0) < 0) {
            return false;
        }
        len += GTPU_HLEN;
    } else {
        if (ovs_scan_len(s, n, ",seq=%"SCNu16, &spec->seq)) {
            spec->has_seq = true;
        }
        if (ovs_scan_len(s, n, ",psc(type=%"SCNu8",qfi=%"SCNu8",rqi=%"SCNu8,
                         &type, &qfi, &rqi)) {
            psc = (struct gtpu_psc) {
                .pdu_type = type,
                .qfi = qfi,
                .rqi = rqi != 0,
            };
            if (ovs_scan_len(s, n, ",ppi=%"SCNu8, &ppi)) {
                psc.has_ppi = true;
                psc.ppi = ppi;
            }
            if (!ovs_scan_len(s, n, ")")) {
                return false;
            }
            spec->psc = &psc;
        }
        len = gtpu_build_header(gtpu, size, spec, 0);
        spec->psc = NULL;
        if (len < 0) {
            return false;
        }
    }

    /* The flags must fit the header. */
    gtpu[0] = flags;
    return (!gtpu_set_length(gtpu, len, 0)
            && !gtpu_parse(gtpu, len, len, NULL, &h) && h.hdr_len == len
            && ovs_scan_len(s, n, "))"));
}

/* Parses UDP and GTP-U headers at 's + *n', in the form of tnl_push, with the
 * closing parentheses of the whole header, and writes them at 'udp' in 'data'.
 * Stores the first fields of the GTP-U header in 'flags', 'msg_type' and
 * 'teid'.  Returns false on a syntax error, otherwise adds the number of
 * characters to '*n'. */
bool
gtpu_push_parse(const char *s, int *n, struct ovs_action_push_tnl *data,
                struct udp_header *udp, uint8_t *flags, uint8_t *msg_type,
                uint32_t *teid)
{
    uint8_t *gtpu = (uint8_t *) (udp + 1);
    size_t size = (uint8_t *) data->header + sizeof data->header - gtpu;
    uint16_t src, dst, csum;

    if (!ovs_scan_len(s, n, "udp(src=%"SCNi16",dst=%"SCNi16
                      ",csum=0x%"SCNx16"),", &src, &dst, &csum)
        || !ovs_scan_len(s, n, "gtpu(flags=%"SCNi8",msgtype=%"SCNu8
                         ",teid=0x%"SCNx32, flags, msg_type, teid)) {
        return false;
    }
    udp->udp_src = htons(src);
    udp->udp_dst = htons(dst);
    udp->udp_len = 0;
    udp->udp_csum = htons(csum);

    struct gtpu_hdr_spec spec = { .teid = *teid, .msg_type = *msg_type };

    if (!parse_rest(s, n, &spec, *flags, gtpu, size)) {
        return false;
    }
    memset(gtpu + 2, 0, 2);     /* Each packet has its own length. */
    return true;
}
