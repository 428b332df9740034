#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes and reads packets for tests/autotest/gtpu.at, without code of ours.

    gtpu-packet.py outer [KEY=VALUE]... [PAYLOAD]

prints, in hexadecimal, an Ethernet frame with a GTP-U message as switch
1.1.2.88 receives it from 1.1.2.92.  Keys: 'flags', 'type', 'teid', 'len' (the
length field), 'opt' and 'ext' (octets of the optional word and of what
follows it), 'trail' (octets after the message), 'udplen', 'csum' (0, right or
wrong), 'frag' (the IPv4 field), 'ipopt' (octets of IPv4 options), 'pad'
(octets after the IP packet), 'af' (4 or 6), 'src', 'dst', 'sport' and 'smac'
(where it comes from), 'tos'.  The length field, if not given, is right.
PAYLOAD is hexadecimal.

    gtpu-packet.py ipv4|ipv6 [ttl=TTL] [src=ADDRESS] [sport=PORT] [size=N]

prints an inner UDP packet, 'size' octets after its UDP header.

    gtpu-packet.py read

reads Ethernet frames from standard input, one a line, and describes each that
has GTP-U in it: what is wrong, or what it says.

    gtpu-packet.py signalling

does so for messages other than G-PDU to any port, with outer headers, sequence
number and information elements."""

import ipaddress
import struct
import sys

PEER_MAC = bytes.fromhex('f8bc124434b6')
LOCAL_MAC = bytes.fromhex('aa55aa550000')
ADDRESSES = {4: ('1.1.2.92', '1.1.2.88'),
             6: ('2001:cafe::92', '2001:cafe::88')}


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def packed(address):
    return ipaddress.ip_address(address).packed


def pseudo(src, dst, length):
    if len(src) == 4:
        return src + dst + struct.pack('!BBH', 0, 17, length)
    return src + dst + struct.pack('!IHBB', length, 0, 0, 17)


def udp(src, dst, sport, dport, payload, csum='right', length=None):
    n = 8 + len(payload) if length is None else length
    header = struct.pack('!HHHH', sport, dport, n, 0)
    value = 0
    if csum != '0':
        value = checksum(pseudo(src, dst, n) + (header + payload)[:n])
        value = value or 0xffff
        if csum == 'wrong':
            value ^= 0x1234
    return header[:6] + struct.pack('!H', value) + payload


def ipv4(src, dst, payload, ttl=64, frag=0x4000, options=b'', tos=0):
    header = struct.pack('!BBHHHBBH4s4s', 0x45 + len(options) // 4, tos,
                         20 + len(options) + len(payload), 0, frag, ttl, 17,
                         0, src, dst) + options
    return (header[:10] + struct.pack('!H', checksum(header)) + header[12:]
            + payload)


def ipv6(src, dst, payload, ttl=64, tos=0):
    return struct.pack('!IHBB16s16s', 6 << 28 | tos << 20, len(payload), 17,
                       ttl, src, dst) + payload


def make_inner(family, ttl='64', src=None, sport='1000', size='8'):
    v4 = family == 'ipv4'
    src = packed(src or ('10.0.0.1' if v4 else '2001:db8::1'))
    dst = packed('10.0.0.2' if v4 else '2001:db8::2')
    datagram = udp(src, dst, int(sport), 80, b'x' * int(size))
    return (ipv4 if v4 else ipv6)(src, dst, datagram, int(ttl, 0))


def make_outer(payload, flags='0x30', type='255', teid='0x7b', len=None,
               opt='', ext='', trail='', udplen=None, csum='right',
               frag='0x4000', ipopt='', pad='', af='4', src=None, dst=None,
               sport='51234', smac=None, tos='0'):
    body = bytes.fromhex(opt + ext + payload)
    n = body.__len__() if len is None else int(len, 0)
    message = struct.pack('!BBHI', int(flags, 0), int(type, 0), n,
                          int(teid, 0)) + body + bytes.fromhex(trail)
    src = packed(src or ADDRESSES[int(af)][0])
    dst = packed(dst or ADDRESSES[int(af)][1])
    datagram = udp(src, dst, int(sport), 2152, message, csum,
                   None if udplen is None else int(udplen, 0))
    if af == '4':
        packet = ipv4(src, dst, datagram, frag=int(frag, 0),
                      options=bytes.fromhex(ipopt), tos=int(tos, 0))
    else:
        packet = ipv6(src, dst, datagram, tos=int(tos, 0))
    mac = bytes.fromhex(smac) if smac else PEER_MAC
    return (LOCAL_MAC + mac + (b'\x08\x00' if af == '4' else b'\x86\xdd')
            + packet + bytes.fromhex(pad))


def parse_outer(frame):
    """Returns (src, dst, tos, ttl, datagram), None, or an error."""
    if frame[12:14] == b'\x08\x00' and frame[23] == 17:
        ip_len, = struct.unpack('!H', frame[16:18])
        src, dst, start = frame[26:30], frame[30:34], 34
        end = 14 + ip_len
        tos, ttl = frame[15], frame[22]
        if frame[14] != 0x45 or checksum(frame[14:34]):
            return 'wrong IP header'
    elif frame[12:14] == b'\x86\xdd' and frame[20] == 17:
        ip_len, = struct.unpack('!H', frame[18:20])
        src, dst, start = frame[22:38], frame[38:54], 54
        end = 54 + ip_len
        tos, ttl = int.from_bytes(frame[14:18], 'big') >> 20 & 0xff, frame[21]
    else:
        return None
    datagram = frame[start:end]
    length, csum = struct.unpack('!HH', datagram[4:8])
    if end != len(frame) or length != len(datagram):
        return 'wrong IP or UDP length'
    if csum and checksum(pseudo(src, dst, length) + datagram):
        return 'wrong UDP checksum'
    return src, dst, tos, ttl, datagram


def describe(frame):
    """Returns the text of a GTP-U frame, or None for another frame."""
    outer = parse_outer(frame)
    if outer is None or isinstance(outer, str):
        return outer
    datagram = outer[-1]
    _, dport, _, csum = struct.unpack('!HHHH', datagram[:8])
    if dport != 2152:
        return None
    flags, kind, n, teid = struct.unpack('!BBHI', datagram[8:16])
    if n != len(datagram) - 16:
        return 'wrong GTP-U length'
    text = 'csum=%s flags=%#x type=%d teid=%#x' % (
        'yes' if csum else 'no', flags, kind, teid)
    rest = datagram[16:]
    if flags & 7:
        text += ' opt=%s' % rest[:4].hex()
        rest = rest[4:]
    return '%s payload=%s' % (text, rest.hex())


def describe_signalling(frame):
    """The same for messages other than G-PDUs, to any port."""
    outer = parse_outer(frame)
    if outer is None or isinstance(outer, str):
        return outer
    src, dst, tos, ttl, datagram = outer
    sport, dport, _, csum = struct.unpack('!HHHH', datagram[:8])
    if 2152 not in (sport, dport) or datagram[9] == 255:
        return None
    flags, kind, n, teid = struct.unpack('!BBHI', datagram[8:16])
    if n != len(datagram) - 16:
        return 'wrong GTP-U length'
    return '%s>%s %s.%d>%s.%d tos=%#x ttl=%d csum=%s flags=%#x type=%d ' \
        'teid=%#x %s' % (
            frame[6:12].hex(), frame[:6].hex(), ipaddress.ip_address(src),
            sport, ipaddress.ip_address(dst), dport, tos, ttl,
            'yes' if csum else 'no', flags, kind, teid, datagram[16:].hex())


def main():
    command, args = sys.argv[1], sys.argv[2:]
    keys = dict(arg.split('=', 1) for arg in args if '=' in arg)
    words = [arg for arg in args if '=' not in arg]
    if command == 'outer':
        print(make_outer(''.join(words), **keys).hex())
    elif command in ('read', 'signalling'):
        tell = describe if command == 'read' else describe_signalling
        for line in sys.stdin:
            text = tell(bytes.fromhex(line.strip()))
            if text:
                print(text)
    else:
        print(make_inner(command, **keys).hex())


if __name__ == '__main__':
    main()
