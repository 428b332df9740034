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

system-traffic.py count FILE...
    Prints for each FILE, a pcap file that a switch wrote: its packets, its
    flows, and how many packets were out of order within their flow.
"""

import concurrent.futures
import http.client
import http.server
import os
import struct
import sys
import time


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is not worth a traceback."""


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


if __name__ == '__main__':
    {'serve': serve, 'hold': hold, 'pcap': pcap,
     'count': count}[sys.argv[1]](*sys.argv[2:])
