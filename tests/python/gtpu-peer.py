#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A GTP-U peer on a host of a system test: UDP sockets of the kernel, which
checks what it receives, and packets written by tests/python/gtpu-packet.py,
without any code of ours.

    gtpu-peer.py echo ADDRESS COUNT [PORT]

sends COUNT Echo Requests to ADDRESS, each after the answer to the one before,
from source port PORT, 2152 by default, and prints how many answers came and
were right.

    gtpu-peer.py flood INTERFACE MAC ADDRESS COUNT

sends COUNT Echo Requests through INTERFACE to MAC and ADDRESS, from the
addresses of its /16 in turn.

    gtpu-peer.py serve

answers Echo Requests, and writes its process id to serve.pid when it is
ready.

    gtpu-peer.py ask ADDRESS N MESSAGE...

sends each MESSAGE, in hexadecimal, to ADDRESS from port 2152, and prints the
first N messages that come from there, sorted.

    gtpu-peer.py storm INTERFACE MAC SRC DST ROUNDS

sends each line of the table of tests/python/gtpu-refused.py for IPv4 but
fragments, which a DPDK port on AF_PACKET has the kernel put together first,
ROUNDS times, from SRC to DST.  Between rounds, an Echo Request to
DST by a socket must be answered, so that no queue runs over.  Prints how many
packets there were of each kind, sorted."""

import collections
import importlib.machinery
import importlib.util
import os
import socket
import struct
import sys


def load(name):
    """Returns the module of another script of this folder."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        name + '.py')
    loader = importlib.machinery.SourceFileLoader(name.replace('-', '_'), path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def echo_request(seq):
    return struct.pack('!BBHIHH', 0x32, 1, 4, 0, seq, 0)


def echo_response(seq):
    return struct.pack('!BBHIHHBB', 0x32, 2, 6, 0, seq, 0, 14, 0)


def udp_socket(address, port):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind(('', port))
    return sock


def echo(address, count, port):
    sock = udp_socket(address, port)
    sock.settimeout(1)
    right = 0
    for seq in range(count):
        for _ in range(5):
            sock.sendto(echo_request(seq), (address, 2152))
            try:
                data, sender = sock.recvfrom(2000)
            except socket.timeout:
                continue
            if data == echo_response(seq) and sender[:2] == (address, 2152):
                right += 1
                break
    print('%d answers' % right)


def serve():
    sock = udp_socket('::', 2152)
    with open('serve.pid', 'w') as file:
        print(os.getpid(), file=file)
    while True:
        data, sender = sock.recvfrom(2000)
        if len(data) >= 12 and data[:2] == b'\x32\x01':
            seq, = struct.unpack('!H', data[8:10])
            sock.sendto(echo_response(seq), sender)


def flood(interface, mac, address, count):
    packet = load('gtpu-packet')
    packet.LOCAL_MAC = bytes.fromhex(mac.replace(':', ''))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    prefix = '.'.join(address.split('.')[:2])
    for i in range(count):
        src = '%s.%d.%d' % (prefix, 1 + i // 250 % 250, 1 + i % 250)
        sock.send(packet.make_outer('', flags='0x32', type='1', teid='0',
                                    opt='%04x0000' % (i & 0xffff), src=src,
                                    dst=address))
    print('%d sent' % count)


def ask(address, n, messages):
    sock = udp_socket(address, 2152)
    sock.settimeout(20)
    for message in messages:
        sock.sendto(bytes.fromhex(message), (address, 2152))
    found = []
    try:
        while len(found) < n:
            data, sender = sock.recvfrom(2000)
            if sender[0] == address:
                found.append(data.hex())
    except socket.timeout:
        found.append('no more')
    print('\n'.join(sorted(found)))


def storm(interface, mac, src, dst, rounds):
    refused = load('gtpu-refused')
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((interface, 0))
    outer = {'src': src, 'dst': dst, 'smac': raw.getsockname()[4].hex()}
    mac = bytes.fromhex(mac.replace(':', ''))
    frames = []
    counts = collections.Counter()
    for _, reason, payload, keys in refused.ROWS + refused.ROWS_IPV4:
        if reason not in ('host', 'fragment'):
            data = refused.INNER[4] if payload == 'INNER' else payload
            frames.append(mac + refused.build(data, keys, 4, **outer)[6:])
            counts[reason] += rounds
    sock = udp_socket(dst, 2152)
    sock.settimeout(10)
    for seq in range(rounds):
        for frame in frames:
            raw.send(frame)
        sock.sendto(echo_request(seq & 0xffff), (dst, 2152))
        # There are Supported Extension Headers Notifications, too.
        while sock.recv(2000) != echo_response(seq & 0xffff):
            pass
    for reason, n in sorted(counts.items()):
        print(reason, n)


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == 'echo':
        port = int(args[2]) if len(args) > 2 else 2152
        echo(args[0], int(args[1]), port)
    elif command == 'serve':
        serve()
    elif command == 'ask':
        ask(args[0], int(args[1]), args[2:])
    elif command == 'storm':
        storm(*args[:4], int(args[4]))
    else:
        flood(*args[:3], int(args[3]))


if __name__ == '__main__':
    main()
