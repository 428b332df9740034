# SPDX-License-Identifier: Apache-2.0

"""Direct return: a client outside asks node n1, an endpoint's node answers."""

import contextlib
import types

import nodes
from direct import (Client, Echo, Recorder, ask_udp, heard, scapy,
                    transfer)
from nodes import run, wait_until

CLIENT4, CLIENT6 = "::ffff:192.0.2.9", "fd00:2::9"
LB4, LB6 = "198.51.100.1", "fd00:51::1"
ANNOTATION = "ovs-kube-proxy/direct-return"
NODE_PORT = 30080


def start(lab):
    for node in lab.nodes:
        node.start_agent("--direct-return", "--host-routes=%s,%s,%s,%s" % (
            nodes.SERVICES4, nodes.SERVICES6, "198.51.100.0/24",
            "fd00:51::/64"))


def start_proxies(lab):
    for node in lab.nodes:
        node.start_proxy("--direct-return", "--seed=1")


def service(*endpoints, direct="true", node_port=NODE_PORT, **spec):
    """A Service of type LoadBalancer, of TCP and UDP, and its slices.
    'endpoints' are pods, or pairs of a pod and conditions."""
    ports = [{"name": protocol.lower(), "protocol": protocol, "port": 80,
              "targetPort": 8080, "nodePort": node_port}
             for protocol in ("TCP", "UDP")]
    objects = [{
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "s", "namespace": "default",
                     "annotations": {ANNOTATION: direct}},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.1",
                 "clusterIPs": ["10.96.0.1", "fd00:10:96::1"],
                 "ipFamilies": ["IPv4", "IPv6"], "ports": ports, **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": LB4}, {"ip": LB6}]}}}]
    for family in "IPv4", "IPv6":
        objects.append({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "s-" + family, "namespace": "default",
                         "labels": {"kubernetes.io/service-name": "s"}},
            "addressType": family,
            "endpoints": [slice_endpoint(family, *(
                e if isinstance(e, tuple) else (e, {"ready": True})))
                for e in endpoints],
            "ports": [{"name": p["name"], "protocol": p["protocol"],
                       "port": 8080} for p in ports]})
    return objects


def slice_endpoint(family, pod, conditions):
    return {"addresses": [pod.ip4 if family == "IPv4" else pod.ip6],
            "nodeName": pod.node.name, "conditions": conditions}


def apply(lab, *objects):
    """Writes the Service, and waits until both nodes have it."""
    lab.mark = getattr(lab, "mark", 0) + 1
    mark = {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "mark%d" % lab.mark, "namespace": "default"},
            "spec": {"clusterIP": "10.96.0.99", "ports": [{"port": 1}]}}
    lab.write("services", *objects, mark)
    for node in lab.nodes:
        wait_until(lambda node=node: "default/mark%d:" % lab.mark in
                   node.appctl("service/list", "ovs-kube-proxy") and
                   node.appctl("sync/status", "ovs-kube-proxy")
                   .startswith("synced"), "%s has the Service" % node.name)
        node.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")


def apply_first(lab, *objects):
    lab.write("services", *objects)
    start_proxies(lab)


@contextlib.contextmanager
def way_by(node):
    """The client sends what is for load balancers to 'node'."""
    ways = (("-4", "198.51.100.0/24", node.ip4), ("-6", "fd00:51::/64",
                                                  node.ip6))
    for family, network, via in ways:
        run("ip", "-n", "out", family, "route", "replace", network, "via",
            via)
    try:
        yield
    finally:
        for family, network, _ in ways:
            run("ip", "-n", "out", family, "route", "delete", network)


@contextlib.contextmanager
def echo(*pods):
    servers = [Echo(pod.name) for pod in pods]
    try:
        yield
    finally:
        for server in servers:
            server.stop()


def answers(counts, address, port):
    """How many packets an Ear has heard from there."""
    return counts.get((address, port), 0)


def check(lab, pod, address, port, source):
    """TCP in both directions and UDP reach 'pod' with the client's address,
    and n1 answers nothing."""
    for ask, args, least in ((transfer, (300000,), 100), (ask_udp, (), 1)):
        got, one, two = heard(lambda ask=ask, args=args: ask(
            "out", address, port, *args), *lab.nodes)
        assert got and got[:2] == (pod.name, source), (address, port, got)
        assert not answers(one, address, port), one
        assert answers(two, address, port) >= least, two


def test_direct_balancer(lab):
    """A load balancer's address, in both families: the endpoint sees the
    client, and its node answers.  Without the annotation neither is so."""
    start(lab)
    pod = lab.n2.pod()
    with way_by(lab.n1), echo(pod):
        apply_first(lab, *service(pod, direct="false"))
        for address, source in ((LB4, "::ffff:10.244.1.0"),
                                (LB6, "fd00:10:244:1::")):
            got, one, two = heard(lambda address=address: transfer(
                "out", address, 80, 100000), *lab.nodes)
            assert got == (pod.name, source), got
            assert answers(one, address, 80) and \
                not answers(two, address, 80), (one, two)
        apply(lab, *service(pod))
        for address, source in (LB4, CLIENT4), (LB6, CLIENT6):
            check(lab, pod, address, 80, source)


def test_direct_node_port(lab):
    """A node port is answered from the address that was asked."""
    start(lab)
    pod = lab.n2.pod()
    with echo(pod):
        apply_first(lab, *service(pod))
        check(lab, pod, lab.n1.ip4, NODE_PORT, CLIENT4)
        check(lab, pod, lab.n1.ip6, NODE_PORT, CLIENT6)
        # The node of the endpoint is asked itself.
        for address, source in (lab.n2.ip4, CLIENT4), (lab.n2.ip6, CLIENT6):
            assert transfer("out", address, NODE_PORT, 10000) == (pod.name,
                                                                  source)


def test_direct_near(lab):
    """Pods and nodes are served as without direct return, endpoints among
    them, at all addresses."""
    start(lab)
    near, far = lab.n1.pod(), lab.n2.pod()
    with echo(far):
        apply_first(lab, *service(far))
        for client in near.name, far.name, "n1", "n2":
            for address, port in ((LB4, 80), (LB6, 80),
                                  (lab.n1.ip4, NODE_PORT),
                                  (lab.n2.ip6, NODE_PORT)):
                got = transfer(client, address, port, 1000)
                assert got[0] == far.name and got[1] not in (CLIENT4,
                                                             CLIENT6), \
                    (client, address, got)
        assert transfer(near.name, "10.96.0.1", 80, 1000) == (
            far.name, "::ffff:" + near.ip4)


def test_direct_stays(lab):
    """Connections stay where they are while nodes and endpoints come and go,
    also with an endpoint that terminates."""
    start(lab)
    one, two, more = lab.n1.pod(), lab.n2.pod(), lab.n1.pod()
    drains = {"ready": False, "serving": False, "terminating": True}
    with way_by(lab.n1), echo(one, two, more):
        apply_first(lab, *service(two))
        clients = [Client("out", address, 80, 20) for address in (LB4, LB6)]
        try:
            for client, source in zip(clients, (CLIENT4, CLIENT6)):
                assert client.ask() == [(two.name, source)] * 20
            # Half of the new ones would go to the first node.
            apply(lab, *service(two, one))
            fresh = Client("out", LB4, 80, 20)
            clients.append(fresh)
            before = [client.ask() for client in clients]
            assert before[0] == [(two.name, CLIENT4)] * 20, before[0]
            assert before[1] == [(two.name, CLIENT6)] * 20, before[1]
            assert set(before[2]) == {(one.name, CLIENT4),
                                      (two.name, CLIENT4)}, before[2]
            for endpoints in ((two, one, more), ((two, drains), one, more),
                              (two, (one, drains), more), (two, one)):
                apply(lab, *service(*endpoints))
                after = [client.ask() for client in clients]
                assert after == before, (endpoints, after)
            # A program that starts anew changes nothing.
            for node in lab.nodes:
                node.kill("ovs-kube-proxy")
            start_proxies(lab)
            assert [client.ask() for client in clients] == before
            # Only an endpoint's own connections go with it.
            apply(lab, *service((two, drains), more))
            with Client("out", LB4, 80, 10) as late:
                assert late.ask() == [(more.name, CLIENT4)] * 10
        finally:
            for client in clients:
                client.close()


def test_direct_refused(lab):
    """What cannot be served so is served as without, and the log says why."""
    start(lab)
    pod = lab.n2.pod()
    with way_by(lab.n1), echo(pod):
        apply_first(lab, *service(pod, direct="yes"))
        assert transfer("out", LB4, 80, 1000) == (pod.name,
                                                  "::ffff:10.244.1.0")
        log = lab.n1.run("cat", lab.n1.dir + "/ovs-kube-proxy.log")
        assert "Service default/s: annotation " + ANNOTATION + ": 'yes' is " \
            "neither true nor false" in log, log
        # The answers of a process of a node do not pass the switch.
        host = types.SimpleNamespace(name="n2", node=lab.n2, ip4=lab.n2.ip4,
                                     ip6=lab.n2.ip6)
        with echo(host):
            apply(lab, *service(host))
            assert transfer("out", LB4, 80, 1000) == ("n2",
                                                      "::ffff:10.244.1.0")
        log = lab.n1.run("cat", lab.n1.dir + "/ovs-kube-proxy.log")
        assert "endpoint 192.0.2.2 gets nothing by direct return: it has " \
            "the address of its node" in log, log
        # Without the option.
        lab.n1.kill("ovs-kube-proxy")
        lab.n1.start_proxy()
        apply(lab, *service(pod))
        assert transfer("out", LB4, 80, 1000) == (pod.name,
                                                  "::ffff:10.244.1.0")
        log = lab.n1.run("cat", lab.n1.dir + "/ovs-kube-proxy.log")
        assert "needs option --direct-return" in log, log


def test_direct_outside(lab):
    """Source ranges, affinity, no endpoint at all, long datagrams."""
    start(lab)
    one, two = lab.n1.pod(), lab.n2.pod()
    with way_by(lab.n1), echo(one, two):
        apply_first(lab, *service(two, loadBalancerSourceRanges=[
            "203.0.113.0/24", "fd00:2::/64"]))
        assert ask_udp("out", LB4, 80) is None
        assert ask_udp("out", LB6, 80) == (two.name, CLIENT6, "10")
        assert ask_udp("out", lab.n1.ip4, NODE_PORT) == (two.name, CLIENT4,
                                                         "10")
        # Fragments, in both directions.
        apply(lab, *service(two))
        for address, source in (LB4, CLIENT4), (LB6, CLIENT6):
            run("ip", "-n", "out", "route", "replace", address, "via",
                lab.n1.ip4 if address is LB4 else lab.n1.ip6, "mtu", "1450")
            got = ask_udp("out", address, 80, 4000)
            run("ip", "-n", "out", "route", "delete", address)
            assert got == (two.name, source, "4000"), (address, got)
        # More than the tunnel carries, and not to be fragmented.
        assert not nodes.ping("out", LB4, 0.5, ("-M", "do", "-s", "1472"))
        route = run("ip", "-n", "out", "route", "get", LB4)
        assert "mtu 1450" in route, route
        run("ip", "-n", "out", "route", "flush", "cache")
        # All connections of a client, to whatever address, go to one.
        apply(lab, *service(one, two, sessionAffinity="ClientIP"))
        for addresses in (LB4, lab.n1.ip4, lab.n2.ip4), (LB6, lab.n1.ip6,
                                                         lab.n2.ip6):
            names = {transfer("out", address, port, 100)[0]
                     for address, port in zip(addresses, (80, NODE_PORT,
                                                          NODE_PORT))
                     for _ in range(5)}
            assert len(names) == 1, names
        apply(lab, *service())
        for address, port in (LB4, 80), (LB6, 80), (lab.n1.ip4, NODE_PORT):
            answer = nodes.ask("out", address, port)
            assert answer[0] == "ConnectionRefusedError:", (address, answer)


def test_direct_icmp(lab):
    """An ICMP error about an answer finds the node of the endpoint."""
    start(lab)
    one, two = lab.n1.pod(), lab.n2.pod()
    with way_by(lab.n1), echo(two):
        apply_first(lab, *service(two))
        mac = lab.n1.run("cat", "/sys/class/net/br-phy/address").strip()
        assert ask_udp("out", LB4, 80, source_port=4004) == (two.name,
                                                             CLIENT4, "10")
        assert ask_udp("out", LB6, 80, source_port=4006) == (two.name,
                                                             CLIENT6, "10")
        head = "Ether(dst='%s') / " % mac
        scapy("out", [
            head + "IP(src='192.0.2.9', dst='%s') / ICMP(type=3, code=4, "
            "nexthopmtu=1300) / IP(src='%s', dst='192.0.2.9') / "
            "UDP(sport=80, dport=4004) / bytes(30)" % (LB4, LB4),
            head + "IPv6(src='fd00:2::9', dst='%s') / "
            "ICMPv6PacketTooBig(mtu=1300) / IPv6(src='%s', dst='fd00:2::9') "
            "/ UDP(sport=80, dport=4006) / bytes(30)" % (LB6, LB6)])
        for client in "192.0.2.9", "fd00:2::9":
            wait_until(lambda client=client: "mtu 1300" in run(
                "ip", "-n", two.name, "route", "get", client),
                "the endpoint knows the MTU to " + client, 5)
            assert "mtu 1300" not in run("ip", "-n", one.name, "route", "get",
                                         client)


def test_direct_forged(lab):
    """What says that it was handed over, and is not for a Service with direct
    return from outside, goes nowhere."""
    start(lab)
    pod, other = lab.n2.pod(), lab.n2.pod()
    recorder = Recorder(pod.name)
    try:
        plain = service(pod, direct="false", node_port=NODE_PORT + 1)
        for obj in plain:
            obj["metadata"]["name"] = obj["metadata"]["name"].replace("s", "t")
            for label in obj["metadata"].get("labels", {}):
                obj["metadata"]["labels"][label] = "t"
        plain[0]["spec"].update(clusterIP="10.96.0.2",
                                clusterIPs=["10.96.0.2", "fd00:10:96::2"])
        plain[0]["status"]["loadBalancer"]["ingress"] = [
            {"ip": "198.51.100.2"}]
        apply_first(lab, *service(pod), *plain)
        run("ip", "netns", "exec", other.name, "python3", "-c",
            "import socket\n"
            "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "u.bind(('', 4000))\n"
            "u.sendto(b'known', ('10.96.0.1', 80))")
        assert recorder.until("known") == ["known"]
        mac = lab.n2.run("cat", "/sys/class/net/br-phy/address").strip()

        def packet(name, dst, port, source="203.0.113.7", key="647372",
                   outer="192.0.2.1"):
            return ("Ether(dst='%s') / IP(src='%s', dst='192.0.2.2') / "
                    "UDP(sport=50000, dport=6081, chksum=0) / "
                    "bytes.fromhex('00006558%s00') / "
                    "Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:01') "
                    "/ IP(src='%s', dst='%s') / UDP(sport=4000, dport=%d) / "
                    "b'%s'" % (mac, outer, key, source, dst, port, name))

        scapy("out", [
            packet("pod", pod.ip4, 8080),
            packet("cluster-ip", "10.96.0.1", 80),
            packet("not-direct", "198.51.100.2", 80),
            packet("not-direct-port", lab.n1.ip4, NODE_PORT + 1),
            packet("not-a-node", "192.0.2.77", NODE_PORT),
            packet("known", "10.96.0.1", 80, other.ip4),
            packet("from-a-pod", LB4, 80, "10.244.1.9"),
            packet("from-a-node", LB4, 80, "192.0.2.1"),
            packet("key", LB4, 80, key="000005"),
            packet("no-key", LB4, 80, key="000000"),
            packet("no-node", LB4, 80, outer="192.0.2.9"),
            packet("good-port", lab.n1.ip4, NODE_PORT),
            packet("good", LB4, 80)])
        assert recorder.until("good") == ["good-port", "good"]
    finally:
        recorder.stop()


def test_direct_moves(lab):
    """A router sends connections to another node: it hands them over to the
    same.  A Node that is gone gets nothing, and takes only its own
    connections along."""
    start(lab)
    one, two = lab.n1.pod(), lab.n2.pod()
    with echo(one, two):
        apply_first(lab, *service(one, two))
        with way_by(lab.n1):
            clients = [Client("out", address, 80, 20)
                       for address in (LB4, LB6)]
            before = [client.ask() for client in clients]
        try:
            for got, source in zip(before, (CLIENT4, CLIENT6)):
                assert set(got) == {(one.name, source), (two.name, source)}
            with way_by(lab.n2):
                after = [client.ask() for client in clients]
                assert after == before, after
            with way_by(lab.n1):
                lab.write("n2")
                for node in lab.nodes:
                    node.wait_synced()
                wait_until(lambda: "direct return by: 192.0.2.1(weight 100)\n"
                           in lab.n1.run("ovs-appctl", "-t", "ovs-kube-proxy",
                                         "service/show", "default/s"),
                           "the Node is forgotten")
                with Client("out", LB4, 80, 20) as fresh:
                    assert fresh.ask() == [(one.name, CLIENT4)] * 20
                for client, old in zip(clients, before):
                    for got, was in zip(client.ask(), old):
                        assert got == was or was[0] == two.name, (got, was)
        finally:
            for client in clients:
                client.close()
