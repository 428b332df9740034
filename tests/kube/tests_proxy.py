# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy, rule by rule: objects, packets, and their outcome in the
switch."""

import itertools

from scapy.layers.inet import ICMP, TCP, UDP, IPerror, UDPerror, IP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6)
from scapy.layers.sctp import SCTP, SCTPChunkInit, SCTPChunkInitAck

from lab import (HOSTS, Lab, ip_layer, l4, make_service, make_slice, network)

# Connections to a Service.  With three endpoints, one of them gets none once
# in a million runs.
N = 40

VIP, VIP6 = "10.96.0.10", "fd00:96::10"
NODE, NODE6 = HOSTS["node"]
LB, EXTERNAL = "198.51.100.1", "198.51.100.2"

# Each test has a switch of its own, and fewer connections than these.
sports = itertools.cycle(range(1024, 30000))


def segment(protocol, sport, dport):
    if protocol == "UDP":
        return UDP(sport=sport, dport=dport) / b"hello"
    if protocol == "SCTP":
        return SCTP(sport=sport, dport=dport) / SCTPChunkInit(init_tag=1)
    return TCP(sport=sport, dport=dport, flags="S", seq=1000)


def answer(packet):
    """The answer of an endpoint to "packet"."""
    src, dst = network(packet)
    header = l4(packet)
    if UDP in packet:
        reply = UDP(sport=header.dport, dport=header.sport) / b"world"
    elif SCTP in packet:
        reply = SCTP(sport=header.dport, dport=header.sport, tag=1) / \
            SCTPChunkInitAck(init_tag=2)
    else:
        reply = TCP(sport=header.dport, dport=header.sport, flags="SA",
                    seq=5000, ack=header.seq + 1)
    return ip_layer(dst, src) / reply


def is_reject(packet, protocol):
    if protocol == "TCP":
        return TCP in packet and packet[TCP].flags == "RA" and \
            packet[TCP].ack == 1001
    if IPv6 in packet:
        return ICMPv6DestUnreach in packet and \
            packet[ICMPv6DestUnreach].code == 4
    return ICMP in packet and (packet[ICMP].type, packet[ICMP].code) == (3, 3)


def checksums_are_right(packet):
    """Returns true if the packet has the checksums of scapy."""
    again = packet.copy()
    for layer in IP, TCP, UDP, SCTP, ICMP:
        if layer in again:
            del again[layer].chksum
    return bytes(again) == bytes(packet)


def try_connections(lab, source, dst, protocol="TCP", dport=80, n=N):
    """Sends the first packets of "n" connections from host "source".  Returns
    a list of (host, packet) of those that arrived."""
    host = lab.hosts[source]
    lab.drain()
    for _ in range(n):
        host.send(ip_layer(host.address(dst), dst) /
                  segment(protocol, next(sports), dport))
    # A packet past all Services, sent when such a packet has arrived, is in a
    # later batch of the switch and arrives last.
    sentinel = ip_layer(host.address(dst), lab.hosts["other"].address(dst))
    sentinel /= ICMPv6EchoRequest() if ":" in dst else ICMP()
    got = []
    for _ in range(2):
        host.send(sentinel)
        more = lab.collect(lambda got: any(
            name == "other" and l4(p) is None for name, p in got))
        assert more, "the switch does not forward"
        got += more
    return [(name, p) for name, p in got
            if not (name == "other" and l4(p) is None)]


def check_answers(lab, source, dst, got, protocol, dport):
    """Has the endpoints answer: "source" must see answers from "dst"."""
    for name, packet in got:
        lab.hosts[name].send(answer(packet))
    back = lab.collect(lambda back: len(back) >= len(got))
    assert len(back) == len(got), "%d of %d answers" % (len(back), len(got))
    for name, packet in back:
        assert name == source, (name, packet)
        assert network(packet) == (dst, lab.hosts[source].address(dst)), \
            packet
        assert l4(packet).sport == dport, packet
        assert checksums_are_right(packet), packet


def check(lab, source, dst, expected, masquerade=False, protocol="TCP",
          dport=80, target=8080):
    """Checks the outcome of connections from host "source" to "dst": "reject",
    "drop", "untouched", or the names of all endpoints.  If they are
    masqueraded, "masquerade" is true, or the address that they get instead of
    the node's.  Returns the packets that came to endpoints."""
    if expected == "reject":
        lab.drain()
        sport = next(sports)
        host = lab.hosts[source]
        host.send(ip_layer(host.address(dst), dst) /
                  segment(protocol, sport, dport))
        (name, packet), = lab.collect(len)
        assert name == source and is_reject(packet, protocol), packet
        assert network(packet) == (dst, host.address(dst)), packet
        assert checksums_are_right(packet), packet
        if protocol == "TCP":
            assert (l4(packet).sport, l4(packet).dport) == (dport, sport)
        return []
    got = try_connections(lab, source, dst, protocol, dport)
    where = "%s to %s %s %d: " % (source, dst, protocol, dport)
    if expected == "drop":
        assert not got, where + repr(got[0])
        return got
    if expected == "untouched":
        # The node's own address is delivered; any other is elsewhere.
        assert len(got) == N and all(
            network(p)[1] == dst for _, p in got), where + repr(got[:1])
        return got
    assert len(got) == N, where + "%d packets" % len(got)
    assert {name for name, _ in got} == set(expected.split()), \
        where + repr({name for name, _ in got})
    for name, packet in got:
        src, to = network(packet)
        assert to == lab.hosts[name].address(dst), where + repr(packet)
        assert l4(packet).dport == target, where + repr(packet)
        assert checksums_are_right(packet), where + repr(packet)
        hairpin = name == source
        assert src == (masquerade if isinstance(masquerade, str)
                       else lab.hosts["node"].address(dst)
                       if masquerade or hairpin
                       else lab.hosts[source].address(dst)), \
            where + repr(packet)
    check_answers(lab, source, dst, got, protocol, dport)
    return got


def with_lab(test):
    def wrapper(c):
        lab = Lab()
        try:
            test(lab, c)
        finally:
            lab.close()
    return wrapper


def nodeport(**spec):
    spec.setdefault("ports", [{"name": "p", "protocol": "TCP", "port": 80,
                               "targetPort": 8080, "nodePort": 30080}])
    return dict(spec, type="LoadBalancer", externalIPs=[EXTERNAL],
                status={"loadBalancer": {"ingress": [{"ip": LB}]}})


@with_lab
def test_rule_19_families_and_protocols(lab, _):
    """Both families, and the same port number for three protocols."""
    protocols = "TCP", "UDP", "SCTP"
    ports = [{"name": p.lower(), "protocol": p, "port": 80,
              "targetPort": 8080, "nodePort": 30080} for p in protocols]
    service = make_service(
        "s", clusterIPs=[VIP, VIP6], ipFamilies=["IPv4", "IPv6"],
        **nodeport(ports=ports))
    slices = [make_slice("s", *hosts, protocol=p, ipv6=v6)
              for p, hosts in (("TCP", "ab"), ("UDP", "a"), ("SCTP", "ab"))
              for v6 in (False, True)]
    for s in slices:
        s["ports"][0]["name"] = s["ports"][0]["protocol"].lower()
    empty = make_service("e", clusterIP="10.96.0.20",
                         clusterIPs=["10.96.0.20", "fd00:96::20"],
                         ipFamilies=["IPv4", "IPv6"])
    lab.write(service, empty, *slices)
    lab.start()
    for protocol in protocols:
        expected = "a" if protocol == "UDP" else "a b"
        for vip, node in (VIP, NODE), (VIP6, NODE6):
            check(lab, "pod", vip, expected, protocol=protocol)
            check(lab, "a", vip, expected, protocol=protocol)
            check(lab, "ext", vip, expected, True, protocol=protocol)
            check(lab, "ext", node, expected, True, protocol=protocol,
                  dport=30080)
        check(lab, "ext", LB, expected, True, protocol=protocol)
        for vip in "10.96.0.20", "fd00:96::20":
            check(lab, "pod", vip, "reject", protocol=protocol)
        check(lab, "pod", "fd00:96::30", "drop", protocol=protocol)
    lab.stop()


@with_lab
def test_rule_08_affinity(lab, _):
    """A client keeps its endpoint, whatever address and port it uses."""
    config = {"clientIP": {"timeoutSeconds": 100}}
    service = make_service("s", sessionAffinity="ClientIP",
                           sessionAffinityConfig=config, **nodeport())
    lab.write(service, make_slice("s", "a", "b"))
    lab.start()
    chosen = {}
    for source in "pod", "ext", "other", "node", "remote":
        names = set()
        for dst, dport in (VIP, 80), (LB, 80), (EXTERNAL, 80), (NODE, 30080):
            if source != "node" or dst != NODE:
                names |= {name for name, _ in try_connections(
                    lab, source, dst, dport=dport, n=5)}
        assert len(names) == 1, (source, names)
        chosen[source], = names
    # The endpoint stays when another comes, and changes when it goes.
    lab.write(service, make_slice("s", "a", "b", "remote"))
    lab.wait_shown("default/s", "10.1.1.4:8080")
    for source in "pod", "ext", "other":
        got = try_connections(lab, source, VIP, n=5)
        assert {name for name, _ in got} == {chosen[source]}, \
            (source, got, chosen)
    rest = {"a", "b"} - {chosen["pod"]}
    lab.write(service, make_slice("s", *rest))
    lab.wait_shown("default/s", "cluster: %s:8080(local)\n" %
                   HOSTS[list(rest)[0]][0])
    assert {name for name, _ in try_connections(lab, "pod", VIP)} == rest
    lab.stop()


@with_lab
def test_rule_17_udp_cleanup(lab, _):
    """A UDP connection leaves an endpoint that has stopped serving."""
    ports = [{"name": "p", "protocol": "UDP", "port": 80,
              "targetPort": 8080}]
    service = make_service("s", ports=ports)
    lab.write(service, make_slice("s", "a", protocol="UDP"))
    lab.start()
    pod = lab.hosts["pod"]
    packet = ip_layer(pod.ip4, VIP) / segment("UDP", 999, 80)

    def where():
        lab.drain()
        pod.send(packet)
        return {name for name, _ in lab.collect(len, 2)}

    assert where() == {"a"}
    lab.write(service, make_slice("s", "a", "b", protocol="UDP"))
    lab.wait_shown("default/s", "10.1.0.3:8080")
    assert where() == {"a"}
    lab.write(service, make_slice("s", "b", protocol="UDP"))
    lab.wait_shown("default/s", "cluster: 10.1.0.3:8080")
    assert where() == {"b"}
    # Its packets do not go there without endpoints either.
    lab.write(service)
    lab.wait_shown("default/s", "reject")
    assert where() == {"pod"}
    lab.write()
    lab.wait_shown("default/s", "no such Service")
    assert where() == set()
    lab.stop()


@with_lab
def test_rule_20_icmp_errors_and_fragments(lab, _):
    ports = [{"name": "p", "protocol": "UDP", "port": 80,
              "targetPort": 8080}]
    lab.write(make_service("s", ports=ports),
              make_slice("s", "a", "b", protocol="UDP"))
    lab.start()
    for source in "pod", "ext":
        # An endpoint's ICMP error comes from the Service, and quotes the
        # packet to the Service.
        (name, packet), = try_connections(lab, source, VIP, "UDP", n=1)
        sport = l4(packet).sport
        src, dst = network(packet)
        lab.hosts[name].send(ip_layer(dst, src) / ICMP(type=3, code=3) /
                             bytes(packet))
        (name, error), = lab.collect(len)
        assert name == source, (name, error)
        quoted = error[IPerror]
        assert (quoted.src, quoted.dst) == (lab.hosts[source].ip4, VIP), \
            error
        assert error[UDPerror].dport == 80, error
        assert source == "ext" or error[UDPerror].sport == sport, error
        # Fragments of a new connection, and then of a known one.
        host = lab.hosts[source]
        sport = next(sports)
        reached = set()
        for identification in 7, 8:
            whole = ip_layer(host.ip4, VIP, id=identification) / \
                UDP(sport=sport, dport=80) / (b"x" * 4000)
            del whole[UDP].chksum
            whole = IP(bytes(whole))
            lab.drain()
            data = bytes(whole.payload)
            # Open vSwitch refuses fragments of less than 1200 octets unless
            # they are the last one.
            for offset in range(0, len(data), 1400):
                part = data[offset:offset + 1400]
                host.send(ip_layer(host.ip4, VIP, id=identification,
                                   proto=17, frag=offset // 8,
                                   flags="MF" if offset + 1400 < len(data)
                                   else 0) / part)
            got = lab.collect(lambda got: len(got) >= 3)
            assert len(got) == 3, got
            reached |= {name for name, _ in got}
            got.sort(key=lambda item: item[1][IP].frag)
            body = b"".join(bytes(p[IP].payload) for _, p in got)
            assert {network(p)[1] for _, p in got} == \
                {lab.hosts[got[0][0]].ip4}, got
            header = UDP(body)
            assert header.dport == 8080 and len(body) == len(data), header
        assert len(reached) == 1, reached
    lab.stop()
