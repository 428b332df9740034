# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy, the rules about what happens after a change: affinity,
health checks, connections that end or stay, the first lists, ICMP errors."""

import http.client
import json
import os
import resource
import threading
import time

from scapy.layers.inet import (ICMP, TCP, UDP, IPerror, TCPerror, UDPerror,
                               fragment)
from scapy.layers.inet6 import (ICMPv6DestUnreach, IPerror6, IPv6,
                                IPv6ExtHdrFragment)
from scapy.packet import Raw

from cluster import wait_until
from harness import admin
from lab import ip_layer, l4, make_service, make_slice, network
from tests_proxy import (EXTERNAL, LB, NODE, NODE6, VIP, VIP6, answer, check,
                         checksums_are_right, nodeport, segment, sports,
                         try_connections, with_lab)
from tests_proxy_api import api_slice, node, put
from tests_proxy_rules import (BOTH, DRAINS, GONE, READY, both, dual,
                               endpoint, slice_of)


# Rule 8.

CLIENTS = 60


def affine(timeout):
    config = {"clientIP": {"timeoutSeconds": timeout}}
    return make_service("s", sessionAffinity="ClientIP",
                        sessionAffinityConfig=config, **BOTH)


def choices(lab, vip, dport=80):
    """The endpoint that each of many clients gets."""
    host = lab.hosts["pod"]
    lab.drain()
    for i in range(CLIENTS):
        client = "fd01::1:%x" % i if ":" in vip else "10.1.0.%d" % (i + 100)
        host.send(ip_layer(client, vip)
                  / segment("TCP", next(sports), dport))
    got = lab.collect(lambda got: len(got) >= CLIENTS)
    assert len(got) == CLIENTS, len(got)
    return {network(packet)[0]: name for name, packet in got}


@with_lab
def test_rule_08_affinity_timeout(lab, _):
    """Clients stay with their endpoint until they pause for the timeout."""
    two = both(("a", {}), ("b", {}))
    three = both(("a", {}), ("b", {}), ("remote", {}))
    lab.write(affine(3), *two)
    lab.start()
    before = {vip: choices(lab, vip) for vip in (VIP, VIP6)}
    lab.write(affine(3600), *two)
    lab.wait_shown("default/s", "affinity for 3600 s")
    for group in lab.groups():
        assert "selection_method_param=%d" % (3600 << 32) in group, group
    for vip in VIP, VIP6:
        assert choices(lab, vip) == before[vip]
    lab.apply(affine(3600), *three)
    for vip in VIP, VIP6:
        assert choices(lab, vip) == before[vip]
    # A third of them would choose "remote" if they were new.
    lab.apply(affine(1), *three)

    def moved():
        # It takes a pause.
        time.sleep(1.5)
        return all("remote" in choices(lab, vip).values()
                   for vip in (VIP, VIP6))

    wait_until(moved, "clients that paused choose again")
    # The default timeout, and the longest, a day.
    service = affine(1)
    del service["spec"]["sessionAffinityConfig"]
    lab.apply(service, *three)
    assert "affinity for 10800 s" in lab.appctl("service/show", "default/s")
    for group in lab.groups():
        assert "selection_method_param=%d" % (10800 << 32) in group, group
    lab.stop()


@with_lab
def test_rule_08_affinity_refreshed(lab, _):
    """Each connection restarts the timeout."""
    lab.write(affine(8), *both(("a", {}), ("b", {})))
    lab.start()
    before = choices(lab, VIP)
    # A third of them would choose "remote" if they were new.
    lab.apply(affine(8), *both(("a", {}), ("b", {}), ("remote", {})))
    begin = time.monotonic()
    while time.monotonic() < begin + 12:
        assert choices(lab, VIP) == before
        time.sleep(1)
    time.sleep(9.5)
    assert "remote" in choices(lab, VIP).values()
    lab.stop()


@with_lab
def test_rule_08_affinity_per_port(lab, _):
    """Affinity is for each port of a Service apart."""
    def objects(*hosts):
        ports = [{"name": "p%d" % port, "port": port, "protocol": "TCP"}
                 for port in (80, 81)]
        return [dict(affine(100), spec=dict(affine(100)["spec"],
                                            ports=ports)),
                *both(*((host, {}) for host in hosts), ports=ports)]

    lab.write(*objects("a", "b"))
    lab.start()
    first = choices(lab, VIP)
    lab.apply(*objects("a", "b", "remote"))
    second = choices(lab, VIP, 81)
    assert "remote" in second.values()
    assert choices(lab, VIP) == first
    assert choices(lab, VIP, 81) == second
    lab.stop()


# Rule 16.

HEALTH_PORT = 30999


def health(lab, port=HEALTH_PORT):
    """The status and body of the health-check node port, or None if it is
    closed."""
    assert lab.synced()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port,
                                                timeout=20)
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except ConnectionRefusedError:
        return None


@with_lab
def test_rule_16_health_check_port(lab, _):
    """Status 200 while there is a local ready endpoint, else 503."""
    def service(**spec):
        return make_service("s", healthCheckNodePort=HEALTH_PORT, **nodeport(
            externalTrafficPolicy="Local", **spec))

    lab.write()
    lab.start()
    assert health(lab) is None
    for slices, status, n in (
            ([make_slice("s", "a", "b", "remote")], 200, 2),
            ([slice_of(endpoint("a", **READY), endpoint("b", **DRAINS))],
             200, 1),
            ([slice_of(endpoint("a", **DRAINS), endpoint("b", **GONE))],
             503, 0),
            ([make_slice("s", "remote")], 503, 0),
            ([], 503, 0)):
        lab.apply(service(), *slices)
        wait_until(lambda: health(lab), "the port is open")
        assert health(lab) == (status, {
            "service": {"namespace": "default", "name": "s"},
            "localEndpoints": n, "serviceProxyHealthy": True}), health(lab)
    lab.apply()
    wait_until(lambda: health(lab) is None, "the port is closed")
    lab.stop()


@with_lab
def test_rule_16_many_ports(lab, _):
    """More health-check node ports than the usual limit of open files."""
    def service(n):
        return make_service(
            "s%d" % n, type="LoadBalancer", clusterIP="10.96.1.%d" % n,
            externalTrafficPolicy="Local", healthCheckNodePort=31000 + n)

    lab.write(*(obj for n in range(100)
                for obj in (service(n), make_slice("s%d" % n, "a"))))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        lab.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for n in range(100):
        assert health(lab, 31000 + n)[0] == 200
    lab.stop()


# Rule 17.

class Connection:
    """A connection from "source" to "dst" whose packets the test sends."""

    def __init__(self, lab, source, dst, protocol="UDP", dport=80):
        self.lab, self.host = lab, lab.hosts[source]
        self.packet = ip_layer(self.host.address(dst), dst) / \
            segment(protocol, next(sports), dport)
        self.established = False

    def where(self):
        """Sends a packet, and has it answered.  Returns its receiver."""
        self.lab.drain()
        self.host.send(self.packet)
        got = self.lab.collect(len, 5)
        for name, packet in got:
            if name != self.host.name:
                self.lab.hosts[name].send(answer(packet))
                back = self.lab.collect(len, 5)
                assert len(back) == 1, back
        if TCP in self.packet and not self.established:
            header = l4(self.packet)
            header.flags, header.seq, header.ack = "PA", 1001, 5001
            self.packet /= b"data"
            self.established = True
        return [name for name, _ in got]


UDP_PORTS = [{"name": "p", "protocol": "UDP", "port": 80, "targetPort": 8080,
              "nodePort": 30080},
             {"name": "p", "protocol": "TCP", "port": 80, "targetPort": 8080,
              "nodePort": 30080}]


def all_slices(*endpoints):
    ports = [{"name": "p", "protocol": p, "port": 8080}
             for p in ("UDP", "TCP")]
    return both(*endpoints, ports=ports)


@with_lab
def test_rule_17_udp_and_tcp(lab, _):
    """UDP leaves an endpoint when it stops serving, at all addresses of the
    Service, and not earlier.  TCP stays."""
    lab.write(dual(ports=UDP_PORTS), *all_slices(("a", {})))
    lab.start()
    ways = [("pod", VIP, 80), ("pod", VIP6, 80), ("ext", VIP, 80),
            ("ext", LB, 80), ("ext", EXTERNAL, 80), ("ext", NODE, 30080),
            ("ext", NODE6, 30080), ("a", VIP, 80)]
    udp = [Connection(lab, source, dst, "UDP", dport)
           for source, dst, dport in ways]
    tcp = [Connection(lab, source, dst, "TCP", dport)
           for source, dst, dport in ways[:4]]
    for way, connection in zip(ways, udp):
        assert connection.where() == ["a"], way
    for way, connection in zip(ways, tcp):
        assert connection.where() == ["a"], way
    # It terminates and still serves.
    lab.apply(dual(ports=UDP_PORTS), *all_slices(("a", DRAINS), ("b", {})))
    assert "old connections: 10.1.0.2:8080" in \
        lab.appctl("service/show", "default/s")
    for way, connection in zip(ways, udp):
        assert connection.where() == ["a"], way
    assert {name for name, _ in try_connections(lab, "pod", VIP)} == {"b"}
    # It serves no more.
    lab.apply(dual(ports=UDP_PORTS), *all_slices(("a", GONE), ("b", {})))
    for way, connection in zip(ways, udp):
        assert connection.where() == ["b"], way
    for way, connection in zip(ways, tcp):
        assert connection.where() == ["a"], way
    # No endpoint serves; then the Service goes.
    lab.apply(dual(ports=UDP_PORTS))
    for connection in udp[:4]:
        assert connection.where() == [connection.host.name]
    lab.apply()
    assert udp[0].where() == []
    for way, connection in zip(ways, tcp):
        assert connection.where() == ["a"], way
    lab.stop()


@with_lab
def test_rule_17_udp_while_away(lab, _):
    """UDP leaves the endpoints that went while the program did not run, and
    only those."""
    def objects(*hosts):
        return [dual(ports=UDP_PORTS), *all_slices(*hosts),
                make_service("t", clusterIP="10.96.0.20", ports=UDP_PORTS[:1]),
                make_slice("t", "remote", protocol="UDP")]

    def tracked(client):
        return "src=%s," % client in lab.run(
            "ovs-appctl", "-t", "ovs-vswitchd", "dpctl/dump-conntrack",
            "zone=60000")

    lab.write(*objects(("a", {}), ("remote", {})))
    lab.start()
    ways = [("pod", VIP), ("pod", VIP6), ("b", VIP), ("b", VIP6)]
    udp = [Connection(lab, *way) for way in ways * 6]
    first = [connection.where() for connection in udp]
    assert {name for name, in first} == {"a", "remote"}, first
    other = Connection(lab, "ext", "10.96.0.20")
    assert other.where() == ["remote"]
    lab.kill()
    lab.write(*objects(("b", {}), ("remote", {})))
    lab.start()
    assert tracked(lab.hosts["ext"].ip4)
    for connection, name in zip(udp, first):
        assert connection.where() != ["a"], (connection.host.name, name)
        if name == ["remote"]:
            assert connection.where() == name
    # The Service goes as well.
    lab.kill()
    lab.write(*objects()[-2:])
    lab.start()
    for connection in udp[:2]:
        assert connection.where() == []
    assert other.where() == ["remote"]
    lab.stop()


@with_lab
def test_rule_17_udp_under_traffic(lab, _):
    """UDP leaves an endpoint also while datagrams keep coming and the switch
    has many other changes."""
    def objects(name):
        others = [obj for n in range(400) for obj in (
            make_service("t%d" % n,
                         clusterIP="10.96.%d.%d" % (10 + n // 200, n % 200)),
            make_slice("t%d" % n, name))]
        return [dual(ports=UDP_PORTS), *all_slices((name, {})), *others]

    lab.write(*objects("a"))
    lab.start()
    udp = [Connection(lab, "pod", vip) for vip in [VIP, VIP6] * 8]
    for connection in udp:
        assert connection.where() == ["a"]
    done = threading.Event()

    def send():
        while not done.is_set():
            for connection in udp:
                connection.host.send(connection.packet)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        lab.apply(*objects("b"))
    finally:
        done.set()
        thread.join()
    for connection in udp:
        wait_until(lambda c=connection: c.where() == ["b"],
                   "it goes to the endpoint that there is")
    lab.stop()


# Rule 18.

def grant(c, *rules):
    """Gives the account "half" the permissions "rules", and no others."""
    put(c, {"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "half", "namespace": "kube-system"}})
    put(c, {"apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole", "metadata": {"name": "half"},
            "rules": [{"apiGroups": [group], "resources": [resource],
                       "verbs": ["list", "watch"]}
                      for group, resource in rules]})
    put(c, {"apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding", "metadata": {"name": "half"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                        "kind": "ClusterRole", "name": "half"},
            "subjects": [{"kind": "ServiceAccount", "name": "half",
                          "namespace": "kube-system"}]})


@with_lab
def test_rule_18_both_lists_first(lab, c):
    """Nothing is changed before Services and EndpointSlices are known."""
    half = [("", "services"), ("", "nodes")]
    node(c)
    put(c, make_service("s"))
    put(c, api_slice("s", "a"))
    grant(c, *half)
    source = "--kubeconfig=" + c.kubeconfig(
        "half.conf", {"token": c.token("half", 600)})
    before = lab.flows(), lab.groups()

    def refused():
        return "endpointslices.discovery.k8s.io is forbidden" in lab.log() \
            and lab.appctl("sync/status").startswith("waiting for the first")

    lab.start(source=source, wait=False)
    wait_until(lambda: lab.proxy.poll() is None and
               os.path.exists(os.path.join(lab.dir, "ovs-kube-proxy.pid")),
               "it has started")
    wait_until(refused, "it may not read EndpointSlices")
    assert (lab.flows(), lab.groups()) == before
    grant(c, ("discovery.k8s.io", "endpointslices"), *half)
    wait_until(lab.synced, "it may read all")
    lab.wait_shown("default/s", "cluster: 10.1.0.2:8080")
    check(lab, "pod", VIP, "a")

    # The last run's flows stay as long.
    lab.stop()
    before = lab.flows(), lab.groups()
    c.delete("Service", "s")
    grant(c, *half)
    with open(os.path.join(lab.dir, "proxy.log"), "w"):
        pass
    lab.start(source=source, wait=False)
    wait_until(refused, "it may not read EndpointSlices")
    assert (lab.flows(), lab.groups()) == before
    check(lab, "pod", VIP, "a")
    grant(c, ("discovery.k8s.io", "endpointslices"), *half)
    wait_until(lab.synced, "it may read all")
    lab.wait_shown("default/s", "no such Service")
    check(lab, "pod", VIP, "drop")
    lab.stop()
    c.delete("EndpointSlice", "s-tcp4")
    c.delete("Node", "n1")


@with_lab
def test_rule_18_nodes_too(lab, c):
    """While Nodes cannot be listed, the last run's flows for our Node stay."""
    half = [("", "services"), ("discovery.k8s.io", "endpointslices")]
    node(c)
    put(c, make_service("s", type="NodePort", ports=nodeport()["ports"]))
    put(c, api_slice("s", "a"))
    grant(c, ("", "nodes"), *half)
    source = "--kubeconfig=" + c.kubeconfig(
        "half.conf", {"token": c.token("half", 600)})
    lab.start(source=source)
    lab.stop()
    before = lab.flows(), lab.groups()
    grant(c, *half)
    with open(os.path.join(lab.dir, "proxy.log"), "w"):
        pass
    lab.start(source=source, wait=False)
    wait_until(lambda: "nodes" in lab.log() and "is forbidden" in lab.log(),
               "it may not read Nodes")
    # For longer than the wait for a Node that is not listed.
    late = time.monotonic() + 15
    wait_until(lambda: time.monotonic() > late, "it has waited")
    assert (lab.flows(), lab.groups()) == before
    assert lab.appctl("sync/status").startswith("waiting for the first")
    grant(c, ("", "nodes"), *half)
    wait_until(lab.synced, "it may read all")
    assert (lab.flows(), lab.groups()) == before
    lab.stop()
    for kind, name in (("Service", "s"), ("EndpointSlice", "s-tcp4"),
                       ("Node", "n1")):
        c.delete(kind, name)


@with_lab
def test_proxy_node_gone(lab, c):
    """Without its Node object, the node goes on as before.  A program that
    starts then changes nothing for longer than a kubelet may be late."""
    node(c)
    put(c, make_service("s", type="NodePort", ports=nodeport()["ports"]))
    put(c, api_slice("s", "a"))
    source = "--kubeconfig=" + admin()
    lab.start(source=source)
    check(lab, "ext", NODE, "a", masquerade=True, dport=30080)
    before = set(lab.flows() + lab.groups())

    def unchanged():
        different = before ^ set(lab.flows() + lab.groups())
        assert not different, different

    c.delete("Node", "n1")
    wait_until(lambda: 'Node "n1" is gone' in lab.log(),
               "the program knows that it is gone")
    check(lab, "ext", NODE, "a", masquerade=True, dport=30080)
    check(lab, "ext", VIP, "a", masquerade=True)
    unchanged()
    lab.stop()

    lab.start(source=source, wait=False)
    wait_until(lambda: 'there is no Node "n1" yet' in lab.log(),
               "the program misses its Node")
    late = time.monotonic() + 15
    wait_until(lambda: time.monotonic() > late, "it has waited")
    unchanged()
    assert not lab.synced()
    node(c)
    wait_until(lab.synced, "it has its Node")
    unchanged()
    lab.stop()
    for kind, name in (("Service", "s"), ("EndpointSlice", "s-tcp4"),
                       ("Node", "n1")):
        c.delete(kind, name)


# Rule 20.

def unreachable(src, dst, quoted):
    """An ICMP error about the packet "quoted"."""
    if ":" in dst:
        return ip_layer(src, dst) / ICMPv6DestUnreach(code=4) / \
            Raw(bytes(quoted))
    return ip_layer(src, dst) / ICMP(type=3, code=3) / Raw(bytes(quoted))


def quotes(error):
    """The addresses and ports of the packet that an ICMP error is about."""
    ip = error[IPerror6] if IPerror6 in error else error[IPerror]
    l4error = error[TCPerror] if TCPerror in error else error[UDPerror]
    return ip.src, ip.dst, l4error.sport, l4error.dport


@with_lab
def test_rule_20_icmp_errors_both_ways(lab, _):
    """Errors about either direction quote what the other side had sent."""
    ports = [{"name": "p", "protocol": p, "port": 80, "targetPort": 8080}
             for p in ("UDP", "TCP")]
    lab.write(make_service("s", ports=ports, **BOTH),
              *all_slices(("a", {}), ("b", {})))
    lab.start()
    for vip in VIP, VIP6:
        for protocol in "UDP", "TCP":
            for source in "pod", "ext":
                host = lab.hosts[source]
                (name, packet), = try_connections(lab, source, vip,
                                                  protocol, n=1)
                client, server = host.address(vip), network(packet)[1]
                seen_src, sport = network(packet)[0], l4(packet).sport
                lab.hosts[name].send(answer(packet))
                (_, back), = lab.collect(len)
                client_port = l4(back).dport
                # From the endpoint, about the client's packet.
                lab.drain()
                lab.hosts[name].send(unreachable(server, seen_src, packet))
                (to, error), = lab.collect(len)
                assert to == source, (to, error)
                assert network(error) == (vip, client), error
                assert quotes(error) == (client, vip, client_port, 80), (
                    error, quotes(error), client_port)
                # From the client, about the endpoint's answer.
                host.send(unreachable(client, vip, back))
                (to, error), = lab.collect(len)
                assert to == name, (to, error)
                assert network(error) == (seen_src, server), error
                assert quotes(error) == (server, seen_src, 8080, sport), error
    lab.stop()


def send_fragments(host, dst, sport, identification, dport=80, order=1):
    """Sends a UDP packet of 4,000 octets in three fragments, the last one
    first if 'order' is -1."""
    packet = ip_layer(host.address(dst), dst) / \
        UDP(sport=sport, dport=dport) / (b"x" * 3992)
    if ":" not in dst:
        packet.id = identification
        parts = fragment(packet, 1400)
    else:
        data = bytes(IPv6(bytes(packet)).payload)
        parts = [ip_layer(host.ip6, dst) / IPv6ExtHdrFragment(
            nh=17, offset=offset // 8, m=offset + 1400 < len(data),
            id=identification) / data[offset:offset + 1400]
            for offset in range(0, len(data), 1400)]
    for part in parts[::order]:
        host.send(part)
    return 4000


@with_lab
def test_rule_20_ipv6_fragments(lab, _):
    """All fragments of a packet, and of a connection, reach one endpoint."""
    ports = [{"name": "p", "protocol": "UDP", "port": 80,
              "targetPort": 8080}]
    lab.write(make_service("s", ports=ports, **BOTH),
              *[make_slice("s", "a", "b", protocol="UDP", ipv6=v6)
                for v6 in (False, True)])
    lab.start()
    for source in "pod", "ext":
        host = lab.hosts[source]
        sport = next(sports)
        reached = set()
        for identification in 7, 8:
            lab.drain()
            size = send_fragments(host, VIP6, sport, identification)
            got = lab.collect(lambda got: len(got) >= 3)
            assert len(got) == 3, got
            reached |= {name for name, _ in got}
            got.sort(key=lambda item: item[1][IPv6ExtHdrFragment].offset)
            body = b"".join(bytes(p[IPv6ExtHdrFragment].payload)
                            for _, p in got)
            assert len(body) == size
            name, first = got[0]
            src, dst = network(first)
            assert dst == lab.hosts[name].ip6, first
            assert src == (host.ip6 if source == "pod" else NODE6), first
            again = IPv6(bytes(IPv6(src=src, dst=dst, nh=17) / Raw(body)))
            assert again[UDP].dport == 8080, again
            assert checksums_are_right(again), again
        assert len(reached) == 1, reached
    lab.stop()


FRAGMENT_PORTS = {80: "a", 81: "b", 82: "remote"}


def write_fragment_service(lab):
    """A Service with UDP ports of one endpoint each, FRAGMENT_PORTS."""
    ports = [{"name": "p%d" % port, "protocol": "UDP", "port": port,
              "targetPort": 8000 + port} for port in FRAGMENT_PORTS]
    lab.write(make_service("s", ports=ports, **BOTH), *[
        slice_of(endpoint(host, v6), name="%s%d" % (host, v6), ipv6=v6,
                 ports=[{"name": "p%d" % port, "protocol": "UDP",
                         "port": 8000 + port}])
        for port, host in FRAGMENT_PORTS.items() for v6 in (False, True)])


def check_fragments(lab, ports):
    """Fragments to each of 'ports' all reach its endpoint."""
    identification = 100
    for source in "pod", "ext":
        for vip in VIP, VIP6:
            for dport in ports:
                for order in 1, -1:
                    identification += 1
                    lab.drain()
                    send_fragments(lab.hosts[source], vip, next(sports),
                                   identification, dport, order)
                    got = lab.collect(lambda got: len(got) >= 3)
                    host = FRAGMENT_PORTS[dport]
                    assert [name for name, _ in got] == [host] * 3, \
                        (source, vip, dport, got)
                    assert {network(p)[1] for _, p in got} == \
                        {lab.hosts[host].address(vip)}, got


@with_lab
def test_rule_20_fragments_and_ports(lab, _):
    """Several UDP ports of an address, each with fragments of its own."""
    write_fragment_service(lab)
    lab.start()
    check_fragments(lab, (81, 80, 82))
    lab.stop()
