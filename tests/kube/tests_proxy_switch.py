# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and its switch: kinds of connections, an unmodified Open
vSwitch, and other users of the bridge."""

import json
import os
import re
import subprocess

from cluster import Pki, wait_until
from lab import HOSTS, Lab, make_service, make_slice
from tests_proxy import (LB, NODE, VIP, check, nodeport, try_connections,
                         with_lab)
from tests_proxy_rules import BOTH, MASQ, VIP6, both, dual, play
from tests_proxy_time import check_fragments, write_fragment_service

PORT = 6653
SERVICE = make_service("s", **nodeport())


def ours(lab):
    return [line for line in lab.flows() if "cookie=0x6b70" in line]


def listen(lab, method):
    """Has the bridge listen for controllers."""
    lab.run("ovs-vsctl", "set-controller", "br0",
            "%s:%d:127.0.0.1" % (method, PORT), "--", "set-fail-mode", "br0",
            "secure")


def works(lab, *args, **kwargs):
    """The proxy works with these options, and again after it was killed."""
    lab.start(*args, **kwargs)
    for _ in range(2):
        check(lab, "pod", VIP, "a b")
        check(lab, "ext", LB, "a b", masquerade=True)
        check(lab, "pod", VIP, "reject", dport=81)
        lab.kill()
        lab.start(*args, **kwargs)
        assert lab.groups_sent() == 0
    lab.stop()


@with_lab
def test_switch_tcp(lab, _):
    lab.write(SERVICE, make_slice("s", "a", "b"))
    listen(lab, "ptcp")
    works(lab, switch="tcp:127.0.0.1:%d" % PORT)
    lab.run(lab.program_path(), "--cleanup", "tcp:127.0.0.1:%d" % PORT)
    assert not ours(lab)


def tls(pki, name, ca):
    """Options with a certificate of "pki", for a peer that trusts in "ca"."""
    crt, key = pki.issue(name, "/CN=" + name)
    return ["--private-key=" + key, "--certificate=" + crt,
            "--ca-cert=" + ca.ca]


@with_lab
def test_switch_ssl(lab, _):
    """TLS, with certificates that both sides verify."""
    right = Pki(os.path.join(lab.dir, "right"), "right")
    wrong = Pki(os.path.join(lab.dir, "wrong"), "wrong")
    switch = "ssl:127.0.0.1:%d" % PORT
    crt, key = right.issue("switch", "/CN=switch")
    lab.run("ovs-vsctl", "set-ssl", key, crt, right.ca)
    lab.write(SERVICE, make_slice("s", "a", "b"))
    listen(lab, "pssl")
    before = lab.flows()
    lab.expected = ["SSL_accept", "SSL_read", "|rconn|", "|stream_ssl|",
                    "|vconn_stream|"]

    def log_of_switch():
        with open(os.path.join(lab.dir, "ovs-vswitchd.log")) as stream:
            return stream.read()

    # A switch with a certificate of another authority.
    lab.start(*tls(right, "proxy-a", wrong), switch=switch, wait=False)
    wait_until(lambda: lab.log().count("certificate verify failed") >= 2,
               "the program refuses the switch's certificate")
    assert not lab.synced() and lab.flows() == before
    lab.kill()
    # A program with a certificate of another authority.
    n = log_of_switch().count("SSL_accept: ")
    lab.start(*tls(wrong, "proxy-b", right), switch=switch, wait=False)
    wait_until(lambda: log_of_switch().count("SSL_accept: ") >= n + 2,
               "the switch refuses the program's certificate")
    assert not lab.synced() and lab.flows() == before
    lab.kill()
    # Both trust each other.
    works(lab, *tls(right, "proxy-c", right), switch=switch)
    lab.run(lab.program_path(), "--cleanup", *tls(right, "proxy-d", right),
            switch)
    assert lab.flows() == before


ROWS = [
    ("ClusterIP, unknown ports and addresses",
     make_service("s", **BOTH), both(("a", {}), ("b", {}), ("remote", {})),
     [("pod", VIP, "a b remote"), ("pod", VIP6, "a b remote"),
      ("ext", VIP, "a b remote", MASQ), ("ext", VIP6, "a b remote", MASQ),
      ("a", VIP, "a b remote"), ("pod", VIP, "reject", {"dport": 81}),
      ("pod", VIP6, "reject", {"dport": 81, "protocol": "UDP"}),
      ("pod", "10.96.0.11", "drop")]),
    ("node ports and load balancers, policy Cluster",
     dual(), both(("a", {}), ("remote", {})),
     [("ext", LB, "a remote", MASQ), ("ext", NODE, "a remote", MASQ),
      ("pod", LB, "a remote", MASQ)]),
    ("the same, policy Local",
     dual(externalTrafficPolicy="Local"), both(("a", {}), ("remote", {})),
     [("ext", LB, "a"), ("ext", NODE, "a"), ("pod", LB, "a remote")]),
    ("no endpoint", dual(), [],
     [("pod", VIP, "reject"), ("ext", LB, "reject")]),
]


def affine(lab):
    """A Service with affinity: one endpoint for each client."""
    config = {"clientIP": {"timeoutSeconds": 100}}
    lab.write(make_service("s", sessionAffinity="ClientIP",
                           sessionAffinityConfig=config, **nodeport()),
              make_slice("s", "a", "b", "remote"))
    lab.start()
    for source in "pod", "ext", "other":
        names = {name for dst, dport in ((VIP, 80), (LB, 80), (NODE, 30080))
                 for name, _ in try_connections(lab, source, dst,
                                                dport=dport, n=5)}
        assert len(names) == 1, (source, names)


def test_switch_stock(_):
    """An unmodified Open vSwitch: dp_hash groups, and the rest as before."""
    play(ROWS, stock=True)
    lab = Lab(stock=True)
    try:
        affine(lab)
        assert "selection method: dp_hash" in lab.appctl("sync/status")
        group, = lab.groups()
        assert "selection_method=hash,fields=ip_src" in group, group
        lab.stop()
        lab.write(make_service("s"), make_slice("s", "a", "b", "remote"))
        lab.start()
        group, = lab.groups()
        assert "selection_method=dp_hash" in group, group
        check(lab, "pod", VIP, "a b remote")
        lab.kill()
        lab.start()
        assert lab.groups_sent() == 0
        check(lab, "pod", VIP, "a b remote")
        lab.stop()
        write_fragment_service(lab)
        lab.start()
        check_fragments(lab, (80,))
        lab.stop()
    finally:
        lab.close()


def test_switch_option_stock(_):
    """--stock: our switch is treated like an unmodified one."""
    play(ROWS[:1], "--stock")
    lab = Lab()
    try:
        lab.write(make_service("s"), make_slice("s", "a", "b", "remote"))
        lab.start("--stock")
        group, = lab.groups()
        assert "selection_method=dp_hash" in group, group
        lab.stop()
        # Without the option the same group changes in place.
        lab.start()
        group, = lab.groups()
        assert "selection_method=maglev" in group, group
        check(lab, "pod", VIP, "a b remote")
        lab.stop()
    finally:
        lab.close()


def test_switch_normal(_):
    """A bridge that learns MAC addresses, and a router beside it."""
    lab = Lab(normal=True)
    try:
        lab.write(dual(), *both(("a", {}), ("b", {}), ("remote", {})))
        lab.start("--next-table=normal")
        for vip in VIP, VIP6:
            check(lab, "pod", vip, "a b remote")
            check(lab, "ext", vip, "a b remote", masquerade=True)
            check(lab, "a", vip, "a b remote")
            check(lab, "pod", vip, "reject", dport=81)
        check(lab, "ext", LB, "a b remote", masquerade=True)
        check(lab, "pod", HOSTS["b"][0], "untouched")
        lab.stop()
    finally:
        lab.close()


class Second:
    """Another ovs-kube-proxy, for 10.97.0.0/16, on the same bridge."""

    VIP = "10.97.0.10"
    PLACE = ["--first-table=100", "--zone=50000", "--register=9",
             "--cookie=0x7777000000000000/0xffff000000000000",
             "--groups=1000-1999", "--controller-id=77", "--meter=77",
             # The zones are separate: if both masqueraded by the same port,
             # the first would take the second's answers.
             "--masquerade-ports=20000-29999"]

    def __init__(self, lab):
        self.lab = lab
        folder = os.path.join(lab.dir, "second")
        os.mkdir(folder)
        with open(os.path.join(folder, "objects.json"), "w") as stream:
            json.dump({"apiVersion": "v1", "kind": "List", "items": [
                lab.node, make_service("s2", clusterIP=self.VIP),
                make_slice("s2", "a", "b")]}, stream)
        self.ctl = os.path.join(folder, "second.ctl")
        with open(os.path.join(folder, "log"), "w") as log:
            self.process = subprocess.Popen(
                [lab.program_path(), "--from-file=" + folder, "--node=n1",
                 "--next-table=20", "--service-cidr=10.97.0.0/16",
                 "--no-chdir", "--unixctl=" + self.ctl] + self.PLACE +
                ["unix:" + lab.mgmt()], env=lab.env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)
        lab.processes.append(self.process)
        wait_until(lambda: lab.run(
            "ovs-appctl", "-t", self.ctl, "sync/status",
            check=False).startswith("synced\n"), "the second is synced")

    def state(self):
        """Its flows, groups and meter in the switch."""
        return ([line for line in self.lab.flows()
                 if "cookie=0x7777" in line],
                [line for line in self.lab.groups()
                 if re.search("group_id=1...,", line)],
                "meter=77 " in self.lab.run(
                    "ovs-ofctl", "-O", "OpenFlow15", "dump-meters", "br0"))

    def stop(self):
        self.lab.run("ovs-appctl", "-t", self.ctl, "exit")
        assert self.process.wait(20) == 0


FOREIGN = ["cookie=0x1,table=62,priority=999,udp,nw_dst=10.9.9.9,actions=drop",
           "cookie=0x2,table=64,priority=500,tcp,tp_dst=9,actions=group:9",
           "table=200,actions=drop"]


@with_lab
def test_switch_beside_others(lab, _):
    """Flows, groups and meters of others, also in our tables, and a second
    ovs-kube-proxy behind the first."""
    def ofctl(*args):
        return lab.run("ovs-ofctl", "-O", "OpenFlow15", *args)

    def others():
        return ([line for line in lab.flows() if "cookie=0x6b70" not in line
                 and "cookie=0x7777" not in line],
                [line for line in lab.groups()
                 if "group_id=9," in line], "meter=9 " in ofctl(
                     "dump-meters", "br0"))

    def untouched(state):
        assert others() == state, (others(), state)

    ofctl("add-group", "br0", "group_id=9,type=all,bucket=actions=drop")
    ofctl("add-meter", "br0", "meter=9 pktps bands=type=drop rate=9")
    for flow in FOREIGN:
        ofctl("add-flow", "br0", flow)
    foreign = others()
    assert len(foreign[0]) > 3 and foreign[1] and foreign[2]

    lab.write(SERVICE, make_slice("s", "a", "b"))
    lab.start("--next-table=100")
    untouched(foreign)
    second = Second(lab)
    state = second.state()
    assert len(state[0]) > 30 and len(state[1]) == 1 and state[2], state
    untouched(foreign)

    def both_work():
        for vip in VIP, second.VIP:
            check(lab, "pod", vip, "a b")
            check(lab, "ext", vip, "a b", masquerade=True)
            check(lab, "a", vip, "a b")
            check(lab, "pod", vip, "reject", dport=81)
            check(lab, "pod", vip.replace(".10", ".11"), "drop")

    both_work()
    # Changes, a restart and the end of one do not touch the other.
    lab.apply(SERVICE, make_slice("s", "b"))
    check(lab, "pod", VIP, "b")
    lab.kill()
    lab.write(SERVICE, make_slice("s", "a", "b"))
    lab.start("--next-table=100")
    both_work()
    untouched(foreign)
    assert second.state() == state
    lab.stop()
    lab.run(lab.program_path(), "--cleanup", "unix:" + lab.mgmt())
    assert not ours(lab) and second.state() == state
    untouched(foreign)
    for family in "ip", "ipv6":
        ofctl("add-flow", "br0", "table=0,%s,actions=resubmit(,100)" % family)
    check(lab, "pod", second.VIP, "a b")
    second.stop()
    lab.run(lab.program_path(), "--cleanup", *second.PLACE,
            "unix:" + lab.mgmt())
    assert second.state() == ([], [], False)
    assert others()[1:] == foreign[1:]
