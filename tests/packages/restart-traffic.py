#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic across a restart of the switch.

    restart-traffic.py server NAME ADDRESS
        Answers each datagram at port 9000 of ADDRESS, and each line at ports
        9000 and 8080 of TCP, with NAME.
    restart-traffic.py client N ADDRESS NAT-ADDRESS
        Has N UDP flows and N TCP connections to port 9000 of ADDRESS, and N
        connections to port 80 of NAT-ADDRESS.  Each asks all the time, at most
        once in 20 ms.  Reads commands from standard input:
          mark    opens again what has ended, notes which server each flow has,
                  and prints "marked".
          result  waits until each has an answer, at most 20 s, and prints for
                  what happened since the mark, for udp, tcp and nat:
                  KIND MOVED RESET HUNG SECONDS
                  where SECONDS is the longest time without an answer."""

import selectors
import socket
import sys
import threading
import time

PERIOD = 0.02
PATIENCE = 20


class Flow:
    def __init__(self, kind, address, selector):
        self.kind = kind
        self.address = address
        self.selector = selector
        self.sock = None
        self.ended = True

    def open(self):
        if not self.ended:
            return
        if self.sock:
            self.sock.close()
        udp = self.kind == 'udp'
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp
                                  else socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.address)
        self.sock.setblocking(False)
        self.selector.register(self.sock, selectors.EVENT_READ, self)
        self.ended = False
        self.asked = 0
        self.waits = False
        self.answered = None
        self.mark(None)

    def mark(self, server):
        self.server = server
        self.last = server
        self.gap = 0

    def end(self):
        self.selector.unregister(self.sock)
        self.ended = True

    def ask(self, now):
        """TCP waits for its answer, since it sends lost packets again."""
        if self.ended or now - self.asked < PERIOD or (
                self.waits and self.kind != 'udp'):
            return
        self.asked = now
        self.waits = True
        try:
            self.sock.send(b'?\n')
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def receive(self, now):
        try:
            text = self.sock.recv(1000).decode()
        except BlockingIOError:
            return
        except OSError:
            text = ''
        if not text:
            self.end()
            return
        self.last = text.split()[-1]
        self.gap = max(self.gap, now - (self.answered or now))
        self.answered = now
        self.waits = False


class Client:
    def __init__(self, n, plain, nat):
        self.selector = selectors.DefaultSelector()
        kinds = {'udp': (plain, 9000), 'tcp': (plain, 9000), 'nat': (nat, 80)}
        self.flows = [Flow(kind, address, self.selector)
                      for kind, address in kinds.items() for _ in range(n)]
        self.selector.register(sys.stdin, selectors.EVENT_READ)

    def turn(self):
        """Sends requests and takes answers.  Returns true if there is a
        command."""
        command = False
        for flow in self.flows:
            flow.ask(time.monotonic())
        for key, _ in self.selector.select(PERIOD / 4):
            if key.data:
                key.data.receive(time.monotonic())
            else:
                command = True
        return command

    def wait(self):
        """Waits until each open flow has an answer.  Returns those without."""
        start = time.monotonic()
        late = self.flows
        while late and time.monotonic() < start + PATIENCE:
            self.turn()
            late = [flow for flow in late if not flow.ended and (
                flow.answered or 0) < start]
        return late

    def mark(self):
        for flow in self.flows:
            flow.open()
        assert not self.wait(), 'no answer'
        for flow in self.flows:
            flow.mark(flow.last)
        print('marked', flush=True)

    def result(self):
        hung = self.wait()
        for flow in hung:
            flow.gap = time.monotonic() - flow.answered
        for kind in 'udp', 'tcp', 'nat':
            flows = [flow for flow in self.flows if flow.kind == kind]
            print(kind, sum(flow.last != flow.server for flow in flows),
                  sum(flow.ended for flow in flows),
                  sum(flow in hung for flow in flows),
                  '%.1f' % max(flow.gap for flow in flows), flush=True)
        for flow in hung:
            flow.end()

    def run(self):
        while True:
            if self.turn():
                command = sys.stdin.buffer.raw.readline().decode().strip()
                if not command:
                    return
                {'mark': self.mark, 'result': self.result}[command]()


def answer(sock, name):
    try:
        while sock.recv(1000):
            sock.send(name)
    except OSError:
        pass
    sock.close()


def listen(port, name):
    with socket.create_server(('', port), backlog=100) as server:
        while True:
            threading.Thread(target=answer, daemon=True,
                             args=(server.accept()[0], name)).start()


def serve(name, address):
    name = name.encode() + b'\n'
    for port in 9000, 8080:
        threading.Thread(target=listen, args=(port, name),
                         daemon=True).start()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 9000))
    while True:
        sock.sendto(name, sock.recvfrom(1000)[1])


if __name__ == '__main__':
    if sys.argv[1] == 'server':
        serve(*sys.argv[2:])
    else:
        Client(int(sys.argv[2]), *sys.argv[3:]).run()
