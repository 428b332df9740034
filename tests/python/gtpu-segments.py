#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GTP-U packets that do not fit into one of DPDK's buffers, for
tests/system/system-robustness.at.

    gtpu-segments.py send INTERFACE MAC SRC DST

sends G-PDUs from SRC to DST, an address with MAC: good ones, whose headers or
inner packets go on past the first buffer, and malformed ones.

    gtpu-segments.py drops

prints the counters, "REASON N", that the malformed ones must be found in.

    gtpu-segments.py expect

prints a line for each good one, as does

    gtpu-segments.py receive INTERFACE PIDFILE

for each IP packet between the inner addresses that it receives, once it has
written its process id to PIDFILE: length and checksum of the inner packet."""

import collections
import importlib.machinery
import os
import socket
import sys
import time
import zlib

gtpu = importlib.machinery.SourceFileLoader(
    'gtpu_packet', os.path.join(os.path.dirname(__file__),
                                'gtpu-packet.py')).load_module()

# The size of a buffer, and of the headers before the inner packet.
BUFFER = 2048
HEADERS = 14 + 20 + 8 + 8
# The longest extension header, of a type that nobody must know, then itself.
EXT = 'ff' + '5a' * 1018


def packets():
    """Yields (reason, payload, keys): see gtpu-refused.py."""
    def inner(size, family='ipv4', sport=1):
        return gtpu.make_inner(family, size=str(size),
                               sport=str(sport)).hex()

    # The inner packet ends one octet before, at and after the buffer's end.
    for n in (-1, 0, 1):
        yield 'ok', inner(BUFFER - HEADERS - 28 + n), {}
    # Two buffers to five; net_pcap cuts off what is past 9,728 octets.
    for size in (4000, 6000, 9000):
        yield 'ok', inner(size), {}
        yield 'ok', inner(size, 'ipv6'), {}
    yield 'ok', inner(3000), {'csum': '0'}
    # The buffer ends in an extension header, at its end, and in the inner
    # packet: 1994 octets are left for the chain.
    for units in (242, 243, 244, 245):
        yield 'ok', inner(100, sport=units), {
            'flags': '0x34', 'opt': '00000001',
            'ext': (EXT + '01' + '%02x' % units + '5a' * (4 * units - 2)
                    + '00')}
    # Headers in five buffers.
    yield 'ok', inner(100), {
        'flags': '0x34', 'opt': '00000001',
        'ext': (EXT + '01') * 7 + EXT + '00'}
    # Errors are found there, too.
    yield 'ext_count', inner(100), {
        'flags': '0x34', 'opt': '00000001',
        'ext': (EXT + '01') * 8 + EXT + '00'}
    yield 'ext_trunc', '', {
        'flags': '0x34', 'opt': '00000001', 'ext': (EXT + '01') * 4}
    yield 'ext_zero', inner(100), {
        'flags': '0x34', 'opt': '00000001', 'ext': (EXT + '01') * 3 + '00'}
    yield 'udp_csum', inner(5000), {'csum': 'wrong'}
    yield 'length', inner(5000), {'len': '0xffff'}
    yield 'inner_length', inner(5000), {'len': '3000'}


def send(interface, mac, src, dst):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    for _, payload, keys in packets():
        frame = gtpu.make_outer(payload, src=src, dst=dst, **keys)
        sock.send(bytes.fromhex(mac.replace(':', '')) + frame[6:])
        time.sleep(0.02)


def line(packet):
    return '%d %08x' % (len(packet), zlib.crc32(packet))


def receive(interface, pidfile):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(3))
    # SO_RCVBUFFORCE goes beyond the machine's limit.
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)
    sock.bind((interface, 3))
    with open(pidfile, 'w') as out:
        out.write('%d\n' % os.getpid())
    ends = (bytes([10, 0, 0, 1]), gtpu.packed('2001:db8::1'))
    while True:
        packet = sock.recv(1 << 17)[14:]
        if packet[12:16] == ends[0] or packet[8:24] == ends[1]:
            print(line(packet), flush=True)


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == 'send':
        send(*args)
    elif command == 'receive':
        receive(*args)
    elif command == 'drops':
        drops = collections.Counter(r for r, _, _ in packets() if r != 'ok')
        for reason, n in sorted(drops.items()):
            print(reason, n)
    elif command == 'expect':
        for reason, payload, _ in packets():
            if reason == 'ok':
                print(line(bytes.fromhex(payload)))


if __name__ == '__main__':
    main()
