# SPDX-License-Identifier: Apache-2.0

"""Tests of the files that ovs-kube-proxy reads, and of its HTTP."""

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile

import cluster as k8s
from cluster import wait_until
from harness import HERE, Dump, World, service
from lab import Lab


def manifest(folder, name, text):
    """Replaces a file as editors do."""
    path = os.path.join(folder, name)
    with open(path + ".new", "w") as stream:
        stream.write(text if isinstance(text, str) else json.dumps(text))
    os.rename(path + ".new", path)


def last_list(dump, kind):
    """The names in the last complete list of "kind"."""
    names = []
    for line in dump.lines:
        words = line.split()
        if line == "begin " + kind:
            names = []
        elif words[0] == "put" and words[1] == kind:
            names.append(words[2])
    return sorted(names)


def test_directory(_):
    """--from-file DIR: files that come, change, break, and go."""
    folder = tempfile.mkdtemp(dir=World.folder)
    manifest(folder, "a.yaml", """
apiVersion: v1
kind: Service
metadata: {name: a}
---
apiVersion: v1
kind: Pod
metadata: {name: ignored}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: n}}
- {apiVersion: v1, kind: Service, metadata: {name: a2, namespace: x}}
- 7
""")
    manifest(folder, "b.json", {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSliceList",
        "items": [{"metadata": {"name": "b"}}]})
    manifest(folder, "c.txt", service("not-read"))
    manifest(folder, ".d.json", service("not-read-either"))
    manifest(folder, "e.yml", {"apiVersion": "v2", "kind": "Service"})
    dump = Dump("--from-file", folder)
    dump.wait_synced()
    assert last_list(dump, "Service") == ["default/a", "x/a2"]
    assert last_list(dump, "EndpointSlice") == ["default/b"]
    assert last_list(dump, "Node") == ["/n"]

    def becomes(kind, *names):
        wait_until(lambda: last_list(dump, kind) == list(names),
                   "%s become %s" % (kind, names))

    manifest(folder, "f.json", json.dumps(service("f")) +
             json.dumps(service("f2")))
    dump.wait_log("f.json: ")
    manifest(folder, "f.json", json.dumps(service("f")) + "\n---\n" +
             json.dumps(service("f2")))
    becomes("Service", "default/a", "default/f", "default/f2", "x/a2")

    # A broken file counts as before, the others go on; it is said once.
    manifest(folder, "f.json", "{")
    dump.wait_log("f.json: ", count=2)
    os.unlink(os.path.join(folder, "a.yaml"))
    becomes("Service", "default/f", "default/f2")
    becomes("Node")
    assert dump.count_log("f.json: ") == 2, dump.log
    # A link that is changed to lead elsewhere, as in a ConfigMap.
    versions = tempfile.mkdtemp(dir=World.folder)
    for name in "v1", "v2":
        manifest(versions, name, service(name))
    os.symlink(os.path.join(versions, "v1"), os.path.join(folder, "f.lnk"))
    os.rename(os.path.join(folder, "f.lnk"), os.path.join(folder, "f.json"))
    becomes("Service", "default/v1")
    os.symlink(os.path.join(versions, "v2"), os.path.join(folder, "f.lnk"))
    os.rename(os.path.join(folder, "f.lnk"), os.path.join(folder, "f.json"))
    becomes("Service", "default/v2")
    # The directory is away for a moment.
    n = len(dump.lines)
    os.rename(folder, folder + ".away")
    dump.wait_log(folder + ": No such file")
    os.rename(folder + ".away", folder)
    manifest(folder, "g.json", service("g"))
    becomes("Service", "default/g", "default/v2")
    assert dump.lines[n:].count("begin Service") == 1
    dump.stop()


def test_directory_start(_):
    """--from-file DIR with a file that cannot be read: nothing is known to be
    complete.  So nothing of the last run is removed until the file can be
    read, or has gone."""
    for repair in lambda: manifest(folder, "b.json", service("b")), \
            lambda: os.unlink(os.path.join(folder, "b.json")):
        folder = tempfile.mkdtemp(dir=World.folder)
        manifest(folder, "a.json", service("a"))
        manifest(folder, "b.json", "{")
        dump = Dump("--from-file", folder)
        dump.wait_log("nothing is changed until all files could be read")
        # Other files change meanwhile.
        manifest(folder, "c.json", service("c"))
        wait_until(lambda: "3 files" in dump.appctl("status"), "it looks")
        assert "waiting until all could be read" in dump.appctl("status")
        assert not dump.lines, dump.lines
        assert dump.count_log("b.json: ") == 1, dump.log
        assert dump.count_log("nothing is changed") == 1, dump.log
        repair()
        dump.wait_synced()
        assert last_list(dump, "Service") == [
            "default/" + name[0] for name in sorted(os.listdir(folder))]
        assert "waiting until" not in dump.appctl("status")
        dump.stop()


def test_stdin(_):
    """--from-file -: the output of kubectl, and wrong input."""
    def dump_of(text):
        return subprocess.run(
            [os.path.join(World.build, "tests/kube/kube-dump"),
             "--unixctl=/nonexistent/x", "--from-file", "-"], input=text,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60)

    # It ends because it cannot create the socket, after reading.
    assert "put Service default/s \n" in dump_of(json.dumps({
        "apiVersion": "v1", "kind": "List", "items": [service("s")]},
        indent=4)).stdout
    assert "put Service default/s \n" in dump_of(
        "kind: Service\napiVersion: v1\nmetadata:\n  name: s\n").stdout
    result = dump_of("kind: [Service")
    assert result.stdout == "" and "standard input: line " in result.stderr


def get(port, path="/", method="GET", host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=20)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body, response.headers


def test_http(_):
    """The metrics server, and clients that misbehave."""
    dump = Dump("--http=127.0.0.1:9000", "--from-file", World.folder)
    status, body, headers = get(9000, "/metrics")
    assert status == 200 and "files" in body, body
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert get(9000, "/metrics", "HEAD")[:2] == (200, "")
    assert get(9000, "/")[0] == 404
    assert get(9000, "/metrics", "POST")[0] == 405
    # More clients than may connect say nothing, or not all.  They go away in
    # time, and others are served then.
    idle = [socket.create_connection(("127.0.0.1", 9000))
            for _ in range(40)]
    for sock in idle[:20]:
        sock.sendall(b"GET /metrics HT")

    def served():
        try:
            return get(9000, "/metrics")[0] == 200
        except OSError:
            return False

    wait_until(served, "others are served")
    for sock in idle:
        sock.close()
    with socket.create_connection(("127.0.0.1", 9000)) as sock:
        sock.settimeout(20)
        try:
            sock.sendall(b"GET /" + b"x" * 1000000 + b" HTTP/1.1\r\n\r\n")
            assert b" 200 " not in sock.recv(100)
        except ConnectionError:
            pass
    with socket.create_connection(("127.0.0.1", 9000)) as sock:
        sock.sendall(bytes(range(256)) * 100)
    assert served()
    dump.stop()


def test_health(_):
    """Health-check node ports: opened, answered, closed."""
    dump = Dump("--from-file", World.folder)
    dump.appctl("health", "true", "ns", "some", "30001", "2",
                "ns", "none", "30002", "0")
    for host in "127.0.0.1", "::1":
        status, body, headers = get(30001, host=host)
        assert status == 200
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Load-Balancing-Endpoint-Weight"] == "2"
        assert json.loads(body) == {
            "service": {"namespace": "ns", "name": "some"},
            "localEndpoints": 2, "serviceProxyHealthy": True}
    status, body, _ = get(30002)
    assert status == 503 and json.loads(body)["localEndpoints"] == 0

    # An unhealthy proxy, and a new endpoint.
    dump.appctl("health", "false", "ns", "some", "30001", "2")
    status, body, _ = get(30001)
    assert status == 503 and not json.loads(body)["serviceProxyHealthy"]
    assert not k8s.port_is_open(30002)
    dump.appctl("health", "true", "ns", "none", "30001", "1")
    status, body, _ = get(30001)
    assert status == 200 and json.loads(body)["service"]["name"] == "none"

    # A port in use, until it is free.
    with socket.create_server(("127.0.0.1", 30003)):
        dump.appctl("health", "true", "ns", "late", "30003", "1",
                    "ns", "twin", "30003", "1")
        dump.wait_log("ns/late: health-check node port: ")
        dump.wait_log("ns/twin: health-check node port 30003 belongs to")
    wait_until(lambda: k8s.port_is_open(30003), "the port is open", 30)
    assert "late" in get(30003)[1]
    dump.appctl("health", "true")
    assert not k8s.port_is_open(30003)
    dump.stop()


def test_version(_):
    """--version tells the versions of configure.ac and of Open vSwitch."""
    with open(os.path.join(World.build, "Makefile")) as stream:
        version = re.search(r"^PACKAGE_VERSION = (.*)$", stream.read(),
                            re.M)[1]
    said = subprocess.run([Lab.program_path(), "--version"], check=True,
                          stdout=subprocess.PIPE,
                          universal_newlines=True).stdout.splitlines()
    assert said[0] == "ovs-kube-proxy " + version, said
    assert said[1].startswith("Open vSwitch Library "), said


def test_features(_):
    """Documentation/reference/kube-proxy-features.md names tests that exist,
    and one for each rule."""
    path = os.path.join(
        HERE, "../../Documentation/reference/kube-proxy-features.md")
    with open(path) as stream:
        text = stream.read()
    there = set()
    for name in os.listdir(HERE):
        if name.startswith("tests_") and name.endswith(".py"):
            with open(os.path.join(HERE, name)) as stream:
                there |= set(re.findall(r"^def test_(\w+)", stream.read(),
                                        re.M))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(
        r"`([a-z_0-9]+)`", row)}
    assert named <= there, named - there
    assert {name for name in there if name.startswith("rule_")} <= named
    for number in range(1, 21):
        row, = [row for row in rows if row.startswith("| %d |" % number)]
        assert "`rule_%02d_" % number in row, row
