# SPDX-License-Identifier: Apache-2.0

"""Servers, clients and an eavesdropper for tests of direct return."""

import json
import socket
import struct
import subprocess
import sys
import threading

from nodes import Server, run

ETH_IPV4, ETH_IPV6 = 0x0800, 0x86dd


class Echo(Server):
    """A server of TCP and UDP.  It says its name and the client's address,
    then what it was sent.  TCP: a line, or all up to the end if the first
    line is "all"."""

    program = r"""
import socket, sys, threading

def serve(c, source):
    f = c.makefile("rwb")
    head = ("%s %s\n" % (sys.argv[2], source)).encode()
    for line in f:
        if line == b"all\n":
            data = f.read()
            f.write(head + data)
            f.flush()
            break
        f.write(head[:-1] + b" " + line)
        f.flush()
    f.close()
    c.close()

def serve_udp():
    u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    u.bind(("::", int(sys.argv[1])))
    while True:
        data, a = u.recvfrom(65536)
        u.sendto(("%s %s %d " % (sys.argv[2], a[0], len(data))).encode()
                 + data[-9:], a)

s = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6,
                         dualstack_ipv6=True, backlog=100)
threading.Thread(target=serve_udp, daemon=True).start()
print("ready", flush=True)
while True:
    c, a = s.accept()
    threading.Thread(target=serve, args=(c, a[0]), daemon=True).start()
"""

    def __init__(self, netns, port=8080):
        # pylint: disable=super-init-not-called
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", netns, sys.executable, "-c", self.program,
             str(port), netns], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"


class Client:
    """'n' connections from 'netns' to a Service.  ask() sends a line on each
    and returns who answered, a list of pairs (server, client's address); a
    connection that does not answer gives None."""

    program = r"""
import json, socket, sys
cs = [socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
      for _ in range(int(sys.argv[3]))]
fs = [c.makefile("rwb") for c in cs]
print("ready", flush=True)
for _ in sys.stdin:
    got = []
    for f in fs:
        try:
            f.write(b"x\n")
            f.flush()
            got.append(f.readline().decode().split()[:2] or None)
        except OSError:
            got.append(None)
    print(json.dumps(got), flush=True)
"""

    def __init__(self, netns, address, port, n=1):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", netns, sys.executable, "-c", self.program,
             address, str(port), str(n)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [got and tuple(got)
                for got in json.loads(self.process.stdout.readline())]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def transfer(netns, address, port, size):
    """Sends 'size' octets by TCP and gets them back.  Returns the server and
    the client's address that it saw."""
    out = run("ip", "netns", "exec", netns, sys.executable, "-c", r"""
import os, socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
data = os.urandom(int(sys.argv[3]))
c.sendall(b"all\n" + data)
c.shutdown(socket.SHUT_WR)
f = c.makefile("rb")
print(f.readline().decode(), end="")
assert f.read() == data
""", address, str(port), str(size))
    return tuple(out.split())


def ask_udp(netns, address, port, size=10, source_port=0):
    """Sends 'size' octets by UDP.  Returns the server, the client's address
    that it saw, and the size that it saw, or None."""
    out = run("ip", "netns", "exec", netns, sys.executable, "-c", r"""
import os, socket, sys
u = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                  socket.SOCK_DGRAM)
u.bind(("", int(sys.argv[4])))
u.connect((sys.argv[1], int(sys.argv[2])))
u.settimeout(1)
end = b"end of it"
for _ in range(5):
    try:
        u.send(bytes(int(sys.argv[3]) - len(end)) + end)
        data = u.recv(65536)
        assert data.endswith(end)
        print(data[:-len(end)].decode())
        break
    except OSError:
        pass
""", address, str(port), str(size), str(source_port))
    return tuple(out.split()) or None


class Ear:
    """Listens to what a node sends to the wire by its uplink, and counts IP
    packets by source.  What is within tunnels does not count."""

    def __init__(self, node):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind(("w-" + node.name, 0))
        self.socket.settimeout(0.2)
        self.counts = {}
        self.stopped = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while True:
            try:
                data, address = self.socket.recvfrom(65535)
            except socket.timeout:
                if self.stopped:
                    return
                continue
            if address[2] == socket.PACKET_OUTGOING or len(data) < 54:
                continue
            kind, = struct.unpack(">H", data[12:14])
            source = (socket.inet_ntop(socket.AF_INET, data[26:30])
                      if kind == ETH_IPV4 else
                      socket.inet_ntop(socket.AF_INET6, data[22:38])
                      if kind == ETH_IPV6 else None)
            ports = data[34:36] if kind == ETH_IPV4 else data[54:56]
            key = source, struct.unpack(">H", ports)[0]
            self.counts[key] = self.counts.get(key, 0) + 1

    def stop(self):
        """Returns the numbers of packets by (source, source port)."""
        self.stopped = True
        self.thread.join()
        self.socket.close()
        return self.counts


def heard(function, *lab_nodes):
    """Calls 'function'.  Returns its result and what Ears at the nodes have
    heard meanwhile."""
    ears = [Ear(node) for node in lab_nodes]
    try:
        result = function()
    finally:
        counts = [ear.stop() for ear in ears]
    return (result, *counts)


class Recorder(Server):
    """A server of UDP that answers nothing and tells what it got."""

    def __init__(self, netns, port=8080):
        # pylint: disable=super-init-not-called
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", netns, sys.executable, "-u", "-c", r"""
import socket, sys
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.bind(("::", int(sys.argv[1])))
print("ready")
while True:
    print(u.recvfrom(9999)[0].decode())
""", str(port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def until(self, last):
        """What came up to 'last'."""
        got = []
        while last not in got:
            got.append(self.process.stdout.readline().strip())
            assert got[-1], "the server has ended"
        return got


def scapy(netns, packets):
    """Sends 'packets', expressions for scapy, by eth0 of 'netns'."""
    run("ip", "netns", "exec", netns, sys.executable, "-c",
        "import sys\nfrom scapy.all import *\n"
        "for text in sys.argv[1:]:\n"
        "    sendp(eval(text), iface='eth0', verbose=False)", *packets)
