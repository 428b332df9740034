# SPDX-License-Identifier: Apache-2.0

"""A TLS server that behaves as badly as a test wants."""

import json
import socket
import ssl
import threading
import time


class BadServer:
    """Calls "behave(request, sock)" for each HTTP request that comes.

    "cert" is the pair of a certificate's and a key's file, or None for a
    server that accepts connections and says nothing.  self.requests is what
    came, as text, headers included; self.handshakes counts successful ones.
    """

    def __init__(self, cert, behave, port=0):
        self.behave = behave
        self.requests = []
        self.handshakes = 0
        self.connections = 0
        self.context = None
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*cert)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.url = "https://127.0.0.1:%d" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        try:
            if not self.context:
                time.sleep(3600)
            sock = self.context.wrap_socket(sock, server_side=True)
            self.handshakes += 1
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    more = sock.recv(65536)
                    if not more:
                        return
                    data += more
                request, data = data.split(b"\r\n\r\n", 1)
                request = request.decode()
                self.requests.append(request)
                if self.behave(request, sock) is False:
                    return
        except OSError:
            pass
        finally:
            sock.close()


def respond(sock, body, status="200 OK", headers=""):
    """Sends a whole response."""
    if not isinstance(body, bytes):
        body = body.encode()
    sock.sendall(("HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                  "Content-Length: %d\r\n%s\r\n" %
                  (status, len(body), headers)).encode() + body)


def begin(sock):
    """Sends the header of an endless response."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 b"Connection: close\r\n\r\n")


def items(*names, version="1", **metadata):
    """A list of Services, or of the objects asked for."""
    return json.dumps({
        "kind": "List", "apiVersion": "v1",
        "metadata": dict(metadata, resourceVersion=version),
        "items": [{"metadata": {"name": name, "namespace": "default",
                                "resourceVersion": "1"}}
                  for name in names]})


def event(kind, name, version, **metadata):
    return json.dumps({
        "type": kind, "object": {"metadata": dict(
            metadata, name=name, namespace="default",
            resourceVersion=version)}}) + "\n"
