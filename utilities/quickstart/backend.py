# SPDX-License-Identifier: Apache-2.0
"""The HTTP server of a pod.

    backend.py NAME PORT PIDFILE [FILE]

Answers each GET with one line, "NAME CLIENT-ADDRESS", or GET /file with the
bytes of FILE.  It speaks HTTP/1.0, so that each request has a connection of
its own.  PIDFILE appears when the port is open.
"""

import http.server
import os
import sys


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Ignores clients that went away."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    timeout = 10

    def do_GET(self):
        if self.path == "/file" and self.server.file:
            with open(self.server.file, "rb") as f:
                body = f.read()
        else:
            body = f"{self.server.name} {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """No log."""


def main(name, port, pidfile, file=None):
    server = Server(("0.0.0.0", int(port)), Handler)
    server.name = name
    server.file = file
    with open(pidfile + ".tmp", "w") as f:
        print(os.getpid(), file=f)
    os.rename(pidfile + ".tmp", pidfile)
    server.serve_forever()


main(*sys.argv[1:])
