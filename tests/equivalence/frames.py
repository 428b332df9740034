# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames, right and wrong ones, built and turned round.

Not scapy: this is called a thousand times for each run of a generated
pipeline.
"""

import socket
import struct

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n ^ 0xffff


def mac(n):
    return struct.pack("!HI", 0x0200, n)


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text
                            else socket.AF_INET, text)


def l4(flow, payload, flags=ACK, seq=1, ack=1, bad_csum=False,
       no_csum=False):
    """The transport header and 'payload' of 'flow'; 'no_csum' is for UDP."""
    proto = flow["proto"]
    if proto == TCP:
        data = struct.pack("!HHIIBBHHH", flow["sport"], flow["dport"], seq,
                           ack, 0x50, flags, 65000, 0, 0) + payload
        ofs = 16
    elif proto == UDP:
        data = struct.pack("!HHHH", flow["sport"], flow["dport"],
                           8 + len(payload), 0) + payload
        if no_csum:
            return data
        ofs = 6
    elif proto == SCTP:
        # An INIT chunk or data; nobody computes the CRC.
        return struct.pack("!HHII", flow["sport"], flow["dport"], 7,
                           0) + payload
    elif proto in (ICMP, ICMP6):
        kind = flow.get("type", 8 if proto == ICMP else 128)
        data = struct.pack("!BBHHH", kind, 0, 0, flow["sport"],
                           seq & 0xffff) + payload
        ofs = 2
    else:
        return payload
    pseudo = b""
    if proto != ICMP:
        pseudo = (address(flow["src"]) + address(flow["dst"])
                  + struct.pack("!HH", proto, len(data)))
    csum = checksum(pseudo + data)
    if proto == UDP:
        csum = csum or 0xffff
    if bad_csum:
        csum ^= 0x5555
    return data[:ofs] + struct.pack("!H", csum) + data[ofs + 2:]


def frame(flow, payload=b"", flags=ACK, seq=1, ack=1, ttl=None, tos=None,
          frag=None, options=False, bad=None, vlan=None, ident=0,
          no_csum=False):
    """A frame of 'flow'.  'frag' is None, "first", or "later"; 'bad' is None,
    "l4" or "ip" (checksum), "long" or "short" (length), or "cut".  'no_csum'
    leaves the checksum out if it is UDP."""
    data = l4(flow, payload, flags, seq, ack, bad == "l4", no_csum)
    ttl = flow.get("ttl", 64) if ttl is None else ttl
    tos = flow.get("tos", 0) if tos is None else tos
    vlan = flow.get("vlan") if vlan is None else vlan
    if ":" in flow["src"]:
        kind, nxt = 0x86dd, flow["proto"]
        if frag:
            offset = 1 if frag == "first" else 8 << 3
            data = struct.pack("!BBHI", nxt, 0, offset, 77) + data
            nxt = 44
        elif options:
            data = struct.pack("!BB", nxt, 0) + b"\1\4\0\0\0\0" + data
            nxt = 0
        size = len(data) + {"long": 9, "short": -3}.get(bad, 0)
        head = (struct.pack("!IHBB", 6 << 28 | tos << 20, max(size, 0), nxt,
                            ttl)
                + address(flow["src"]) + address(flow["dst"]))
    else:
        kind = 0x800
        opts = b"\1\1\1\0" if options else b""
        size = 20 + len(opts) + len(data) + {"long": 9,
                                             "short": -3}.get(bad, 0)
        offset = {None: 0x4000, "first": 0x2000, "later": 185}[frag]
        head = struct.pack("!BBHHHBBH", 0x45 + len(opts) // 4, tos, size,
                           ident, offset, ttl, flow["proto"], 0)
        head += address(flow["src"]) + address(flow["dst"]) + opts
        csum = checksum(head) ^ (0x1111 if bad == "ip" else 0)
        head = head[:10] + struct.pack("!H", csum) + head[12:]
    eth = mac(flow["dmac"]) + mac(flow["smac"])
    if vlan is not None:
        eth += struct.pack("!HH", 0x8100, vlan)
    found = eth + struct.pack("!H", kind) + head + data
    if bad == "cut":
        found = found[:len(eth) + 2 + len(head) + 3]
    return found.ljust(60, b"\0") if bad != "cut" else found


def turn(data):
    """What the receiver of the frame 'data' answers, or None: addresses and
    ports are swapped, TCP is continued."""
    ofs = 18 if data[12:14] == b"\x81\0" else 14
    if len(data) < ofs + 28:
        return None
    kind = data[ofs - 2:ofs]
    eth = data[6:12] + data[:6] + data[12:ofs]
    if kind == b"\x08\0" and data[ofs] >> 4 == 4:
        size = (data[ofs] & 15) * 4
        if struct.unpack_from("!H", data, ofs + 6)[0] & 0x3fff:
            return None
        total = struct.unpack_from("!H", data, ofs + 2)[0]
        proto, a, b = data[ofs + 9], data[ofs + 12:ofs + 16], \
            data[ofs + 16:ofs + 20]
        family = socket.AF_INET
    elif kind == b"\x86\xdd":
        size = 40
        total = 40 + struct.unpack_from("!H", data, ofs + 4)[0]
        proto, a, b = data[ofs + 6], data[ofs + 8:ofs + 24], \
            data[ofs + 24:ofs + 40]
        family = socket.AF_INET6
    else:
        return None
    body = data[ofs + size:ofs + total]
    if len(body) < 8 or total > len(data) - ofs:
        return None
    flow = {"src": socket.inet_ntop(family, b),
            "dst": socket.inet_ntop(family, a), "proto": proto, "dmac": 0,
            "smac": 0}
    flow["dport"], flow["sport"] = struct.unpack_from("!HH", body)
    if proto == TCP and len(body) >= 20:
        seq, ack, _, flags = struct.unpack_from("!IIBB", body, 4)
        payload = len(body) - (body[12] >> 4) * 4
        if flags & RST:
            return None
        if flags & SYN:
            if flags & ACK:
                return None
            made = frame(flow, b"", SYN | ACK, 5000, seq + 1 & 0xffffffff)
        else:
            ends = FIN if flags & FIN else 0
            made = frame(flow, b"answer", ACK | ends, ack,
                         seq + payload + ends & 0xffffffff)
    elif proto in (UDP, SCTP):
        made = frame(flow, b"answer")
    elif proto in (ICMP, ICMP6):
        if body[0] not in (8, 128):
            return None
        flow["sport"], seq = struct.unpack_from("!HH", body, 4)
        flow["type"] = 0 if proto == ICMP else 129
        made = frame(flow, b"answer", seq=seq)
    else:
        return None
    return eth + made[14:]


def tunnel(kind, key, inner, src, dst, sport=40000, dmac=0, smac=0):
    """'inner', a frame, in VXLAN, Geneve or GTP-U from 'src' to 'dst'."""
    if kind == "vxlan":
        port, head = 4789, struct.pack("!II", 0x08000000, key << 8)
    elif kind == "geneve":
        port, head = 6081, struct.pack("!BBHI", 0, 0, 0x6558, key << 8)
    else:
        inner = inner[14:]
        port, head = 2152, struct.pack("!BBHI", 0x30, 255, len(inner), key)
    flow = {"src": src, "dst": dst, "proto": UDP, "sport": sport,
            "dport": port, "dmac": dmac, "smac": smac}
    return frame(flow, head + inner)
