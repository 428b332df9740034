#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes packets of SCTP associations, as hexadecimal lines.

    lb-sctp-packets.py SRC DST FIRST LAST DPORT
        a packet from each of the ports FIRST to LAST

Each has a DATA chunk and a right checksum, for connection trackers look at
both.
"""

import ipaddress
import struct
import sys

SCTP = 132


def crc32c(data):
    crc = 0xffffffff
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def sctp(sport, dport):
    ports = struct.pack('!HHI', sport, dport, 1)
    chunk = struct.pack('!BBHIHHI4x', 0, 3, 20, 1, 0, 0, 0)
    return ports + struct.pack('<I', crc32c(ports + bytes(4) + chunk)) + chunk


def ipv4(src, dst, size):
    header = struct.pack('!BBHIBBH', 0x45, 0, 20 + size, 0, 64, SCTP, 0)
    header += src + dst
    total = sum(struct.unpack('!10H', header))
    total = (total & 0xffff) + (total >> 16)
    return header[:10] + struct.pack('!H', ~total & 0xffff) + header[12:]


def ipv6(src, dst, size):
    return struct.pack('!IHBB', 6 << 28, size, SCTP, 64) + src + dst


def main(src, dst, first, last, dport):
    src, dst = (ipaddress.ip_address(text).packed for text in (src, dst))
    make, ethertype = (ipv4, '0800') if len(src) == 4 else (ipv6, '86dd')
    for sport in range(int(first), int(last) + 1):
        data = sctp(sport, int(dport))
        print('505400000002505400000001' + ethertype
              + (make(src, dst, len(data)) + data).hex())


if __name__ == '__main__':
    main(*sys.argv[1:])
