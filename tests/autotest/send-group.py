#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends one group to a switch, byte by byte, as any controller could.

send-group.py SOCKET GROUP METHOD PARAM FIELDS [PORT...]

Connects to the switch's management socket with OpenFlow 1.5 and adds select
group GROUP, with a bucket of weight 1 that outputs to each PORT, and with the
NTR selection-method property: METHOD, PARAM, and FIELDS, the OXM TLVs in hex.
Prints "ok", or "error TYPE CODE".  No code of Open vSwitch is used.
"""

import socket
import struct
import sys

HELLO, ERROR, GROUP_MOD, BARRIER_REQUEST, BARRIER_REPLY = 0, 1, 15, 20, 21


def message(kind, xid, body=b''):
    return struct.pack('>BBHI', 6, kind, 8 + len(body), xid) + body


def receive(stream):
    header = stream.read(8)
    _, kind, length, xid = struct.unpack('>BBHI', header)
    return kind, xid, stream.read(length - 8)


def bucket(number, port):
    action = struct.pack('>HHIH6x', 0, 16, port, 0xffff)
    weight = struct.pack('>HHH2x', 0, 8, 1)
    return struct.pack('>HHI', 8 + len(action) + len(weight), len(action),
                       number) + action + weight


def group_mod(group, method, param, fields, ports):
    buckets = b''.join(bucket(i, port) for i, port in enumerate(ports))
    prop = struct.pack('>HHIII16sQ', 0xffff, 40 + len(fields), 0x154d, 1, 0,
                       method, param) + fields
    prop += bytes(-len(prop) % 8)
    return struct.pack('>HBBIHHI', 0, 1, 0, group, len(buckets), 0,
                       0xffffffff) + buckets + prop


def main(path, group, method, param, fields, *ports):
    switch = socket.socket(socket.AF_UNIX)
    switch.settimeout(10)
    switch.connect(path)
    stream = switch.makefile('rb')
    switch.sendall(message(HELLO, 1))
    body = group_mod(int(group), method.encode(), int(param),
                     bytes.fromhex(fields), [int(port) for port in ports])
    switch.sendall(message(GROUP_MOD, 2, body) + message(BARRIER_REQUEST, 3))
    result = 'ok'
    while True:
        kind, xid, body = receive(stream)
        if kind == ERROR and xid == 2:
            result = 'error %d %d' % struct.unpack('>HH', body[:4])
        elif kind == BARRIER_REPLY:
            print(result)
            return


main(*sys.argv[1:])
