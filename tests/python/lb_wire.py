# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.5 on the wire, as far as select groups need it.

Without any code of Open vSwitch, and fast: messages are bytes that can be made
beforehand and sent many at once.
"""

import socket
import struct

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
GROUP_MOD, MULTIPART_REQUEST, MULTIPART_REPLY = 15, 18, 19
BARRIER_REQUEST, BARRIER_REPLY = 20, 21
BUNDLE_CONTROL, BUNDLE_ADD = 33, 34
ADD, MODIFY, DELETE, INSERT_BUCKET, REMOVE_BUCKET = 0, 1, 2, 3, 5
FIRST, LAST, ALL = 0xfffffffd, 0xfffffffe, 0xffffffff


def message(kind, body=b'', xid=0):
    return struct.pack('!BBHI', 6, kind, 8 + len(body), xid) + body


def output(port):
    return struct.pack('!HHIH6x', 0, 16, port, 0xffff)


def to_group(group):
    return struct.pack('!HHI', 22, 8, group)


def resubmit(table):
    return struct.pack('!HHIHHB3x', 0xffff, 16, 0x2320, 14, 0xfff8, table)


def set_eth_dst(mac):
    """Sets the Ethernet destination to the integer 'mac'."""
    return struct.pack('!HHI6s2x', 25, 16, 0x80000606, mac.to_bytes(6, 'big'))


def bucket(number, actions, weight=1, watch_port=None):
    props = struct.pack('!HHH2x', 0, 8, weight)
    if watch_port is not None:
        props += struct.pack('!HHI', 1, 8, watch_port)
    return struct.pack('!HHI', 8 + len(actions) + len(props), len(actions),
                       number) + actions + props


def group_mod(command, group, buckets=(), where=ALL, method=None, param=0,
              fields=b''):
    """A select group, with selection method 'method' if there is one.
    'where' is a bucket's number, FIRST, LAST or ALL."""
    buckets = b''.join(buckets)
    prop = b''
    if method is not None:
        prop = struct.pack('!HHIII16sQ', 0xffff, 40 + len(fields), 0x154d, 1,
                           0, method.encode(), param) + fields
        prop += bytes(-len(prop) % 8)
    return message(GROUP_MOD, struct.pack('!HBBIHHI', command, 1, 0, group,
                                          len(buckets), 0, where)
                   + buckets + prop)


class Switch:
    """A connection to a switch's management socket."""

    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.stream = self.socket.makefile('rb')
        self.errors = []
        self.xid = 1
        self.socket.sendall(message(HELLO))

    def receive(self, kind, xid):
        """The body of the reply of 'kind' to 'xid'.  Errors that come before
        it are kept, as pairs (type, code)."""
        while True:
            header = self.stream.read(8)
            if len(header) < 8:
                raise EOFError('the switch closed the connection')
            _, got, length, got_xid = struct.unpack('!BBHI', header)
            body = self.stream.read(length - 8)
            if got == ERROR:
                self.errors.append(struct.unpack('!HH', body[:4]))
                if got_xid == xid and kind != BARRIER_REPLY:
                    return b''
            elif got == ECHO_REQUEST:
                self.socket.sendall(message(ECHO_REPLY, body, got_xid))
            elif got == kind and got_xid == xid:
                return body

    def send(self, data):
        self.socket.sendall(data)

    def sync(self, data=b''):
        """Sends 'data' and waits until the switch has done all of it."""
        self.xid += 1
        self.send(data + message(BARRIER_REQUEST, xid=self.xid))
        self.receive(BARRIER_REPLY, self.xid)

    def bundle(self, messages):
        """Sends 'messages' as one bundle."""
        self.xid += 1
        self.send(b''.join(
            [message(BUNDLE_CONTROL, struct.pack('!IHH', 1, 0, 3), self.xid)]
            + [message(BUNDLE_ADD, struct.pack('!I2xH', 1, 3)
                       + m[:4] + struct.pack('!I', self.xid) + m[8:], self.xid)
               for m in messages]
            + [message(BUNDLE_CONTROL, struct.pack('!IHH', 1, 4, 3),
                       self.xid)]))
        self.receive(BUNDLE_CONTROL, self.xid)
        if not self.errors:
            self.receive(BUNDLE_CONTROL, self.xid)

    def port_request(self, port):
        """A message that asks for the counters of 'port'."""
        self.xid += 1
        return message(MULTIPART_REQUEST, struct.pack('!HH4xI4x', 4, 0, port),
                       self.xid)

    def port_reply(self, request):
        """Packets that the port has received and sent, by the reply to
        'request'.  Replies come in the order of requests."""
        xid, = struct.unpack('!I', request[4:8])
        body = self.receive(MULTIPART_REPLY, xid)
        return struct.unpack('!QQ', body[8 + 16:8 + 32])

    def port_packets(self, port):
        """The same, sent and waited for."""
        request = self.port_request(port)
        self.send(request)
        return self.port_reply(request)
