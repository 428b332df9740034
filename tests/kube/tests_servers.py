# SPDX-License-Identifier: Apache-2.0

"""Tests of ovs-kube-proxy's readers with misbehaving servers."""

import json
import os
import re
import threading
import time

import cluster as k8s
from cluster import wait_until
from harness import Dump, World
from server import BadServer, begin, event, items, respond


def bad_config(c, server, **kwargs):
    return c.kubeconfig("bad.conf", {"token": "s3cret"}, server=server.url,
                        **kwargs)


def test_wrong_ca(c):
    """A server that cannot prove its identity does not even get a request."""
    other = k8s.Pki(os.path.join(World.folder, "other"), "other-ca")
    expired = c.pki.issue("expired", "/CN=expired", "IP:127.0.0.1")
    c.pki.run("x509", "-req", "-in", "expired.csr", "-CA", "ca.crt",
              "-CAkey", "ca.key", "-CAcreateserial", "-days", "-1",
              "-extfile", "expired.ext", "-out", "expired.crt")

    def behave(_, sock):
        respond(sock, items("evil"))

    for cert, config in (
            (other.issue("s", "/CN=127.0.0.1", "IP:127.0.0.1"), {}),
            (c.pki.issue("name", "/CN=127.0.0.1", "DNS:other.test"), {}),
            (expired, {}),
            (c.server_cert, {"tls-server-name": "other.test"}),
            # Its CA signed the server, but only the system's CAs count if none
            # is configured.
            (c.server_cert, {"certificate-authority": ""})):
        server = BadServer(cert, behave)
        dump = Dump(bad_config(c, server, **config))
        dump.wait_log("/api/v1/services: ")
        wait_until(lambda: dump.status()["services", "failures"] >= 3,
                   "there are failures")
        assert not server.requests, server.requests
        assert dump.count_log("/api/v1/services: ") == 1, dump.log
        assert "put" not in " ".join(dump.lines)
        dump.stop()
        server.close()

    # The certificate was the reason: with the right name it works.
    server = BadServer(c.server_cert, behave)
    config = {"tls-server-name": "api.test"}
    dump = Dump(bad_config(c, server, **config))
    dump.wait("put Service default/evil 1")
    dump.stop()
    server.close()


def test_redirect(c):
    """A redirection, which would carry the token along, is not followed."""
    elsewhere = BadServer(c.server_cert,
                          lambda _, sock: respond(sock, items("evil")))
    server = BadServer(c.server_cert, lambda _, sock: respond(
        sock, "", "302 Found", "Location: %s/api/v1/services\r\n" %
        elsewhere.url))
    dump = Dump(bad_config(c, server))
    dump.wait_log("/api/v1/services: HTTP status 302")
    wait_until(lambda: dump.status()["services", "failures"] >= 3,
               "there are failures")
    assert elsewhere.connections == 0
    dump.stop()
    server.close()
    elsewhere.close()


def test_hang(c):
    """Servers that stop talking, at each stage."""
    def silent(_, sock):
        time.sleep(3600)

    def header(_, sock):
        begin(sock)
        time.sleep(3600)

    def watch(request, sock):
        if "watch=1" in request:
            begin(sock)
            sock.sendall(event("ADDED", "before", "7").encode() + b'{"type"')
            time.sleep(3600)
        respond(sock, items("listed", version="5"))

    for cert, behave in ((None, None), (c.server_cert, silent),
                         (c.server_cert, header)):
        server = BadServer(cert, behave)
        dump = Dump("--idle-ms=300", bad_config(c, server))
        wait_until(lambda: dump.status()["services", "failures"] >= 3,
                   "there are failures")
        assert dump.count_log("/api/v1/services: ") <= 2, dump.log
        assert "end Service" not in dump.lines
        dump.stop()
        server.close()

    server = BadServer(c.server_cert, watch)
    dump = Dump("--idle-ms=300", bad_config(c, server))
    dump.wait_log("/api/v1/services: the server is silent")
    dump.wait("put Service default/before 7")
    # The next watch continues from there.
    wait_until(lambda: any("resourceVersion=7" in r and "/services" in r
                           for r in server.requests), "it watches again")
    dump.stop()
    server.close()


def test_bookmark(c):
    """A watch goes on from the version of its last bookmark."""
    def behave(request, sock):
        if "watch=1" not in request:
            respond(sock, items("listed", version="5"))
            return True
        begin(sock)
        if "resourceVersion=5&" in request + "&":
            sock.sendall(json.dumps({
                "type": "BOOKMARK", "object": {
                    "kind": "Service", "apiVersion": "v1",
                    "metadata": {"resourceVersion": "90"}}}).encode() + b"\n")
            return False
        time.sleep(3600)
        return False

    server = BadServer(c.server_cert, behave)
    dump = Dump(bad_config(c, server))
    wait_until(lambda: sum("/services?watch=1" in r for r in server.requests)
               >= 2, "it watches again")
    asked = [re.search(r"resourceVersion=(\d+)", r)[1] for r in server.requests
             if "/services?watch=1" in r]
    assert asked == ["5", "90"], asked
    assert all("allowWatchBookmarks=true" in r for r in server.requests
               if "watch=1" in r), server.requests
    # It is no object, and no failure.
    assert [line for line in dump.lines if line.startswith("put Service")] == [
        "put Service default/listed 1"], dump.lines
    assert dump.status()["services", "lists"] == 1
    assert not dump.log, dump.log
    dump.stop()
    server.close()


GARBAGE = bytes(range(256)) * 64


def test_watch_forbidden(c):
    """Lists work, watches fail: the pauses grow, and it is said once."""
    def behave(request, sock):
        if "watch=1" in request:
            respond(sock, '{"message":"no watches here"}', "403 Forbidden")
        else:
            respond(sock, items("listed", version="5"))
        return True

    server = BadServer(c.server_cert, behave)
    dump = Dump(bad_config(c, server))
    wait_until(lambda: dump.status()["services", "failures"] >= 4,
               "there are failures")
    # After pauses of 0.5, 1 and 2 s, or half as long.
    lists = [r for r in server.requests
             if r.startswith("GET /api/v1/services?limit")]
    assert len(lists) <= 5, lists
    time.sleep(4)
    assert dump.status()["services", "failures"] <= 7
    said = [line for line in dump.log if "/api/v1/services" in line]
    assert len(said) == 1 and "no watches here" in said[0], said
    dump.stop()
    server.close()


def test_watch_silent(c):
    """A watch fails, and the next ones bring nothing at all: silence does not
    count as working."""
    silent = threading.Event()

    def behave(request, sock):
        if "watch=1" not in request:
            respond(sock, items("listed", version="5"))
        elif "/services?" not in request or not silent.is_set():
            respond(sock, '{"message":"no watches here"}', "403 Forbidden")
            if "/services?" in request:
                silent.set()
        else:
            time.sleep(3600)
        return True

    server = BadServer(c.server_cert, behave)
    dump = Dump(bad_config(c, server))
    wait_until(lambda: sum("/services?watch" in r
                           for r in server.requests) >= 2,
               "the silent watch has begun")
    # A working watch would count after 10 s.
    time.sleep(12)
    dump.alive()
    said = [line for line in dump.log if "/api/v1/services" in line]
    assert len(said) == 1 and "no watches here" in said[0], said
    dump.stop()
    server.close()


def test_garbage(c):
    """Servers that send garbage: all of it is refused, and said once."""
    def raw(_, sock):
        sock.sendall(GARBAGE)
        return False

    def cut(_, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        return False

    def body(text):
        return lambda _, sock: respond(sock, text)

    def watch(data):
        def behave(request, sock):
            if "watch=1" in request:
                begin(sock)
                sock.sendall(data)
                return False
            respond(sock, items("listed", version="5"))
            return True
        return behave

    for behave, synced in (
            (raw, False), (cut, False), (body(GARBAGE), False),
            (body("{}"), False), (body("[]"), False),
            (body('{"metadata":{"resourceVersion":"1"},"items":7}'), False),
            (body("[" * 100000), False),
            (body(items("x")[:-1]), False),
            (body(items("x") + "{}"), False),
            (watch(GARBAGE), True), (watch(b"{}\n"), True),
            (watch(b'{"type":"ADDED"}\n'), True),
            (watch(b'{"type":"ADDED","object":{"metadata":7}}\n'), True),
            (watch(b'{"type":"ERROR","object":{"code":500}}\n'), True),
            (watch(event("ADDED", "x", "9").encode()[:-9]), True)):
        server = BadServer(c.server_cert, behave)
        dump = Dump(bad_config(c, server))
        wait_until(lambda: dump.status()["services", "failures"] >= 2,
                   "there are failures")
        said = [line for line in dump.log if "/api/v1/services: " in line]
        assert len(said) <= 2, said
        assert ("end Service" in dump.lines) == synced, dump.lines
        for line in dump.log:
            assert line.isprintable() and len(line) < 1000, line
        dump.stop()
        server.close()


def test_endless(c):
    """An endless line, and an endless list: memory stays bounded."""
    def line(request, sock):
        if "watch=1" not in request:
            respond(sock, items("listed", version="5"))
            return
        begin(sock)
        sock.sendall(b'{"type":"ADDED","object":{"x":"')
        while True:
            sock.sendall(b"x" * 65536)

    def page(_, sock):
        begin(sock)
        sock.sendall(b'{"x":"')
        while True:
            sock.sendall(b"x" * 65536)

    for behave, why, limit in ((line, "a line of more than", 200),
                               (page, "a list of more than", 800)):
        server = BadServer(c.server_cert, behave)
        dump = Dump(bad_config(c, server))
        dump.wait_log("/api/v1/services: " + why, 120)
        assert dump.memory() < limit, dump.memory()
        dump.stop()
        server.close()


def test_storm(c):
    """Servers that would make a client spin: it pauses."""
    def end(request, sock):
        if "watch=1" in request:
            begin(sock)
            return False
        respond(sock, items(version="5"))
        return True

    def mark(request, sock):
        if "watch=1" in request:
            begin(sock)
            sock.sendall(event("BOOKMARK", "", "6").encode())
            return False
        respond(sock, items(version="5"))
        return True

    def gone(request, sock):
        respond(sock, *((("{}", "410 Gone") if "watch=1" in request else
                         (items(version="5"),))))

    def busy(_, sock):
        respond(sock, "{}", "429 Too Many Requests", "Retry-After: 1000\r\n")

    # A page that leads to itself may spin, but each turn is a request, as for
    # every continued list.
    for behave, most in ((end, 20), (mark, 20), (gone, 30), (busy, 3)):
        server = BadServer(c.server_cert, behave)
        dump = Dump(bad_config(c, server))
        wait_until(lambda: len(server.requests) >= 3, "there are requests")
        time.sleep(4)
        # Three kinds of objects.
        assert len(server.requests) <= 3 * most, len(server.requests)
        dump.stop()
        server.close()
