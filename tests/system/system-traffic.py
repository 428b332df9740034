#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic for the system tests.

system-traffic.py serve NAME PORT
    HTTP server.  Answers any GET with NAME and the client's address.  A
    connection lasts as long as the client likes (HTTP/1.1).  Writes NAME.pid
    when it listens.

system-traffic.py hold ADDRESS PORT N FILE
    Opens N connections, asks on each who answers, and writes the lines
    "INDEX NAME" to FILE.0 and then FILE.pid.  Each time file FILE.ask appears,
    removes it and asks again on the same connections; writes FILE.1, FILE.2...
    A connection that does not answer within 3 seconds has the name "none",
    from then on.

system-traffic.py pcap FILE FLOWS PACKETS
    Writes PACKETS UDP packets to FILE, from FLOWS source ports in turn.  Ports
    start at 1.  The IP id counts the packets of each flow.

system-traffic.py tcp FILE FLAGS CONNECTIONS SIZE
    Writes a TCP packet of each of CONNECTIONS connections to FILE, with FLAGS
    (2: SYN, 16: ACK), from random sources, in frames of SIZE bytes.  The same
    arguments make the same packets.

system-traffic.py count FILE...
    Prints for each FILE, a pcap file that a switch wrote: its packets, its
    flows, and how many packets were out of order within their flow.

system-traffic.py gtpu FILE TUNNELS PACKETS
    Writes GTP-U packets to FILE: PACKETS G-PDUs in each of TUNNELS tunnels, of
    two connections each, UDP over IPv4 or IPv6, sent by two base stations in
    turn; and 100 Echo Requests of each of 8 base stations.

system-traffic.py upfs FILE FILE...
    Of the packets in the first FILE, written by "gtpu", prints how many
    arrived unchanged but for their MAC addresses in each other FILE, and how
    many tunnels, connections and base stations' Echo Requests arrived in more
    than one of them.
"""

import concurrent.futures
import http.client
import http.server
import os
import random
import struct
import sys
import time


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away causes no traceback."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        body = '%s %s\n' % (self.server.name, self.client_address[0])
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


def write_whole(path, text):
    with open(path + '.tmp', 'w') as f:
        f.write(text)
    os.rename(path + '.tmp', path)


def serve(name, port):
    server = Server(('', int(port)), Handler)
    server.name = name
    write_whole(name + '.pid', '%d\n' % os.getpid())
    server.serve_forever()


def ask(connection):
    try:
        if not connection.sock:
            connection.connect()
            connection.auto_open = 0
        connection.request('GET', '/')
        return connection.getresponse().read().split()[0].decode()
    except (OSError, http.client.HTTPException):
        return 'none'


def hold(address, port, n, path):
    connections = [http.client.HTTPConnection(address, int(port), timeout=3)
                   for _ in range(int(n))]
    pool = concurrent.futures.ThreadPoolExecutor(len(connections))
    turn = 0
    while True:
        answers = pool.map(ask, connections)
        write_whole('%s.%d' % (path, turn),
                    ''.join('%d %s\n' % pair for pair in enumerate(answers)))
        if not turn:
            write_whole(path + '.pid', '%d\n' % os.getpid())
        turn += 1
        while not os.path.exists(path + '.ask'):
            time.sleep(0.02)
        os.unlink(path + '.ask')


def checksum(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return 0xffff & ~(total + (total >> 16))


def pcap(path, flows, packets):
    payload = bytes(18)
    length = 8 + len(payload)
    ethernet = bytes.fromhex('020000000001' '020000000002' '0800')
    with open(path, 'wb') as f:
        f.write(struct.pack('>IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(int(packets)):
            turn, flow = divmod(i, int(flows))
            ip = struct.pack('>BBHHHBBH4B4B', 0x45, 0, 20 + length, turn,
                             0x4000, 64, 17, 0, 10, 0, 0, 1, 10, 0, 0, 100)
            ip = ip[:10] + struct.pack('>H', checksum(ip)) + ip[12:]
            udp = struct.pack('>HHHH', flow + 1, 80, length, 0)
            frame = ethernet + ip + udp + payload
            f.write(struct.pack('>IIII', i // 1000, 0, len(frame),
                                len(frame)) + frame)


def tcp(path, flags, connections, size):
    random.seed(path)
    payload = bytes(int(size) - 54)
    length = 20 + len(payload)
    ethernet = bytes.fromhex('020000000001' '020000000002' '0800')
    with open(path, 'wb') as f:
        f.write(struct.pack('>IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(int(connections)):
            src = bytes([random.randint(11, 126)]) + random.randbytes(3)
            ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + length, 0, 0x4000, 64,
                             6, 0) + src + bytes([10, 0, 0, 100])
            ip = ip[:10] + struct.pack('>H', checksum(ip)) + ip[12:]
            segment = struct.pack('>HHIIBBHHH', random.randint(1024, 65535),
                                  80, i, 0, 0x50, int(flags), 65535, 0, 0)
            pseudo = ip[12:] + struct.pack('>HH', 6, length)
            segment = (segment[:16]
                       + struct.pack('>H', checksum(pseudo + segment
                                                    + payload))
                       + segment[18:])
            frame = ethernet + ip + segment + payload
            f.write(struct.pack('>IIII', i // 1000, 0, len(frame),
                                len(frame)) + frame)


def count(*paths):
    for path in paths:
        with open(path, 'rb') as f:
            data = f.read()
        order = '<' if data[0] != 0xa1 else '>'
        offset = 24
        turns = {}
        packets = disorder = 0
        while offset < len(data):
            size, = struct.unpack_from(order + 'I', data, offset + 8)
            offset += 16
            turn, = struct.unpack_from('>H', data, offset + 18)
            flow, = struct.unpack_from('>H', data, offset + 34)
            disorder += turns.get(flow, -1) >= turn
            turns[flow] = turn
            packets += 1
            offset += size
        print(packets, len(turns), disorder)


def ip_packet(src, dst, payload):
    if len(src) == 4:
        header = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0,
                             64, 17, 0) + src + dst
        return (header[:10] + struct.pack('>H', checksum(header))
                + header[12:] + payload)
    return struct.pack('>IHBB', 6 << 28, len(payload), 17, 64) + src + dst \
        + payload


def gtpu_frame(station, sport, kind, teid, payload, flags=0x30):
    message = struct.pack('>BBHI', flags, kind, len(payload), teid) + payload
    udp = struct.pack('>HHHH', sport, 2152, 8 + len(message), 0) + message
    return (bytes.fromhex('020000000001' '020000000002' '0800')
            + ip_packet(bytes([172, 31, 0, station]),
                        bytes([172, 31, 0, 100]), udp))


def gtpu(path, tunnels, packets):
    with open(path, 'wb') as f:
        f.write(struct.pack('>IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))

        def write(frame):
            f.write(struct.pack('>IIII', 0, 0, len(frame), len(frame)) + frame)

        for turn in range(int(packets)):
            for tunnel in range(1, int(tunnels) + 1):
                user = struct.pack('>BBH', 10, 60, tunnel)
                server = bytes([192, 0, 2, 1])
                if tunnel % 2:
                    user, server = (bytes([0xfd]) + bytes(11) + a
                                    for a in (user, server))
                connection = struct.pack('>HHHH', 5000 + turn % 2, 443, 12, 0)
                write(gtpu_frame(
                    1 + turn // 2 % 2, 2152 + turn, 255, tunnel,
                    ip_packet(user, server,
                              connection + struct.pack('>I', turn))))
        for seq in range(100):
            for station in range(1, 9):
                write(gtpu_frame(station, 30000 + seq, 1, 0,
                                 struct.pack('>HH', seq, 0), 0x32))


def frames(path):
    with open(path, 'rb') as f:
        data = f.read()
    order = '<' if data[0] != 0xa1 else '>'
    offset = 24
    while offset < len(data):
        size, = struct.unpack_from(order + 'I', data, offset + 8)
        yield data[offset + 16:offset + 16 + size]
        offset += 16 + size


def upfs(path, *paths):
    sent = set(frame[12:] for frame in frames(path))
    seen = {'tunnels': {}, 'connections': {}, 'stations': {}}
    for path in paths:
        unchanged = 0
        for frame in frames(path):
            unchanged += frame[12:] in sent
            sent.discard(frame[12:])
            inner = frame[50:]
            if frame[43] == 255:
                keys = [('tunnels', frame[46:50]),
                        ('connections', inner[12:24] if inner[0] == 0x45
                         else inner[8:44])]
            else:
                keys = [('stations', frame[26:30])]
            for kind, key in keys:
                seen[kind].setdefault(key, set()).add(path)
        print('arrived:', unchanged)
    for kind, keys in seen.items():
        print('%s in several: %d of %d'
              % (kind, sum(len(where) > 1 for where in keys.values()),
                 len(keys)))


if __name__ == '__main__':
    {'serve': serve, 'hold': hold, 'pcap': pcap, 'tcp': tcp,
     'count': count, 'gtpu': gtpu, 'upfs': upfs}[sys.argv[1]](*sys.argv[2:])
