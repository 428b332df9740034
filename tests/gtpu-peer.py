#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A GTP-U peer on a host of a system test: UDP sockets of the kernel, which
checks what it receives, and packets written by tests/gtpu-packet.py, without
any code of ours.

    gtpu-peer.py echo ADDRESS COUNT [PORT]

sends COUNT Echo Requests to ADDRESS, each after the answer to the one before,
from source port PORT, 2152 by default, and prints how many answers came and
were right.

    gtpu-peer.py flood INTERFACE MAC ADDRESS COUNT

sends COUNT Echo Requests through INTERFACE to MAC and ADDRESS, from the
addresses of its /16 in turn.

    gtpu-peer.py serve

answers Echo Requests, and writes its process id to serve.pid when it is
ready."""

import importlib.machinery
import importlib.util
import os
import socket
import struct
import sys


def load_packet():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        'gtpu-packet.py')
    loader = importlib.machinery.SourceFileLoader('gtpu_packet', path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('gtpu_packet', loader))
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
    sock = udp_socket('0.0.0.0', 2152)
    with open('serve.pid', 'w') as file:
        print(os.getpid(), file=file)
    while True:
        data, sender = sock.recvfrom(2000)
        if len(data) >= 12 and data[:2] == b'\x32\x01':
            seq, = struct.unpack('!H', data[8:10])
            sock.sendto(echo_response(seq), sender)


def flood(interface, mac, address, count):
    packet = load_packet()
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


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == 'echo':
        port = int(args[2]) if len(args) > 2 else 2152
        echo(args[0], int(args[1]), port)
    elif command == 'serve':
        serve()
    else:
        flood(*args[:3], int(args[3]))


if __name__ == '__main__':
    main()
