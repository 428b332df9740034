# SPDX-License-Identifier: Apache-2.0

"""Limits of what a pod gets and sends."""

import subprocess
import time

from tests_attach import addresses
from tests_errors import expect

N = 300
# 20 packets of a second, and 16 at once.
RATE, BURST = 160000, 128000

RECEIVE = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 9))
s.settimeout(20)
print("ready", flush=True)
n = 0
try:
    while True:
        s.recv(2000)
        n += 1
        s.settimeout(2)
except TimeoutError:
    print(n)
"""

SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])):
    s.sendto(b"x" * 972, (sys.argv[1], 9))
    time.sleep(0.001)
"""


def count(sender, receiver, address):
    """How many of N packets arrive, and how many the limits allow."""
    server = receiver.popen("python3", "-c", RECEIVE, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == "ready\n"
        start = time.monotonic()
        sender.run("python3", "-c", SEND, address, str(N))
        n = int(server.stdout.readline())
        # 16 at once and as many in the queue, or 32 there.
        return n, 40 + 20 * (time.monotonic() - start)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def limits(node, version="1.0.0", **limit):
    return node.config(version, runtimeConfig={"bandwidth": limit})


def rows(node, table, column="other_config"):
    return node.switch.run("ovs-vsctl", "--bare", "--columns=" + column,
                           "list", table).split()


def test_bandwidth(node):
    """Packets of a pod that has limits, beside pods that have none."""
    a, b, c = node.pod(), node.pod(), node.pod()
    config = limits(node, ingressRate=RATE, ingressBurst=BURST,
                    egressRate=RATE, egressBurst=BURST)
    result = node.call("ADD", a, config)
    checked = dict(config, prevResult=result)
    to_a = addresses(result)[0]
    to_b = addresses(node.call("ADD", b))[0]
    to_c = addresses(node.call("ADD", c))[0]
    for n, most in count(a, b, to_b), count(b, a, to_a):
        assert 25 <= n <= most < 0.9 * N, (n, most)
    assert count(b, c, to_c)[0] > 0.9 * N

    # Each limit is seen to.
    node.call("CHECK", a, checked)
    for where, args in (
            ("gets", ("set", "QoS", rows(node, "QoS", "_uuid")[0],
                      "other_config:max-rate=1000000")),
            ("sends", None)):
        if args:
            node.switch.run("ovs-vsctl", *args)
        else:
            a.run("tc", "qdisc", "delete", "dev", "eth0", "root")
        expect(node, 102, "what the pod %s" % where, "CHECK", a, checked)
        # The next ADD removes what this one has left.
        checked["prevResult"] = node.call("ADD", a, config)
        node.call("CHECK", a, checked)
        assert len(rows(node, "QoS")) == len(rows(node, "Queue", "_uuid")) == 1
    for pod in a, b, c:
        node.call("DEL", pod)
    node.assert_clean()


def test_bandwidth_one_way(node):
    """A limit of 0 is none, and a burst may be longer than any queue."""
    a, b = node.pod(), node.pod()
    huge = 2 ** 31 - 1
    config = limits(node, ingressRate=RATE, ingressBurst=huge, egressRate=0,
                    egressBurst=0)
    to_a = addresses(node.call("ADD", a, config))[0]
    node.call("ADD", b, limits(node, egressRate=RATE, egressBurst=huge))
    assert "tbf" not in a.run("tc", "qdisc")
    assert "tbf" in b.run("tc", "qdisc")
    assert len(rows(node, "QoS", "_uuid")) == 1
    assert count(b, a, to_a)[0] > 0.9 * N
    for pod in a, b:
        node.call("DEL", pod)
    node.assert_clean()


def test_bandwidth_gc(node):
    """Somebody has removed the port, and its rows are collected."""
    pod = node.pod()
    config = limits(node, "1.1.0", ingressRate=RATE, ingressBurst=BURST)
    node.call("ADD", pod, config)
    node.switch.run("ovs-vsctl", "del-port", node.switch.ports()[0])
    assert len(rows(node, "QoS", "_uuid")) == 1
    node.call("GC", config=dict(config,
                                **{"cni.dev/valid-attachments": []}))
    node.assert_clean()
