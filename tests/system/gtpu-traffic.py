#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic of the users of a mobile network, for tests/system-gtpu-*.at: UDP,
TCP and ICMP of the kernel's stack, which minds lengths and checksums.

User equipment ("UE") I has an address by its number: 10.60.0.0 + I if I is
even, and fd60::I if it is odd.  The server is 10.1.0.100 and fd10::100.

    gtpu-traffic.py serve PORT...

answers UDP and TCP on each PORT with what was sent, if the number of the UE
that the message begins with goes with the address that it came from, and
otherwise with "wrong".  Writes its process id to serve.pid when it listens.

    gtpu-traffic.py udp N ROUNDS PORT
    gtpu-traffic.py tcp N PORT
    gtpu-traffic.py icmp N

has each of UEs 1 to N send ROUNDS datagrams, 20 kB through a connection, or an
Echo Request, and prints how many answers were right, how many wrong or to a UE
that did not ask, and how many did not come.  No datagram is sent twice, and no
more than 32 are under way.

    gtpu-traffic.py until FILE PORT

has UE 2 send datagrams, one at a time, until FILE exists, and prints the same.

    gtpu-traffic.py tos PORT ROUNDS TOS...

has UE 2 send ROUNDS datagrams with each TOS, and prints for each TOS those
that the answers came with.

    gtpu-traffic.py flows N ROUNDS HEADERS < FLOWS

compares the statistics in the dump of FLOWS, whose cookies have the numbers of
UEs in their last 16 bits, with what "udp" sends in one direction, if each
packet has HEADERS octets before its IP header.  Prints how many are right, and
others in full."""

import concurrent.futures
import os
import random
import re
import resource
import selectors
import socket
import struct
import sys
import threading
import time

WINDOW = 32
PATIENCE = 20


def address(i):
    if i % 2:
        return 'fd60::%x' % i
    return '10.60.%d.%d' % (i >> 8, i & 0xff)


def server(i):
    return 'fd10::100' if i % 2 else '10.1.0.100'


def family(i):
    return socket.AF_INET6 if i % 2 else socket.AF_INET


def size(i):
    """The length of the datagrams of UE 'i', each UE another."""
    return 20 + i


def payload(i, turn):
    head = struct.pack('!II', i, turn)
    return head + random.Random(i << 16 | turn).randbytes(size(i) - len(head))


def answer(data, sender):
    """What the server says to 'data' from the address 'sender'."""
    if len(data) < 4 or sender != address(*struct.unpack('!I', data[:4])):
        return b'wrong'
    return data


def ue_socket(i, kind, port=0):
    sock = socket.socket(family(i), kind)
    sock.bind((address(i), port))
    return sock


def write_pid(name):
    with open(name + '.tmp', 'w') as f:
        print(os.getpid(), file=f)
    os.rename(name + '.tmp', name)


def serve_udp(sock):
    while True:
        data, sender = sock.recvfrom(2048)
        sock.sendto(answer(data, sender[0]), sender)


def serve_tcp(sock):
    sender = sock.getpeername()[0]
    data = b''
    with sock:
        while True:
            more = sock.recv(65536)
            if not more:
                return
            if not data:
                data = answer(more, sender)
                if data == b'wrong':
                    sock.sendall(data)
                    return
            sock.sendall(more)


def serve_accept(listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve_tcp, args=(sock,), daemon=True).start()


def serve(*ports):
    for port in ports:
        for i in (0, 1):
            sock = socket.socket(family(i), socket.SOCK_DGRAM)
            sock.bind((server(i), int(port)))
            threading.Thread(target=serve_udp, args=(sock,),
                             daemon=True).start()
            listener = socket.socket(family(i), socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((server(i), int(port)))
            listener.listen(1024)
            threading.Thread(target=serve_accept, args=(listener,),
                             daemon=True).start()
    write_pid('serve.pid')
    threading.Event().wait()


class Tally:
    def __init__(self):
        self.right = self.wrong = self.missing = 0

    def show(self):
        print('%d right, %d wrong, %d missing'
              % (self.right, self.wrong, self.missing))


def windowed(messages, send, receive):
    """Sends each of 'messages' by 'send', and takes answers by 'receive',
    which waits a moment for some and returns them as a list.  An answer must
    be what was sent, once."""
    tally = Tally()
    waiting = set()
    messages = iter(messages)
    done = False
    late = time.monotonic() + PATIENCE
    while not done or waiting:
        while not done and len(waiting) < WINDOW:
            message = next(messages, None)
            if message is None:
                done = True
            else:
                waiting.add(message)
                send(message)
        if not waiting:
            break
        for got in receive():
            if got in waiting:
                waiting.remove(got)
                tally.right += 1
                late = time.monotonic() + PATIENCE
            else:
                tally.wrong += 1
        if time.monotonic() > late:
            tally.missing += len(waiting)
            waiting.clear()
    # What nobody waits for.
    tally.wrong += len(receive())
    return tally


def udp(n, rounds, port):
    n, rounds, port = int(n), int(rounds), int(port)
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, n + 100))
    selector = selectors.DefaultSelector()
    socks = {}
    for i in range(1, n + 1):
        socks[i] = ue_socket(i, socket.SOCK_DGRAM, 5000)
        selector.register(socks[i], selectors.EVENT_READ, i)

    def send(message):
        i, data = message
        socks[i].sendto(data, (server(i), port))

    def receive():
        return [(key.data, key.fileobj.recvfrom(2048)[0])
                for key, _ in selector.select(0.2)]

    windowed(((i, payload(i, turn)) for turn in range(rounds)
              for i in range(1, n + 1)), send, receive).show()


def tcp_one(i, port):
    data = struct.pack('!I', i) + random.Random(i).randbytes(20000)
    got = b''
    try:
        with ue_socket(i, socket.SOCK_STREAM) as sock:
            sock.settimeout(PATIENCE)
            sock.connect((server(i), port))
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while True:
                more = sock.recv(65536)
                if not more:
                    break
                got += more
    except OSError:
        return None
    return got == data


def tcp(n, port):
    tally = Tally()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for ok in pool.map(lambda i: tcp_one(i, int(port)),
                           range(1, int(n) + 1)):
            tally.right += ok is True
            tally.wrong += ok is False
            tally.missing += ok is None
    tally.show()


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return 0xffff & ~(total + (total >> 16))


def icmp(n):
    n = int(n)
    v4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    v6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                       socket.IPPROTO_ICMPV6)
    v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    selector = selectors.DefaultSelector()
    for sock in v4, v6:
        selector.register(sock, selectors.EVENT_READ)

    def send(message):
        _, data = message
        i, = struct.unpack('!H', data[:2])
        src = socket.inet_pton(family(i), address(i))
        if i % 2:
            v6.sendmsg([struct.pack('!BBH', 128, 0, 0) + data],
                       [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO,
                         src + bytes(4))], 0, (server(i), 0))
        else:
            packet = struct.pack('!BBH', 8, 0, 0) + data
            packet = (packet[:2] + struct.pack('!H', checksum(packet))
                      + packet[4:])
            v4.sendmsg([packet], [(socket.IPPROTO_IP, 8,   # IP_PKTINFO
                                   struct.pack('i', 0) + src + bytes(4))],
                       0, (server(i), 0))

    def receive():
        found = []
        for key, _ in selector.select(0.2):
            data, control, _, _ = key.fileobj.recvmsg(2048, 256)
            if key.fileobj is v4:
                to = socket.inet_ntop(socket.AF_INET, data[16:20])
                data = data[20:]
                answered = data[0] == 0
            else:
                to = socket.inet_ntop(socket.AF_INET6, control[0][2][:16])
                answered = data[0] == 129
            if answered:
                found.append((to, data[4:]))
        return found

    windowed(((address(i), struct.pack('!HH', i, 7) + bytes(i % 1000 & ~1))
              for i in range(1, n + 1)), send, receive).show()


def until(path, port):
    tally = Tally()
    sock = ue_socket(2, socket.SOCK_DGRAM, 5001)
    sock.settimeout(PATIENCE)
    turn = 0
    while not os.path.exists(path):
        data = payload(2, turn)
        sock.sendto(data, (server(2), int(port)))
        turn += 1
        try:
            while True:
                got = sock.recv(2048)
                if got == data:
                    tally.right += 1
                    break
                tally.wrong += 1
        except socket.timeout:
            tally.missing += 1
    tally.show()


def tos(port, rounds, *values):
    sock = ue_socket(2, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    for value in map(int, values):
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value)
        came = set()
        for turn in range(int(rounds)):
            sock.sendto(payload(2, turn), (server(2), int(port)))
            data, control, _, _ = sock.recvmsg(2048, 256)
            came.add(control[0][2][0] if data == payload(2, turn)
                     else 'wrong')
        print('%d: %s' % (value, ' '.join(map(str, sorted(came)))))


def flows(n, rounds, headers):
    n, rounds, headers = int(n), int(rounds), int(headers)
    right = 0
    for line in sys.stdin:
        found = re.search(r'cookie=(\w+),.* n_packets=(\d+), n_bytes=(\d+)',
                          line)
        i = int(found.group(1), 16) & 0xffff if found else 0
        if not 1 <= i <= n:
            continue
        ip = 40 if i % 2 else 20
        expected = rounds, rounds * (headers + ip + 8 + size(i))
        got = int(found.group(2)), int(found.group(3))
        right += got == expected
        if got != expected:
            print('UE %d: %d packets, %d bytes; should be %d, %d'
                  % ((i,) + got + expected))
    print('%d of %d right' % (right, n))


if __name__ == '__main__':
    {'serve': serve, 'udp': udp, 'tcp': tcp, 'icmp': icmp, 'until': until,
     'tos': tos, 'flows': flows}[sys.argv[1]](*sys.argv[2:])
