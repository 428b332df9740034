#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""HTTP servers and clients for the pods of pods.py.

    web.py serve PORT           answers with the address that was asked
    web.py load RATE URL...     so many requests a second, each in a
                                connection of its own, to a URL by chance
    web.py hold N URL...        N connections, each with a request whenever
                                the last one was answered 0.1 s ago

Until the standard input ends.  Then what happened is printed, a line for each
connection that was accepted ("TIME ADDRESS"), or each request ("BEGIN END HOST
ANSWERED-BY", or "!ERROR" in its place).  Times are of CLOCK_MONOTONIC, which
all namespaces share.
"""

import queue
import random
import selectors
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

# A client waits as long as TCP with a few lost packets.
TIMEOUT = 20


# Servers.

class Server:
    """One thread, so that the answer has the time of the request."""

    def __init__(self, port):
        self.selector = selectors.DefaultSelector()
        self.log = []
        listener = socket.create_server(("", port), backlog=4096)
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    print("\n".join(self.log))
                    return
                key.data(key.fileobj)

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:
                continue
            address = sock.getsockname()[0]
            self.log.append("%.6f %s" % (time.monotonic(), address))
            data = bytearray()
            self.selector.register(
                sock, selectors.EVENT_READ,
                lambda s, a=address, d=data: self.serve(s, a, d))

    def serve(self, sock, address, data):
        try:
            more = sock.recv(65536)
            data += more
            while b"\r\n\r\n" in data:
                head, _, rest = data.partition(b"\r\n\r\n")
                data[:] = rest
                path = head.split(b" ", 2)[1].decode()
                body = "%s %s\n" % (address, path)
                sock.sendall(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                              "%s" % (len(body), body)).encode())
        except OSError:
            more = b""
        if not more:
            self.selector.unregister(sock)
            sock.close()


# Clients.

def connect(url):
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port or 80),
                                    TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock, parts.hostname


def ask(sock, host):
    """Sends a request.  Returns the server that answers it."""
    path = "/%x" % random.getrandbits(64)
    sock.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" %
                  (path, host)).encode())
    data = b""
    while True:
        more = sock.recv(65536)
        if not more:
            raise OSError("connection closed")
        data += more
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            length = int(head.rpartition(b":")[2])
            if len(body) >= length:
                break
    who, answered = body.decode().split()
    if not head.startswith(b"HTTP/1.1 200 ") or answered != path:
        raise OSError("wrong answer")
    return who


class Clients:
    def __init__(self):
        self.log = []
        self.stopping = threading.Event()
        self.threads = []

    def start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        thread.start()
        self.threads.append(thread)

    def timed(self, host, function):
        begin = time.monotonic()
        try:
            who = function()
        except (OSError, ValueError) as error:
            who = "!" + (str(error) or type(error).__name__).replace(" ", "_")
        self.log.append("%.6f %.6f %s %s" % (begin, time.monotonic(), host,
                                             who))
        return who

    def load(self, urls, work):
        while work.get():
            url = random.choice(urls)

            def once():
                sock, host = connect(url)
                with sock:
                    return ask(sock, host)

            self.timed(urlsplit(url).hostname, once)

    def hold(self, url):
        host = urlsplit(url).hostname
        sock = None
        first = None

        def once():
            nonlocal sock
            if not sock:
                sock, _ = connect(url)
            who = ask(sock, host)
            if who != (first or who):
                raise OSError("now from " + who)
            return who

        while not self.stopping.wait(0.1):
            first = self.timed(host, once)
            if first.startswith("!"):
                return

    def finish(self):
        for thread in self.threads:
            thread.join(2 * TIMEOUT)
        print("\n".join(self.log))


def load(clients, rate, urls):
    """Keeps the rate even if some requests take long."""
    work = queue.SimpleQueue()
    for _ in range(32):
        clients.start(clients.load, urls, work)

    def pace():
        due = time.monotonic()
        while not clients.stopping.is_set():
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
            if work.qsize() < rate:
                work.put(True)
        for _ in range(32):
            work.put(False)

    clients.start(pace)


def hold(clients, number, urls):
    for i in range(number):
        clients.start(clients.hold, urls[i % len(urls)])


def main():
    what, number, urls = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if what == "serve":
        Server(number).run()
        return
    clients = Clients()
    (load if what == "load" else hold)(clients, number, urls)
    sys.stdin.read()
    clients.stopping.set()
    clients.finish()


if __name__ == "__main__":
    main()
