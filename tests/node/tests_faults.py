# SPDX-License-Identifier: Apache-2.0

"""Forgeries, restarts, what others break, bad input, and cleaning up."""

import json
import os
import subprocess
import sys

from nodes import node_object, run, wait_until, world
from tests_node import start


def expect(code, text, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except world.Failure as failure:
        assert failure.code == code and text in failure.msg, failure
        return failure
    raise AssertionError("no error")


# Sends frames from a pod; "mac" and "ip" are its own.
FORGE = """
import sys
from scapy.all import *
mac, ip, ip6, to, to6 = sys.argv[1:6]
other, gw = "02:00:00:00:99:99", "02:00:00:00:00:01"
for frame in eval(sys.argv[6]):
    sendp(frame, iface="eth0", verbose=False)
"""


def forge(pod, target, frames):
    mac = pod.run("cat", "/sys/class/net/eth0/address").strip()
    pod.run(sys.executable, "-c", FORGE, mac, pod.ip4, pod.ip6, target.ip4,
            target.ip6, frames)


def test_forged(lab):
    """A pod sends with its own addresses alone; what else it sends is
    counted."""
    start(lab)
    a, b = lab.n1.pod(), lab.n1.pod()
    port = lab.n1.run("ovs-vsctl", "get", "Interface", a.port,
                      "ofport").strip()
    drop = "priority=50,in_port=%s actions=drop" % port

    def seen():
        text = lab.n1.run("ovs-ofctl", "-OOpenFlow14", "dump-ports",
                          "br-int", b.port)
        return int(text.split("tx pkts=")[1].split(",")[0])

    assert a.ping(b.ip4) and a.ping(b.ip6)
    before, counted = seen(), lab.n1.n_packets(drop)
    forge(a, b, """[
        Ether(src=mac, dst=gw) / IP(src="10.244.1.77", dst=to) / ICMP(),
        Ether(src=mac, dst=gw) / IP(src="192.0.2.1", dst=to) / ICMP(),
        Ether(src=other, dst=gw) / IP(src=ip, dst=to) / ICMP(),
        Ether(src=mac, dst=gw) / IPv6(src="fd00:10:244:1::77", dst=to6) /
        ICMPv6EchoRequest(),
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") /
        ARP(op=1, hwsrc=mac, psrc=to, pdst="10.244.1.1"),
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") /
        ARP(op=1, hwsrc=other, psrc=ip, pdst="10.244.1.1"),
        Ether(src=mac, dst=gw) / ARP(op=2, hwsrc=mac, psrc=to, pdst=to),
        Ether(src=mac, dst=gw, type=0x1234) / (b"x" * 60)]""")
    # IPv6 from a link-local address is dropped without being a forgery.
    forge(a, b, """[
        Ether(src=mac, dst=gw) / IPv6(src="fe80::77", dst=to6) /
        ICMPv6EchoRequest()]""")
    wait_until(lambda: lab.n1.n_packets(drop) >= counted + 8,
               "the forgeries are counted", 5)
    assert lab.n1.n_packets(drop) == counted + 8
    assert seen() == before
    # What is its own goes through.
    forge(a, b, "[Ether(src=mac, dst=gw) / IP(src=ip, dst=to) / ICMP()]")
    wait_until(lambda: seen() == before + 1, "an honest packet arrives", 5)


# Sends a frame for some seconds, as often as it can.
FLOOD = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
frame = bytes.fromhex(sys.argv[1])
n, end = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for _ in range(100):
        s.send(frame)
    n += 100
print(n)
"""


def frames_of(pod, node):
    """An ARP request and a Neighbor Solicitation for the gateway."""
    mac = pod.run("cat", "/sys/class/net/eth0/address").strip()
    text = pod.run(sys.executable, "-c", """
import sys
from scapy.all import *
mac, ip, ip6, gw, gw6 = sys.argv[1:]
print(bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") /
            ARP(op=1, hwsrc=mac, psrc=ip, pdst=gw)).hex())
print(bytes(Ether(src=mac, dst="33:33:ff:00:00:01") /
            IPv6(src=ip6, dst="ff02::1:ff00:1", hlim=255) /
            ICMPv6ND_NS(tgt=gw6) / ICMPv6NDOptSrcLLAddr(lladdr=mac)).hex())
""", mac, pod.ip4, pod.ip6, node.gateway4, node.gateway6)
    return text.split()[-2:]


def test_flood(lab):
    """A pod that floods the gateway with requests keeps neither ovs-vswitchd
    busy nor others from theirs."""
    node = lab.n1
    node.start_agent()
    a, b = node.pod(), node.pod()
    assert a.ping(b.ip4) and a.ping(b.ip6)

    def n_xlate():
        return int(node.run("ovs-appctl", "coverage/read-counter",
                            "xlate_actions"))

    port = int(node.run("ovs-vsctl", "get", "Interface", a.port, "ofport"))
    for frame in frames_of(a, node):
        before = n_xlate()
        flood = a.popen(sys.executable, "-c", FLOOD, frame, "3",
                        stdout=subprocess.PIPE)
        n = 0
        while flood.poll() is None:
            for family, address in ("-4", node.gateway4), \
                    ("-6", node.gateway6):
                b.run("ip", family, "neigh", "flush", "all")
                assert b.ping(address), address
                n += 1
        sent = int(flood.stdout.read())
        flood.stdout.close()
        # 200 a second, and as many at once; and a few for each ping.
        assert sent > 10000 and n_xlate() - before < 200 * 4 + 50 * n + 500, (
            sent, n, n_xlate() - before)
    stats = node.run("ovs-ofctl", "-OOpenFlow14", "meter-stats", "br-int",
                     "meter=%d" % (28160 + port % 256))
    dropped = int(stats.split("packet_count:")[1].split()[0])
    assert dropped > 5000, stats
    # What it asks afterward is answered.
    for family, address in ("-4", node.gateway4), ("-6", node.gateway6):
        a.run("ip", family, "neigh", "flush", "all")
        assert a.ping(address), address
    # Somebody removes the meters: they come back.
    flows = node.flows()
    node.run("ovs-ofctl", "-OOpenFlow14", "del-meters", "br-int")
    wait_until(lambda: node.flows() == flows, "the flows are back")
    assert "28415" in node.run("ovs-ofctl", "-OOpenFlow14", "dump-meters",
                               "br-int")
    node.kill("ovs-ext-node")
    node.cleanup()
    assert "meter=" not in node.run("ovs-ofctl", "-OOpenFlow14",
                                    "dump-meters", "br-int")


def test_forged_tunnel(lab):
    """Another machine cannot send as if it were a node, nor a node with
    addresses of others."""
    start(lab)
    a, c = lab.n1.pod(), lab.n2.pod()
    assert c.ping(a.ip4, wait=10)
    port = lab.n1.run("ovs-vsctl", "get", "Interface", "ovs-geneve0",
                      "ofport").strip()
    drop = "priority=50,in_port=%s actions=drop" % port
    counted = lab.n1.n_packets(drop)
    mac = lab.n1.run("cat", "/sys/class/net/br-phy/address").strip()
    for n, (outer, inner) in enumerate((("192.0.2.9", c.ip4),
                                        ("192.0.2.2", a.ip4),
                                        ("192.0.2.2", "10.244.3.3"))):
        run("ip", "netns", "exec", "out", sys.executable, "-c",
            "import sys\nfrom scapy.all import *\n"
            "inner = Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:01')"
            " / IP(src=sys.argv[2], dst=sys.argv[3]) / ICMP()\n"
            "sendp(Ether(dst=sys.argv[4]) / IP(src=sys.argv[1], "
            "dst='192.0.2.1') / UDP(sport=50000, dport=6081, chksum=0) / "
            "bytes.fromhex('0000655800000000') / inner, iface='eth0', "
            "verbose=False)", outer, inner, a.ip4, mac)
        wait_until(lambda n=n: lab.n1.n_packets(drop) == counted + n + 1,
                   "%s from %s is counted" % (inner, outer), 5)


def test_restarts(lab):
    """Of the switch, the agent and the database, while pods live."""
    start(lab)
    a, b, c = lab.n1.pod(), lab.n1.pod(), lab.n2.pod()

    def assert_all():
        lab.n1.wait_synced()
        for address in b.ip4, b.ip6, c.ip4, c.ip6, lab.n1.gateway4:
            assert a.ping(address, wait=10), address
        assert lab.n1.ping(a.ip4)
        assert lab.n1.ping(c.ip6)

    assert_all()
    lab.n1.restart_switch()
    assert_all()
    # The agent is away: its flows stay, also those of a pod that goes.
    lab.n1.kill("ovs-ext-node")
    assert a.ping(b.ip4) and a.ping(c.ip4)
    lab.n1.call("DEL", b)
    lab.n1.start_agent()
    b.attach(lab.n1)
    assert_all()
    lab.n1.kill("ovsdb-server")
    wait_until(lambda: "cannot be reached" in lab.n1.http("/healthz"),
               "the fault is reported")
    lab.n1.start_database()
    assert_all()
    assert lab.n1.pod().ping(c.ip4, wait=10)
    # All of them, as after a restart of the machine.
    for name in "ovs-ext-node", "ovs-vswitchd", "ovsdb-server":
        lab.n1.kill(name)
    lab.n1.start_agent(wait=False)
    wait_until(lambda: "cannot be reached" in lab.n1.http("/healthz"),
               "the agent waits")
    lab.n1.start_database()
    lab.n1.start_daemon()
    lab.n1.set_network()
    assert_all()


def start_away(lab, node):
    """Starts the agent of 'node' with an API server that does not answer."""
    path = os.path.join(lab.dir, "away.conf")
    with open(path, "w") as stream:
        json.dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": "https://127.0.0.1:1"}}],
            "users": [{"name": "c", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c",
                                                   "user": "c"}}]}, stream)
    known, node.args = node.args, ["--kubeconfig=" + path,
                                   "--node=" + node.name]
    node.start_agent(wait=False)
    node.args = known


def kept(node):
    """What the database keeps of the Nodes, by name."""
    text = node.run("ovs-vsctl", "--format=json", "--columns=external_ids",
                    "list", "Port", "ovs-host0")
    return {key[len("node-kept-"):]: value
            for key, value in json.loads(text)["data"][0][0][1]
            if key.startswith("node-kept-")}


def test_api_server_away(lab):
    """The switch and the agent restart while the API server is away."""
    lab.write("n3", node_object(3))
    start(lab)
    a, b, c = lab.n1.pod(), lab.n1.pod(), lab.n2.pod()
    wait_until(lambda: len(kept(lab.n1)) == 3, "the Nodes are kept")
    assert kept(lab.n1)["n2"] == \
        "192.0.2.2 fd00:2::2 10.244.2.0/24 fd00:10:244:2::/64"
    assert a.ping(c.ip4, wait=10)
    flows = lab.n1.flows()
    for name in "ovs-ext-node", "ovs-vswitchd":
        lab.n1.kill(name)
    assert not a.ping(b.ip4, wait=1)
    lab.n1.start_daemon()
    lab.n1.set_network()
    start_away(lab, lab.n1)
    lab.n1.wait_synced()
    assert lab.n1.flows() == flows
    for address in b.ip4, b.ip6, c.ip4, c.ip6, lab.n1.gateway4, \
            lab.n1.gateway6:
        assert a.ping(address, wait=10), address
    assert lab.n1.ping(a.ip4)
    assert lab.n1.ping(c.ip6)
    assert "these are from the database\n" in lab.n1.show()
    assert len(kept(lab.n1)) == 3
    assert lab.n1.pod().ping(c.ip4, wait=10)
    # The API server is back, and a Node has gone, another has changed.
    lab.n1.kill("ovs-ext-node")
    lab.write("n3")
    other = node_object(2)
    other["status"]["addresses"][0]["address"] = "192.0.2.22"
    lab.write("n2", other)
    lab.n1.start_agent()
    assert "from the database" not in lab.n1.show()
    wait_until(lambda: sorted(kept(lab.n1)) == ["n1", "n2"],
               "the Node is forgotten")
    assert kept(lab.n1)["n2"].startswith("192.0.2.22 ")
    text = "\n".join(lab.n1.flows())
    assert "192.0.2.22" in text and "10.244.3.0" not in text
    # The database of another Node's agent is of no use.
    lab.n1.kill("ovs-ext-node")
    lab.n1.run("ovs-vsctl", "set", "Bridge", "br-int",
               "external_ids:node-agent=n9")
    start_away(lab, lab.n1)
    wait_until(lambda: lab.n1.http("/healthz") ==
               "waiting for the list of Nodes\n", "it waits")
    # Nor what is no address.
    lab.n1.kill("ovs-ext-node")
    lab.n1.run("ovs-vsctl", "set", "Bridge", "br-int",
               "external_ids:node-agent=n1", "--", "set", "Port",
               "ovs-host0", 'external_ids:node-kept-n2="x 10.0.0.0/99"')
    start_away(lab, lab.n1)
    lab.n1.wait_synced()
    assert "node-kept-n2: " in lab.n1.log()
    assert a.ping(b.ip4)


def test_repairs(lab):
    """What others remove comes back."""
    start(lab)
    a, b, c = lab.n1.pod(), lab.n1.pod(), lab.n2.pod()
    assert a.ping(b.ip4) and a.ping(c.ip4, wait=10)
    flows = lab.n1.flows()
    lab.n1.run("ovs-ofctl", "del-flows", "br-int")
    wait_until(lambda: lab.n1.flows() == flows, "the flows are back")
    for port in "ovs-host0", "ovs-geneve0":
        lab.n1.run("ovs-vsctl", "del-port", port)
        assert a.ping(c.ip4, wait=10)
        assert lab.n1.ping(a.ip4)
    lab.n1.run("ip", "route", "delete", "10.244.2.0/24")
    lab.n1.run("ip", "address", "flush", "dev", "ovs-host0")
    wait_until(lambda: "10.244.2.0/24" in lab.n1.run("ip", "route"),
               "the route is back")
    assert lab.n1.ping(c.ip4)
    lab.n1.run("ip", "link", "set", "ovs-host0", "down")
    assert lab.n1.ping(c.ip4)
    # A route of somebody else is none of ours.
    lab.n1.run("ip", "route", "replace", "10.244.2.0/24", "dev", "br-phy")
    wait_until(lambda: "there is one of somebody else" in
               lab.n1.http("/healthz"), "the fault is reported")
    lab.n1.run("ip", "route", "delete", "10.244.2.0/24")
    lab.n1.wait_synced()
    assert lab.n1.ping(c.ip4)


def test_add_waits(lab):
    """Without the agent, ADD fails and leaves nothing."""
    pod = lab.pod()
    expect(11, "no node agent serves bridge br-int", pod.attach, lab.n1)
    config = dict(lab.n1.config(), cniVersion="1.1.0")
    expect(50, "no node agent", lab.n1.call, "STATUS", config=config)
    start(lab)
    lab.n1.call("STATUS", config=config)
    os.kill(lab.n1.pid_of("ovs-ext-node"), 19)         # It hangs.
    try:
        failure = expect(11, "has not admitted port", pod.attach, lab.n1,
                         timeout=1)
        assert "ovs-ext-node running" in failure.details
        assert "cni" not in lab.n1.run("ovs-vsctl", "list-ports", "br-int")
        # DEL needs no agent.
        lab.n1.call("DEL", pod)
    finally:
        os.kill(lab.n1.pid_of("ovs-ext-node"), 18)
    pod.attach(lab.n1)
    assert "admitted" in lab.n1.show()
    assert lab.n1.metric("pods_admitted") == 1


def test_bad_pods(lab):
    """What a pod cannot have, "kubectl describe pod" shows."""
    start(lab)
    a = lab.n1.pod()
    expect(101, "its MTU is 1451, and packets between nodes have room for "
           "1450", lab.pod().attach, lab.n1, mtu=1451)

    def static(address):
        return {"type": "static", "addresses": [
            {"address": address + "/24"}, {"address": "fd01::1/64"}]}

    expect(101, "has address " + a.ip4, lab.pod().attach, lab.n1,
           ipam=static(a.ip4))
    for address in "10.244.1.1", "10.244.1.0":
        expect(101, "address %s is that of this node" % address,
               lab.pod().attach, lab.n1, ipam=static(address))
    expect(101, "address 10.244.2.9 is in the range of Node n2",
           lab.pod().attach, lab.n1, ipam=static("10.244.2.9"))
    assert lab.n1.run("ovs-vsctl", "list-ports",
                      "br-int").split().count(a.port) == 1
    # The range is full: host-local says so.
    small = node_object(1)
    small["spec"]["podCIDRs"] = ["10.244.1.0/30", "fd00:10:244:1::/126"]
    lab.write("n1", small)
    wait_until(lambda: "10.244.1.0/30" in lab.n1.run(
        "ovs-vsctl", "get", "Bridge", "br-int",
        "external_ids:node-pod-cidrs"), "the range is known")
    expect(999, "no IP addresses available", lab.pod().attach, lab.n1)


def test_bad_bridges(lab):
    node = lab.n1
    node.start_agent(wait=False)
    node.wait_synced()
    node.kill("ovs-ext-node")
    node.cleanup()

    node.run("ovs-vsctl", "set", "Open_vSwitch", ".",
             "external_ids:ovn-remote=tcp:192.0.2.9:6642")
    node.start_agent(wait=False)
    wait_until(lambda: node.http("/healthz") == "the bridge is OVN's\n",
               "OVN's bridge is refused")
    assert "ovs-host0" not in node.run("ovs-vsctl", "show")
    node.run("ovs-vsctl", "remove", "Open_vSwitch", ".", "external_ids",
             "ovn-remote")
    node.wait_synced()
    # A port of somebody else has our name.
    node.kill("ovs-ext-node")
    node.cleanup()
    node.run("ovs-vsctl", "add-port", "br-int", "ovs-host0", "--", "set",
             "Interface", "ovs-host0", "type=internal")
    node.start_agent(wait=False)
    wait_until(lambda: "host ovs-host0: the switch does not have it" in
               node.show(), "it is not ours")
    wait_until(lambda: "port ovs-host0 is of something else" in node.log(),
               "the log says so")


def test_address_on_bridge(lab):
    """The node's address is on the pods' own bridge, whose MTU follows that of
    the host's port."""
    node = lab.n1
    node.run("ip", "address", "flush", "dev", "br-phy")
    for address in node.ip4 + "/24", node.ip6 + "/64":
        node.run("ip", "address", "add", address, "dev", "br-int")
    node.run("ip", "link", "set", "br-int", "up")
    node.start_agent()
    wait_until(lambda: "mtu 1450" in node.run("ip", "link", "show", "br-int"),
               "the bridge follows")
    node.pod()
    assert "largest MTU of a pod: 1450\n" in node.show(), node.show()


def test_cleanup(lab):
    """Nothing is left, but what is of others."""
    node = lab.n1
    before = node.run("ovs-vsctl", "list-ports", "br-int")
    routes = node.run("ip", "route")
    features = os.path.join(node.dir, "features.d")
    os.mkdir(features)
    node.run("ovs-vsctl", "set", "Open_vSwitch", ".", "ovs-version=3.1.0")
    node.start_agent("--features=" + features)
    path = os.path.join(features, "ovs-ext-node")
    wait_until(lambda: os.path.exists(path), "the features are known")
    with open(path) as stream:
        assert stream.read() == ("ovs-version=3.1.0\novs-datapath=netdev\n"
                                 "ovs-dpdk=false\novs-vhost-user=false\n")
    assert "0: from all lookup local" not in node.rules()
    node.start_proxy()
    theirs = [f for f in node.flows() if "cookie=0x6b70" in f]
    assert theirs
    pod = node.pod()
    node.kill("ovs-ext-node")
    node.cleanup("--features=" + features)
    assert os.listdir(features) == []
    assert node.rules() == (["0: from all lookup local"] * 2
                            + ["32766: from all lookup main"] * 2
                            + ["32767: from all lookup default"])
    wait_until(lambda: [f for f in node.flows() if "cookie=0x6b70" in f]
               == theirs, "the Services' flows are there")
    others = [f for f in node.flows() if "cookie=0x6b70" not in f]
    assert others == ["priority=0 actions=NORMAL"], others
    assert node.run("ovs-vsctl", "list-ports", "br-int").replace(
        pod.port + "\n", "") == before
    for table, column in ("Bridge", "br-int"), ("Interface", pod.port):
        ids = node.run("ovs-vsctl", "get", table, column, "external_ids")
        assert "node-" not in ids, ids
    assert node.run("ovs-vsctl", "get", "Bridge", "br-int",
                    "fail_mode") == "[]\n"
    wait_until(lambda: "ovs-host0" not in node.run("ip", "link"),
               "the interface is gone")
    assert node.run("ip", "route") == routes
    assert "proto 110" not in node.run("ip", "-6", "route")
    # Once more: there is nothing to do.
    node.cleanup()
    node.call("DEL", pod)
