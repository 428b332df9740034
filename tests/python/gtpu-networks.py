#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GTP-U as base stations and cores of different makes send it, for
tests/system/system-gtpu-wire.at.  No captures: octets written by hand, each
row with what is peculiar to it.

    gtpu-networks.py send INTERFACE MAC SRC DST SRC6 DST6

sends one message of each kind from INTERFACE to MAC, over IPv4 and IPv6.

    gtpu-networks.py expect

prints what must come of them, sorted: "TEID CONTAINER INNER" in hexadecimal,
where CONTAINER is the PDU Session Container as OpenFlow sees it, 0 if there is
none, and INNER the inner packet.

    gtpu-networks.py receive INTERFACE PIDFILE

prints the same of frames whose source and destination addresses end in
CONTAINER and TEID, once it has written its process id to PIDFILE.

    gtpu-networks.py flows INTERFACE MAC SRC DST TEID FLOWS ROUNDS

sends G-PDUs with TEID, all from one UDP port, with so many inner flows, four
times each in ROUNDS, with inner ECN 0 to 3 and DSCP 0, EF, AF41 and CS1.

    gtpu-networks.py plain INTERFACE FLOWS ROUNDS

sends the inner packets of the same flows in Ethernet frames.

    gtpu-networks.py ports INTERFACE PIDFILE

prints of each G-PDU that it receives: TEID, inner and outer UDP source port,
inner and outer TOS, in decimal."""

import importlib.machinery
import os
import socket
import struct
import sys
import time

gtpu = importlib.machinery.SourceFileLoader(
    'gtpu_packet', os.path.join(os.path.dirname(__file__),
                                'gtpu-packet.py')).load_module()

UE, UE6 = gtpu.packed('10.60.0.2'), gtpu.packed('fd60::2')
NET, NET6 = gtpu.packed('10.1.0.100'), gtpu.packed('fd10::100')
# In the addresses of frames to be received.
MARK = bytes.fromhex('0200')


def inner4(tos=0, ttl=64, frag=0x4000, options=b'', n=0, sport=40000):
    return gtpu.ipv4(UE, NET, gtpu.udp(UE, NET, sport, 9, bytes(n)), ttl,
                     frag, options, tos)


def inner6(tos=0, src=UE6, dst=NET6, sport=40000):
    return gtpu.ipv6(src, dst, gtpu.udp(src, dst, sport, 9, b'x'), 255, tos)


def ext(kind, content, then='00'):
    """The next type, and an extension header of that type, as two strings."""
    content = bytes.fromhex(content)
    pad = -(len(content) + 2) % 4
    return '%02x' % kind, '%02x%s%s%s' % (
        (len(content) + 2 + pad) // 4, content.hex(), '00' * pad, then)


def chain(*headers, seq='0000', npdu='00'):
    """Keys of make_outer() for extension headers [(type, content)...]."""
    types = ['%02x' % kind for kind, _ in headers] + ['00']
    return {'flags': '0x34', 'opt': seq + npdu + types[0],
            'ext': ''.join(ext(kind, content, then)[1]
                           for (kind, content), then
                           in zip(headers, types[1:]))}


def with_flags(flags, keys):
    return dict(keys, flags=flags)


def rows():
    """Yields (container or None if nothing may come out, inner packet, keys of
    make_outer(), inner packet that comes out if it is another one)."""
    ping = inner4(n=56)
    # Base stations of LTE, with and without a checksum; DF, TTL, DSCP.
    yield 0, ping, {}
    yield 0, ping, {'csum': '0', 'frag': '0', 'tos': '0xb8'}
    yield 0, inner6(), {'csum': '0', 'sport': '2152'}
    # With sequence numbers, N-PDU numbers, both, and octets in fields whose
    # flag is not set.
    yield 0, ping, {'flags': '0x32', 'opt': '00000000'}
    yield 0, ping, {'flags': '0x32', 'opt': 'fffe1285'}
    yield 0, ping, {'flags': '0x33', 'opt': '12347f00', 'csum': '0'}
    yield 0, ping, {'flags': '0x31', 'opt': 'abcd0785'}
    yield 0, ping, {'flags': '0x38'}
    # 5G, uplink: QFI 1 and 63; S, too; with the delays that are measured.
    yield 0x01010000, ping, chain((0x85, '1001'))
    yield 0x013f0000, inner6(), chain((0x85, '103f'))
    yield 0x01090000, ping, with_flags('0x36', chain((0x85, '1009'),
                                                     seq='0102'))
    yield 0x01090000, ping, with_flags('0x37', chain((0x85, '1009'),
                                                     npdu='09'))
    yield 0x01090000, ping, chain((0x85, '1809' + '5a' * 24))
    yield 0x01090000, ping, chain((0x85, '1609' + '00000001' * 2))
    # Downlink: reflective, with a PPI, sequence number of the QFI, time stamp,
    # and everything.
    yield 0x00010000, ping, chain((0x85, '0001'))
    yield 0x00090100, ping, chain((0x85, '0049'))
    yield 0x00090085, ping, chain((0x85, '0089a0'))
    yield 0x00090000, ping, chain((0x85, '0409000001'))
    yield 0x00090000, ping, chain((0x85, '0809' + '5a' * 8))
    yield 0x00090187, ping, chain((0x85, '0cc9e0' + '5a' * 8 + '000001'))
    # Longer than needed.
    yield 0x00050000, ping, chain((0x85, '0005' + '00' * 60))
    # Other extension headers, before and after it.
    yield 0, ping, chain((0x20, '0100'))
    yield 0, ping, chain((0x40, '0868'))
    yield 0, ping, chain((0x03, '012345000000'))
    yield 0x00050000, ping, chain((0x85, '0005'), (0x20, '0100'))
    yield 0x01050000, ping, chain((0x40, '0868'), (0x85, '1005'),
                                  (0x03, '012345000000'))
    # Headers that only the radio's side comprehends: PDCP numbers of a
    # handover, and the container of F1-U and Xn-U, with PDCP inside.
    for kind, content, inside in ((0xc0, '0abc', ping),
                                  (0x82, '012345000000', ping),
                                  (0x81, '0001', b''),
                                  (0x83, '1000', b'\x80' * 40),
                                  (0x84, '0001000000', b'\x80' * 40)):
        yield None, inside, chain((kind, content))
    # Padding: after the outer packet, after the message, in the G-PDU.
    yield 0, inner4(), {'pad': '00' * 6}
    yield 0, ping, {'trail': '00' * 7}
    yield 0, inner4() + bytes(18), {}
    # Inner packets: fragments, options, of the link, any TTL.
    yield 0, inner4(frag=0x2000, n=64), {}
    yield 0, inner4(frag=0x00b9, n=64), {}
    yield 0, inner4(options=b'\x94\4\0\0'), {}
    yield 0, inner6(src=gtpu.packed('fe80::1'), dst=gtpu.packed('ff02::2')), {}
    yield 0, inner4(ttl=1), {}
    # ECN, in RFC 6040's compatible mode: CE outside goes on inside, but not to
    # a packet that does not know ECN.
    for outer in 0, 1, 2, 3:
        for inner in 0, 1, 2, 3:
            keys = {'tos': str(outer)}
            if outer != 3 or inner == 3:
                yield 0, inner4(tos=inner), keys
            elif inner:
                yield 0, inner4(tos=inner), keys, inner4(tos=3)
            else:
                yield None, inner4(), keys


def rows_ipv4():
    # Router alert, and options that fill the header.
    yield 0, inner4(), {'ipopt': '94040000'}
    yield 0, inner4(), {'ipopt': '01' * 40}
    # On a VLAN.
    yield 0, inner4(), {'vlan': 100}


def messages():
    """Yields (TEID, container, packet that comes out, address family, packet
    sent, keys), each with a TEID of its own."""
    teid = 0x100
    for af in 4, 6:
        for row in list(rows()) + (list(rows_ipv4()) if af == 4 else []):
            container, inner, keys, out = (row + (row[1],))[:4]
            yield teid, container, out, af, inner, dict(keys)
            teid += 1


def raw(interface, protocol=0):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(protocol))
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)     # SO_RCVBUFFORCE
    sock.bind((interface, protocol))
    return sock


def address(mac):
    return bytes.fromhex(mac.replace(':', ''))


def send(interface, mac, src, dst, src6, dst6):
    sock = raw(interface)
    ends = {4: (src, dst), 6: (src6, dst6)}
    for teid, _, _, af, inner, keys in messages():
        vlan = keys.pop('vlan', None)
        frame = gtpu.make_outer(inner.hex(), af=str(af), teid=str(teid),
                                src=ends[af][0], dst=ends[af][1],
                                smac=sock.getsockname()[4].hex(), **keys)
        frame = address(mac) + frame[6:]
        if vlan:
            frame = frame[:12] + struct.pack('!HH', 0x8100, vlan) + frame[12:]
        sock.send(frame)
        time.sleep(0.005)


def expect():
    print('\n'.join(sorted(
        '%08x %08x %s' % (teid, container, out.hex())
        for teid, container, out, _, _, _ in messages()
        if container is not None)))


def listen(interface, pidfile):
    sock = raw(interface, 3)
    with open(pidfile, 'w') as out:
        out.write('%d\n' % os.getpid())
    while True:
        frame, sender = sock.recvfrom(1 << 16)
        if sender[2] != socket.PACKET_OUTGOING:
            yield frame


def receive(interface, pidfile):
    for frame in listen(interface, pidfile):
        if frame[:2] == MARK and frame[6:8] == MARK:
            print(frame[2:6].hex(), frame[8:12].hex(), frame[14:].hex(),
                  flush=True)


def flows(n):
    dscp = 0, 0xb8, 0x88, 0x20
    for i in range(n):
        for ecn in range(4):
            make = inner6 if i % 2 else inner4
            yield make(tos=dscp[i % 8 // 2] | ecn, sport=20000 + i)


def send_flows(interface, mac, src, dst, teid, n, rounds):
    sock = raw(interface)
    for _ in range(int(rounds)):
        for inner in flows(int(n)):
            frame = gtpu.make_outer(inner.hex(), teid=teid, src=src, dst=dst,
                                    smac=sock.getsockname()[4].hex())
            sock.send(address(mac) + frame[6:])
            time.sleep(0.001)


def send_plain(interface, n, rounds):
    sock = raw(interface)
    for _ in range(int(rounds)):
        for inner in flows(int(n)):
            kind = b'\x08\x00' if inner[0] >> 4 == 4 else b'\x86\xdd'
            sock.send(MARK * 3 + MARK * 3 + kind + inner)
            time.sleep(0.001)


def tos_of(packet):
    return packet[1] if packet[0] >> 4 == 4 else (packet[0] << 4 & 0xf0
                                                  | packet[1] >> 4)


def ports(interface, pidfile):
    for frame in listen(interface, pidfile):
        outer = gtpu.parse_outer(frame)
        if outer is None or isinstance(outer, str):
            continue
        _, _, tos, _, datagram = outer
        if datagram[2:4] != struct.pack('!H', 2152) or datagram[9] != 255:
            continue
        inner = datagram[16:]
        l4 = inner[20:] if inner[0] >> 4 == 4 else inner[40:]
        print(struct.unpack('!I', datagram[12:16])[0],
              struct.unpack('!H', l4[:2])[0],
              struct.unpack('!H', datagram[:2])[0], tos_of(inner), tos,
              flush=True)


if __name__ == '__main__':
    {'send': send, 'expect': expect, 'receive': receive, 'flows': send_flows,
     'plain': send_plain, 'ports': ports}[sys.argv[1]](*sys.argv[2:])
