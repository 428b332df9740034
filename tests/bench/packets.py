# SPDX-License-Identifier: Apache-2.0
"""Packets of the benchmark: what is sent, and what was sent on.

Each packet carries the number of its flow in the last four bytes of its UDP
payload, so that a packet that leaves can be compared with the one that came.
In TCP, sequence numbers carry it.

An Ethernet frame of 60 bytes, 64 with its checksum, is the smallest there is.
"""

import collections
import mmap
import struct

VIP = 0x0a60000a                # 10.96.0.10
VIP_PORT = 80
CLIENTS = 0x0a800000            # 10.128.0.0/9
UES = 0x0a2d0000                # 10.45.0.0/16
BACKENDS = 0x0a010000           # 10.1.0.0/16
BACKEND_PORT = 8080
SWITCH_IP = 0xac100001          # 172.16.0.1
GNB_IP = 0xac100002             # 172.16.0.2
GTPU_PORT = 2152

SRC_MAC = bytes.fromhex("020000000002")
DST_MAC = bytes.fromhex("020000000001")
NEW_SRC_MAC = bytes.fromhex("020000000011")
NEW_DST_MAC = bytes.fromhex("020000000012")

UDP_FRAME = struct.Struct("!6s6sHBBHHHBBHIIHHHH14xI")
TCP_FRAME = struct.Struct("!6s6sHBBHHHBBHIIHHIIBBHHH6s")
SEQ_ACK_FLAGS = struct.Struct("!IIBB")
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
WINDOW = 0xffff
PCAP_HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
PCAP_RECORD = struct.Struct("<IIII")


def mac(b):
    return ":".join("%02x" % x for x in b)


def ip(n):
    return ".".join(str(n >> s & 0xff) for s in (24, 16, 8, 0))


def fold(n):
    """The Internet checksum whose sum of 16-bit words is 'n'."""
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n ^ 0xffff


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    return fold(sum(struct.unpack("!%dH" % (len(data) // 2), data)))


def client(i):
    """Address and port of flow 'i': different for each i < 2**23."""
    return CLIENTS | (i * 5592405 + 1234567) & 0x7fffff, \
        1024 + (i * 40503 >> 4) % 60000


def udp(i, src, dst, sport, dport, src_mac=SRC_MAC, dst_mac=DST_MAC):
    """A frame of 60 bytes that carries the number 'i'."""
    addresses = (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff)
    ip_csum = fold(addresses + 0x4500 + 46 + 0x4011)
    udp_csum = fold(addresses + 17 + 26 + sport + dport + 26
                    + (i >> 16) + (i & 0xffff)) or 0xffff
    return UDP_FRAME.pack(dst_mac, src_mac, 0x800, 0x45, 0, 46, 0, 0, 64, 17,
                          ip_csum, src, dst, sport, dport, 26, udp_csum, i)


def reply(frame):
    """The reply to 'frame', which is one of 'udp'.  Sums do not change."""
    return (DST_MAC + SRC_MAC + frame[12:26] + frame[30:34] + frame[26:30]
            + frame[36:38] + frame[34:36] + frame[38:])


def tcp(src, dst, sport, dport, seq, ack, flags, payload=b""):
    """A frame of 60 bytes, with up to 6 bytes of 'payload'."""
    size = 20 + len(payload)
    payload = payload.ljust(6, b"\0")
    addresses = (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff)
    ip_csum = fold(addresses + 0x4500 + 20 + size + 0x4006)
    tcp_csum = fold(addresses + 6 + size + sport + dport + (seq >> 16)
                    + (seq & 0xffff) + (ack >> 16) + (ack & 0xffff) + 0x5000
                    + flags + WINDOW + sum(struct.unpack("!HHH", payload)))
    return TCP_FRAME.pack(DST_MAC, SRC_MAC, 0x800, 0x45, 0, 20 + size, 0, 0,
                          64, 6, ip_csum, src, dst, sport, dport, seq, ack,
                          0x50, flags, WINDOW, tcp_csum, 0, payload)


def gtpu(inner_frame, teid, dst_mac):
    """'inner_frame' without its Ethernet header, in GTP-U from the gNB."""
    inner = inner_frame[14:]
    size = 28 + 8 + len(inner)
    head = struct.pack("!BBHHHBBHII", 0x45, 0, size, 0, 0, 64, 17, 0, GNB_IP,
                       SWITCH_IP)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return (dst_mac + SRC_MAC + b"\x08\0" + head
            + struct.pack("!HHHHBBHI", GTPU_PORT, GTPU_PORT, size - 20, 0,
                          0x30, 255, len(inner), teid) + inner)


def write_pcap(path, frames):
    write_pcap_after(path, ((0, frame) for frame in frames))


def write_pcap_after(path, frames):
    """Each of 'frames' comes with the number of packets it waits for."""
    with open(path, "wb") as f:
        f.write(PCAP_HEADER)
        for after, frame in frames:
            f.write(PCAP_RECORD.pack(after, 0, len(frame), len(frame)) + frame)


def read_records(path, used):
    """The frames among the first 'used' bytes of 'path'."""
    frames = []
    with open(path, "rb") as f, \
            mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
        end = min(used, len(m))
        ofs = len(PCAP_HEADER)
        while ofs + PCAP_RECORD.size <= end:
            size = PCAP_RECORD.unpack_from(m, ofs)[2]
            ofs += PCAP_RECORD.size
            if size == 0 or ofs + size > end:
                break
            frames.append(m[ofs:ofs + size])
            ofs += size
    return frames


class Wrong(Exception):
    """A packet is not what it should be."""


Udp = collections.namedtuple(
    "Udp", "dst_mac src_mac src dst ttl sport dport payload i")


def parse_udp(frame, any_checksum=False):
    """The fields of 'frame', whose lengths and checksums must all be right.
    The UDP checksum may be missing if the payload is GTP-U, and does not count
    with 'any_checksum'."""
    if len(frame) < 42 or frame[12:14] != b"\x08\0" or frame[14] != 0x45:
        raise Wrong("not an IPv4 frame: %s" % frame.hex())
    size, ttl, proto = struct.unpack_from("!H4xBB", frame, 16)
    if size != len(frame) - 14 or proto != 17:
        raise Wrong("IPv4 length %d, protocol %d in a frame of %d bytes: %s"
                    % (size, proto, len(frame), frame.hex()))
    if checksum(frame[14:34]):
        raise Wrong("bad IPv4 checksum: %s" % frame.hex())
    src, dst, sport, dport, length, csum = struct.unpack_from(
        "!IIHHHH", frame, 26)
    if length != size - 20:
        raise Wrong("bad UDP length: %s" % frame.hex())
    if any_checksum:
        pass
    elif csum == 0:
        if dport != GTPU_PORT:
            raise Wrong("no UDP checksum: %s" % frame.hex())
    elif checksum(frame[26:34] + struct.pack("!HH", 17, length)
                  + frame[34:]):
        raise Wrong("bad UDP checksum: %s" % frame.hex())
    return Udp(frame[:6], frame[6:12], src, dst, ttl, sport, dport,
               frame[42:], int.from_bytes(frame[-4:], "big"))


Tcp = collections.namedtuple(
    "Tcp", "dst_mac src_mac src dst ttl sport dport seq ack flags window "
    "payload")


def parse_tcp(frame):
    """The fields of 'frame'.  Raises Wrong if anything but these fields
    differs from a frame of tcp()."""
    if (len(frame) != 60 or frame[12:16] != b"\x08\0\x45\0"
            or frame[23] != 6 or frame[46] != 0x50):
        raise Wrong("not a TCP frame: %s" % frame.hex())
    size, ttl = struct.unpack_from("!H4xB", frame, 16)
    if not 40 <= size <= 46 or any(frame[14 + size:]):
        raise Wrong("IPv4 length %d, or padding: %s" % (size, frame.hex()))
    segment = frame[34:14 + size]
    if checksum(frame[14:34]):
        raise Wrong("bad IPv4 checksum: %s" % frame.hex())
    if checksum(frame[26:34] + struct.pack("!HH", 6, len(segment)) + segment):
        raise Wrong("bad TCP checksum: %s" % frame.hex())
    src, dst, sport, dport, seq, ack, flags, window = struct.unpack_from(
        "!IIHHIIxBH", frame, 26)
    return Tcp(frame[:6], frame[6:12], src, dst, ttl, sport, dport, seq, ack,
               flags, window, segment[20:])


def parse_gtpu(frame, any_checksum):
    """The outer header of 'frame', its TEID, and the inner packet, with an
    Ethernet header of zeros before it."""
    outer = parse_udp(frame, any_checksum)
    flags, kind, length, teid = struct.unpack_from("!BBHI", outer.payload)
    if outer.dport != GTPU_PORT or kind != 255 or flags != 0x30:
        raise Wrong("not GTP-U: %s" % frame.hex())
    if length != len(outer.payload) - 8:
        raise Wrong("bad GTP-U length: %s" % frame.hex())
    return outer, teid, parse_udp(bytes(12) + b"\x08\0" + outer.payload[8:])


def expect(what, **fields):
    """Raises Wrong unless 'what' has these 'fields'."""
    for name, value in fields.items():
        if getattr(what, name) != value:
            raise Wrong("%s is %r, should be %r: %r"
                        % (name, getattr(what, name), value, what))
