# SPDX-License-Identifier: Apache-2.0

"""What a node does: pods, hosts, other nodes, Services, the world outside."""

import nodes
from nodes import ask, run, wait_until


def start(lab, *args):
    for node in lab.nodes:
        node.start_agent(*args)


def test_pods(lab):
    """On one node, and between nodes by tunnels; the gateway; the hosts."""
    start(lab)
    a, b, c = lab.n1.pod(), lab.n1.pod(), lab.n2.pod()
    assert [a.ip4, b.ip4, c.ip4] == ["10.244.1.2", "10.244.1.3", "10.244.2.2"]
    for address in (b.ip4, b.ip6, c.ip4, c.ip6,
                    lab.n1.gateway4, lab.n1.gateway6, lab.n1.ip4, lab.n1.ip6,
                    lab.n2.ip4, lab.n2.ip6):
        assert a.ping(address, wait=10), address
    for node in lab.nodes:
        for address in a.ip4, a.ip6, c.ip4, c.ip6:
            assert node.ping(address)
    c.serve()
    assert a.ask(c.ip4) == [c.name, "::ffff:" + a.ip4]
    assert a.ask(c.ip6) == [c.name, a.ip6]
    # What is longer than a tunnel carries would be lost.
    assert a.ping(c.ip4, options=("-M", "do", "-s", "1422"))
    assert not a.ping("10.244.1.99", wait=1)
    assert not a.ping("10.244.2.99", wait=1)


def service(name, number, port, endpoints):
    """A Service with ClusterIPs of both families, and its EndpointSlices.
    'endpoints' are pairs of addresses."""
    ips = ["10.96.0.%d" % number, "fd00:10:96::%d" % number]
    objects = [{
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "ClusterIP", "clusterIP": ips[0], "clusterIPs": ips,
                 "ipFamilies": ["IPv4", "IPv6"],
                 "ports": [{"name": "p", "protocol": "TCP", "port": 80,
                            "targetPort": port}]}}]
    for i, family in enumerate(("IPv4", "IPv6")):
        objects.append({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": name + "-" + family, "namespace": "default",
                         "labels": {"kubernetes.io/service-name": name}},
            "addressType": family,
            "endpoints": [{"addresses": [e[i]], "conditions": {"ready": True}}
                          for e in endpoints],
            "ports": [{"name": "p", "protocol": "TCP", "port": port}]})
    return ips, objects


def test_services(lab):
    """From a pod and from the host, to endpoints on each node, to the pod
    itself and to the host."""
    start(lab)
    a, b, c = lab.n1.pod(), lab.n1.pod(), lab.n2.pod()
    far, objects = service("far", 1, 8080, [(c.ip4, c.ip6)])
    near, more = service("near", 2, 8080, [(b.ip4, b.ip6)])
    host, most = service("host", 3, 8081, [(lab.n1.ip4, lab.n1.ip6)])
    lab.write("services", *objects, *more, *most)
    for pod in b, c:
        pod.serve()
    lab.n1.serve(8081)
    for node in lab.nodes:
        node.start_proxy()
    for i, source in ((0, "::ffff:" + a.ip4), (1, a.ip6)):
        assert a.ask(far[i], 80) == [c.name, source]
        assert a.ask(near[i], 80) == [b.name, source]
        assert b.ask(near[i], 80)[0] == b.name
        assert a.ask(host[i], 80) == ["n1", source]
        assert ask("n1", far[i], 80)[0] == c.name
        assert ask("n1", near[i], 80)[0] == b.name
        assert ask("n2", near[i], 80)[0] == b.name
    # From the host to itself, by way of a Service.
    assert ask("n1", host[0], 80) == ["n1", "::ffff:10.244.1.0"]
    assert ask("n1", host[1], 80) == ["n1", "fd00:10:244:1::"]


def test_node_ports(lab):
    """From outside, from pods and nodes: to an endpoint on the node that is
    asked, and to one on the other."""
    start(lab)
    a, b = lab.n1.pod(), lab.n2.pod()
    b.serve()
    _, objects = service("port", 1, 8080, [(b.ip4, b.ip6)])
    objects[0]["spec"]["type"] = "NodePort"
    objects[0]["spec"]["ports"][0]["nodePort"] = 30080
    lab.write("services", *objects)
    for node in lab.nodes:
        node.start_proxy()
        for address in node.ip4, node.ip6:
            for client in "out", a.name, b.name, "n1", "n2":
                answer = ask(client, address, 30080)
                assert answer[:1] == [b.name], (client, address, answer)
    # A server of the node on a port that no Service has.
    lab.n1.serve(30081)
    for address in lab.n1.ip4, lab.n1.ip6:
        assert ask("n1", address, 30081)[:1] == ["n1"]
    # Rules that somebody removes come back, and with them the local ones'
    # place behind them.
    before = lab.n1.rules()
    for interface in "br-phy", "lo":
        assert "90: from all to 192.0.2.1 iif %s ipproto tcp dport " \
            "30000-32767 lookup 110 proto 110" % interface in before, before
    lab.n1.run("ip", "rule", "add", "pref", "0", "lookup", "local")
    for family in "-4", "-6":
        lab.n1.run("ip", family, "rule", "delete", "pref", "90")
    wait_until(lambda: lab.n1.rules() == before, "the rules are back")
    assert ask("out", lab.n1.ip6, 30080)[:1] == [b.name]


def check_endpoints(lab, *args):
    """Services with one endpoint each, a process of a node or a pod: their
    node ports at both nodes, and their ClusterIPs."""
    start(lab, *args)
    a, b = lab.n1.pod(), lab.n2.pod()
    b.serve(8081)
    endpoints = [*lab.nodes, b]
    ips, objects = [], []
    for number, endpoint in enumerate(endpoints):
        addresses, more = service("s%d" % number, number + 1, 8081,
                                  [(endpoint.ip4, endpoint.ip6)])
        ips.append(addresses)
        more[0]["spec"]["type"] = "NodePort"
        more[0]["spec"]["ports"][0]["nodePort"] = 30080 + number
        objects += more
    lab.write("services", *objects)
    for node in lab.nodes:
        node.serve(8081)
        node.start_proxy()

    def check(client, address, port, endpoint, *source):
        answer = ask(client, address, port)
        assert answer[:1 + len(source)] == [endpoint.name, *source], \
            (client, address, port, endpoint.name, answer)

    for number, endpoint in enumerate(endpoints):
        for client in "out", a.name, b.name, "n1", "n2":
            for node in lab.nodes:
                # Only pods of the node see its own address.
                sources = [node.ip4, node.ip6] \
                    if endpoint is b and node is lab.n2 else \
                    ["10.244.%d.0" % node.number,
                     "fd00:10:244:%d::" % node.number]
                check(client, node.ip4, 30080 + number, endpoint,
                      "::ffff:" + sources[0])
                check(client, node.ip6, 30080 + number, endpoint, sources[1])
            for address in ips[number] if client != "out" else []:
                check(client, address, 80, endpoint)


def test_endpoints(lab):
    check_endpoints(lab)


def test_endpoints_by_routes(lab):
    check_endpoints(lab, "--between=routes")


def test_outside(lab):
    """A pod reaches other networks through the host, and is reached."""
    start(lab)
    pod = lab.n1.pod()
    for family, network, via in (("-4", "10.244.1.0/24", lab.n1.ip4),
                                 ("-6", "fd00:10:244:1::/64", lab.n1.ip6)):
        run("ip", "-n", "out", family, "route", "add", network, "via", via)
    try:
        assert pod.ping("192.0.2.9", wait=10)
        assert pod.ping("fd00:2::9", wait=10)
        pod.serve()
        assert ask("out", pod.ip4, 8080) == [pod.name, "::ffff:192.0.2.9"]
        assert ask("out", pod.ip6, 8080) == [pod.name, "fd00:2::9"]
    finally:
        for family in "-4", "-6":
            run("ip", "-n", "out", family, "route", "flush", "root",
                "10.244.1.0/24" if family == "-4" else "fd00:10:244:1::/64")


def test_masquerade(lab):
    """The host's kernel gives pods the node's address toward others."""
    start(lab)
    pod = lab.n1.pod()
    rule = ["POSTROUTING", "-s", "10.244.0.0/16", "!", "-d", "10.244.0.0/16",
            "-o", "br-phy", "-j", "MASQUERADE"]
    lab.n1.run("iptables", "-t", "nat", "-A", *rule)
    server = nodes.Server("out", 8080)
    try:
        assert pod.ask("192.0.2.9") == ["out", "::ffff:" + lab.n1.ip4]
    finally:
        server.stop()
        lab.n1.run("iptables", "-t", "nat", "-D", *rule)


def test_routes(lab):
    """Nodes that share a network, without tunnels."""
    start(lab, "--between=routes")
    a, c = lab.n1.pod(mtu=1500), lab.n2.pod(mtu=1500)
    assert "geneve" not in lab.n1.run("ovs-vsctl", "show")
    for address in c.ip4, c.ip6, lab.n2.ip4, lab.n2.ip6:
        assert a.ping(address, wait=10), address
    assert a.ping(c.ip4, options=("-M", "do", "-s", "1472"))
    assert lab.n1.ping(c.ip4)
    assert "10.244.2.0/24 via 192.0.2.2 dev br-phy" in lab.n1.run("ip",
                                                                  "route")
    lab.n1.kill("ovs-ext-node")
    lab.n1.cleanup("--between=routes")
    for family in "-4", "-6":
        assert lab.n1.run("ip", family, "route", "show", "proto",
                          "110") == ""


def test_nodes_come_and_go(lab):
    start(lab)
    a, c = lab.n1.pod(), lab.n2.pod()
    assert a.ping(c.ip4, wait=10)
    lab.write("n2")
    wait_until(lambda: "Node n2" not in lab.n1.show(), "n2 is gone")
    lab.n1.wait_synced()
    assert not [f for f in lab.n1.flows() if "10.244.2." in f
                or "fd00:10:244:2:" in f]
    assert "10.244.2.0" not in lab.n1.run("ip", "route")
    assert not a.ping(c.ip4, wait=1)
    lab.write("n2", nodes.node_object(2))
    assert a.ping(c.ip4, wait=10)
    assert a.ping(c.ip6, wait=10)


def test_range_changes(lab):
    """The addresses of the old range go, those of others stay."""
    def addresses(family):
        return [line.split()[3] for line in lab.n1.run(
            "ip", "-o", family, "address", "show", "dev", "ovs-host0",
            "scope", "global").splitlines()]

    start(lab)
    lab.n1.run("ip", "address", "add", "203.0.113.9/32", "dev", "ovs-host0")
    assert "10.244.1.1/32" in addresses("-4")
    assert addresses("-6") == ["fd00:10:244:1::1/128"]
    node = nodes.node_object(1)
    node["spec"]["podCIDRs"] = ["10.244.7.0/24", "fd00:10:244:7::/64"]
    lab.write("n1", node)
    wait_until(lambda: sorted(addresses("-4")) == [
        "10.244.7.1/32", "203.0.113.9/32"], "the range is in use")
    assert addresses("-6") == ["fd00:10:244:7::1/128"]
    # Another run of the program knows the addresses of the one before.
    lab.n1.kill("ovs-ext-node")
    lab.write("n1", nodes.node_object(1))
    lab.n1.start_agent()
    wait_until(lambda: sorted(addresses("-4")) == [
        "10.244.1.1/32", "203.0.113.9/32"], "the first range is back")
    assert addresses("-6") == ["fd00:10:244:1::1/128"]


def test_one_range_twice(lab):
    """Of two Nodes with one range, one counts; ours counts in any case."""
    start(lab)
    a, c = lab.n1.pod(), lab.n2.pod()
    assert a.ping(c.ip4, wait=10)
    third, fourth = nodes.node_object(2), nodes.node_object(1)
    for node, number in (third, 3), (fourth, 4):
        node["metadata"]["name"] = "n%d" % number
        node["status"]["addresses"] = [{"type": "InternalIP",
                                        "address": "192.0.2.%d" % number}]
    fourth["metadata"]["name"] = "a"
    fourth["spec"] = {"podCIDRs": ["10.244.0.0/16"]}
    lab.write("others", third, fourth)
    wait_until(lambda: lab.n1.metric("nodes_left_out") == 2, "both are known")
    lab.n1.wait_synced()
    shown = lab.n1.show()
    assert "Node n3: 192.0.2.3, pods 10.244.2.0/24 fd00:10:244:2::/64: " \
        "left out, Node n2 has its range or address" in shown, shown
    assert "Node a: 192.0.2.4, pods 10.244.0.0/16: left out, Node n1 has " \
        "its range or address" in shown, shown
    assert not [f for f in lab.n1.flows() if "192.0.2.3" in f
                or "192.0.2.4" in f]
    assert a.ping(c.ip4)
    assert "Node n3 has a range of pods or an address that Node n2 has" in \
        lab.n1.log()
