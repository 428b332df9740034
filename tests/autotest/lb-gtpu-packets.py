#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes packets for tests/autotest/lb-gtpu.at, without any code of ours.

Reads lines "N KEY=VALUE..." and prints for each an Ethernet frame in
hexadecimal: UDP from port N to 2152 with GTP-U in it, or what the keys say.

    src, dst      outer addresses, IPv4 or IPv6
    dport         UDP port in place of 2152
    frag          field with flags and offset of an outer IPv4 header
    vlan          an 802.1Q tag
    teid, type, flags, length
                  of the GTP-U header; the length is right if not given
    opt           octets that follow the 8 of the header, hexadecimal
    inner         what is inside: "SRC,DST,SPORT,DPORT", UDP over IPv4 or IPv6
    ifrag         field with flags and offset of an inner IPv4 header
    iext          octets of IPv6 extension headers inside, a whole chain, whose
                  first one is Destination Options
    payload       what is inside, hexadecimal, in place of "inner"
    cut           so many octets of UDP payload; outer lengths follow
    plain         the inner packet, not in GTP-U
"""

import ipaddress
import struct
import sys

MACS = bytes.fromhex('505400000002' '505400000001')


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ip(src, dst, payload, frag=0, ext=b''):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 4:
        header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, frag,
                             64, 17, 0) + src.packed + dst.packed
        return (header[:10] + struct.pack('!H', checksum(header))
                + header[12:] + payload)
    return (struct.pack('!IHBB', 6 << 28, len(ext + payload),
                        60 if ext else 17, 64)
            + src.packed + dst.packed + ext + payload)


def udp(sport, dport, payload):
    return struct.pack('!HHHH', sport, dport, 8 + len(payload), 0) + payload


def number(keys, key, default):
    return int(keys.get(key, str(default)), 0)


def inner(keys):
    if 'payload' in keys:
        return bytes.fromhex(keys['payload'])
    src, dst, sport, dport = keys.get(
        'inner', '10.60.0.1,192.0.2.1,1,80').split(',')
    return ip(src, dst, udp(int(sport), int(dport), b'abcdefgh'),
              number(keys, 'ifrag', 0), bytes.fromhex(keys.get('iext', '')))


def gtpu(keys):
    rest = bytes.fromhex(keys.get('opt', '')) + inner(keys)
    return struct.pack('!BBHI', number(keys, 'flags', 0x30),
                       number(keys, 'type', 255),
                       number(keys, 'length', len(rest)),
                       number(keys, 'teid', 1)) + rest


def packet(n, keys):
    if 'plain' in keys:
        data = inner(keys)
    else:
        data = gtpu(keys)
        data = udp(n, number(keys, 'dport', 2152),
                   data[:number(keys, 'cut', len(data))])
        data = ip(keys.get('src', '10.0.0.1'), keys.get('dst', '10.0.0.100'),
                  data, number(keys, 'frag', 0))
    tag = b''
    if 'vlan' in keys:
        tag = struct.pack('!HH', 0x8100, number(keys, 'vlan', 0))
    return MACS + tag + (b'\x08\x00' if data[0] >> 4 == 4
                         else b'\x86\xdd') + data


for line in sys.stdin:
    n, *words = line.split()
    print(packet(int(n), dict((word + '=').split('=')[:2]
                              for word in words)).hex())
