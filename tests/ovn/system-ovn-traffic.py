#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers and clients for the system tests with OVN.

Connections are TCP connections, UDP exchanges or SCTP associations.  SCTP is
spoken over raw sockets, since few test machines have it in their kernel: the
four messages of an association's setup, one DATA chunk and its SACK each way.

system-ovn-traffic.py serve NAME PORT ADDRESS...
    Answers, at PORT of each local ADDRESS, with that address and the client's.
    Writes NAME.pid when it listens.

system-ovn-traffic.py ask PROTOCOL SOURCE ADDRESS PORT FIRST N
    Makes N connections from SOURCE, ports FIRST and on, one after another's
    answer, 16 at a time, and prints for each "SPORT BACKEND CLIENT", what the
    server said, or "SPORT none none".  SOURCE may be a list with commas, to be
    used in turn: then SPORT is SOURCE:SPORT.

system-ovn-traffic.py refused ADDRESS PORT
    Succeeds if UDP packets to ADDRESS are answered by an ICMP error.

system-ovn-traffic.py stream NAME SOURCE ADDRESS PORT FIRST N
    Keeps N TCP connections busy, one question after the other on each, until
    file NAME.stop appears.  Writes NAME.pid when each has had an answer, and
    at the end NAME.result: "connections N, lost L, moved M", where a
    connection is lost if an answer did not come within 20 s, and moved if
    another backend answered.  Counts answers in NAME.turns.
"""

import asyncio
import concurrent.futures
import os
import selectors
import socket
import struct
import sys
import time

TRIES = 8
TIMEOUT = 1.5


def write_whole(path, text):
    with open(path + '.tmp', 'w') as f:
        f.write(text)
    os.rename(path + '.tmp', path)


def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET


# The parts of SCTP (RFC 9260) that both ends here need.

INIT, INIT_ACK, ABORT, COOKIE_ECHO, COOKIE_ACK = 1, 2, 6, 10, 11
DATA, SACK = 0, 3


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def chunk(kind, value, flags=0):
    return (struct.pack('>BBH', kind, flags, 4 + len(value)) + value
            + bytes(-len(value) % 4))


def data_chunk(text):
    return chunk(DATA, struct.pack('>IHHI', 1, 0, 0, 0) + text, 3)


def init_chunk(kind, tag, rest=b''):
    return chunk(kind, struct.pack('>IIHHI', tag, 65536, 1, 1, 1) + rest)


def sctp_packet(sport, dport, tag, *chunks):
    header = struct.pack('>HHI', sport, dport, tag)
    body = b''.join(chunks)
    crc = crc32c(header + bytes(4) + body)
    return header + struct.pack('<I', crc) + body


def sctp_parse(packet):
    """Returns (SPORT, DPORT, TAG, {KIND: VALUE}), or None if 'packet' is
    broken."""
    if len(packet) < 16:
        return None
    sport, dport, tag, crc = struct.unpack('>HHI', packet[:8]) + struct.unpack(
        '<I', packet[8:12])
    if crc32c(packet[:8] + bytes(4) + packet[12:]) != crc:
        return None
    chunks = {}
    offset = 12
    while offset + 4 <= len(packet):
        kind, _, size = struct.unpack('>BBH', packet[offset:offset + 4])
        if size < 4:
            return None
        chunks[kind] = packet[offset + 4:offset + size]
        offset += size + -size % 4
    return sport, dport, tag, chunks


def sctp_socket(address):
    s = socket.socket(family(address), socket.SOCK_RAW, socket.IPPROTO_SCTP)
    s.bind((address, 0))
    return s


def sctp_receive(s):
    """Returns the packet at 's', parsed, and its source."""
    packet, peer = s.recvfrom(65536)
    if s.family == socket.AF_INET:
        packet = packet[4 * (packet[0] & 15):]
    return sctp_parse(packet), peer[0]


def sctp_serve(s, port):
    """Answers the packet at 's'.  The server keeps no state: its cookie is the
    client's tag, and its own tag is the same."""
    parsed, client = sctp_receive(s)
    if not parsed or parsed[1] != port:
        return
    sport, dport, tag, chunks = parsed
    if INIT in chunks:
        tag = struct.unpack('>I', chunks[INIT][:4])[0]
        cookie = struct.pack('>HHI', 7, 8, tag)
        reply = [init_chunk(INIT_ACK, tag, cookie)]
    elif COOKIE_ECHO in chunks:
        tag = struct.unpack('>I', chunks[COOKIE_ECHO])[0]
        reply = [chunk(COOKIE_ACK, b'')]
    elif DATA in chunks:
        text = '%s %s' % (s.getsockname()[0], client)
        reply = [chunk(SACK, struct.pack('>IIHH', 1, 65536, 0, 0)),
                 data_chunk(text.encode())]
    else:
        return
    s.sendto(sctp_packet(dport, sport, tag, *reply), (client, 0))


def sctp_exchange(s, address, request, sport, dport, wanted):
    """Sends 'request' until a packet with chunk 'wanted' comes.  Returns that
    chunk's value."""
    for _ in range(TRIES):
        s.sendto(request, (address, 0))
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            s.settimeout(max(end - time.monotonic(), 0.001))
            try:
                parsed, peer = sctp_receive(s)
            except socket.timeout:
                break
            if (parsed and peer == address and parsed[:2] == (dport, sport)
                    and wanted in parsed[3]):
                return parsed[3][wanted]
    raise socket.timeout()


def ask_sctp(source, address, port, sport):
    tag = 0x10000 + sport
    with sctp_socket(source) as s:
        def exchange(wanted, tag, *chunks):
            request = sctp_packet(sport, port, tag, *chunks)
            return sctp_exchange(s, address, request, sport, port, wanted)

        value = exchange(INIT_ACK, 0, init_chunk(INIT, tag))
        peer_tag = struct.unpack('>I', value[:4])[0]
        cookie = value[20:]
        exchange(COOKIE_ACK, peer_tag, chunk(COOKIE_ECHO, cookie))
        return exchange(DATA, peer_tag, data_chunk(b'?'))[12:]


# TCP and UDP.

def client_socket(kind, source, sport):
    s = socket.socket(family(source), kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((source, sport))
    s.settimeout(TIMEOUT)
    return s


def ask_udp(source, address, port, sport):
    with client_socket(socket.SOCK_DGRAM, source, sport) as s:
        s.connect((address, port))
        for _ in range(TRIES):
            try:
                s.send(b'?\n')
                return s.recv(256)
            except (socket.timeout, ConnectionRefusedError):
                pass
    raise socket.timeout()


def ask_tcp(source, address, port, sport):
    with client_socket(socket.SOCK_STREAM, source, sport) as s:
        # Ends the connection by RST, so that the port is free again.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
        s.settimeout(TRIES * TIMEOUT)
        s.connect((address, port))
        s.sendall(b'?\n')
        return s.recv(256)


def ask(protocol, sources, address, port, first, n):
    function = {'tcp': ask_tcp, 'udp': ask_udp, 'sctp': ask_sctp}[protocol]
    sources = sources.split(',')

    def one(i):
        source = sources[i % len(sources)]
        sport = int(first) + i // len(sources)
        name = str(sport) if len(sources) == 1 else '%s:%d' % (source, sport)
        try:
            answer = function(source, address, int(port), sport).decode()
        except OSError:
            answer = ''
        return '%s %s' % (name, answer.strip() or 'none none')

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for line in pool.map(one, range(int(n))):
            print(line)


def refused(address, port):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.connect((address, int(port)))
        s.settimeout(TIMEOUT)
        for _ in range(TRIES):
            try:
                s.send(b'?\n')
                s.recv(256)
            except socket.timeout:
                pass
            except ConnectionRefusedError:
                return
    sys.exit('no ICMP error')


def serve(name, port, *addresses):
    port = int(port)
    selector = selectors.DefaultSelector()

    def accept(s):
        connection, _ = s.accept()
        selector.register(connection, selectors.EVENT_READ, answer)

    def answer(s):
        try:
            if s.recv(256):
                s.sendall(('%s %s\n' % (s.getsockname()[0],
                                        s.getpeername()[0])).encode())
                return
        except OSError:
            pass
        selector.unregister(s)
        s.close()

    def answer_udp(s):
        _, peer = s.recvfrom(256)
        s.sendto(('%s %s\n' % (s.getsockname()[0], peer[0])).encode(), peer)

    for address in addresses:
        tcp = socket.socket(family(address), socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((address, port))
        tcp.listen(256)
        selector.register(tcp, selectors.EVENT_READ, accept)
        udp = socket.socket(family(address), socket.SOCK_DGRAM)
        udp.bind((address, port))
        selector.register(udp, selectors.EVENT_READ, answer_udp)
        selector.register(sctp_socket(address), selectors.EVENT_READ,
                          lambda s: sctp_serve(s, port))
    write_whole(name + '.pid', '%d\n' % os.getpid())
    while True:
        for key, _ in selector.select():
            key.data(key.fileobj)


class Stream:
    """Connections that are kept busy."""

    def __init__(self, name):
        self.name = name
        self.lost = self.moved = self.turns = 0
        self.first = {}

    async def turn(self, i, reader, writer):
        writer.write(b'?\n')
        await writer.drain()
        line = await asyncio.wait_for(reader.readline(), 20)
        backend = line.split()[0]
        self.turns += 1
        if self.first.setdefault(i, backend) != backend:
            self.moved += 1

    async def connection(self, i, source, address, port, sport):
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(
                address, port, local_addr=(source, sport)), 20)
            while not os.path.exists(self.name + '.stop'):
                await self.turn(i, reader, writer)
                await asyncio.sleep(0.1)
            writer.close()
        except (OSError, IndexError, asyncio.TimeoutError):
            self.lost += 1

    async def tell(self, n):
        while True:
            if len(self.first) + self.lost == n:
                write_whole(self.name + '.turns', '%d\n' % self.turns)
                if not os.path.exists(self.name + '.pid'):
                    write_whole(self.name + '.pid', '%d\n' % os.getpid())
            await asyncio.sleep(0.1)

    async def run(self, source, address, port, first, n):
        teller = asyncio.ensure_future(self.tell(n))
        await asyncio.gather(*(self.connection(i, source, address, port,
                                               first + i)
                               for i in range(n)))
        teller.cancel()
        write_whole(self.name + '.result',
                    'connections %d, lost %d, moved %d\n'
                    % (n, self.lost, self.moved))


def stream(name, source, address, port, first, n):
    asyncio.run(Stream(name).run(source, address, int(port), int(first),
                                 int(n)))


if __name__ == '__main__':
    {'serve': serve, 'ask': ask, 'refused': refused,
     'stream': stream}[sys.argv[1]](*sys.argv[2:])
