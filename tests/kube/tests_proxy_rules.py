# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy, rule by rule, as kube-proxy does it: objects, packets, and
what becomes of them in the switch.

The rules' numbers are those of Documentation/reference/kube-proxy-features.md.
"""

import re

from cluster import wait_until
from lab import HOSTS, Lab, make_service, make_slice
from tests_proxy import (EXTERNAL, LB, N, NODE, NODE6, VIP, VIP6, check,
                         nodeport, try_connections, with_lab)

LB6, EXTERNAL6 = "2001:db8:a::1", "2001:db8:a::2"


def endpoint(host, ipv6=False, hints=None, node=None, **conditions):
    """An endpoint of a slice; without "conditions" it has none."""
    obj = {"addresses": [HOSTS[host][1 if ipv6 else 0]],
           "nodeName": node or ("n2" if host == "remote" else "n1")}
    if conditions:
        obj["conditions"] = {k: v for k, v in conditions.items()}
    if hints:
        obj["hints"] = hints
    return obj


def slice_of(*endpoints, name="s", ipv6=False, protocol="TCP", ports=None):
    obj = make_slice("s", ipv6=ipv6, protocol=protocol)
    obj["metadata"]["name"] = name
    obj["endpoints"] = list(endpoints)
    if ports is not None:
        obj["ports"] = ports
    return obj


def zones(*names):
    return {"forZones": [{"name": name} for name in names]}


def nodes(*names, zone=None):
    hints = {"forNodes": [{"name": name} for name in names]}
    return dict(hints, **(zones(zone) if zone else {}))


READY = {"ready": True, "serving": True, "terminating": False}
DRAINS = {"ready": False, "serving": True, "terminating": True}
GONE = {"ready": False, "serving": False, "terminating": True}
STARTS = {"ready": False, "serving": False, "terminating": False}

BOTH = {"clusterIPs": [VIP, VIP6], "ipFamilies": ["IPv4", "IPv6"]}


def dual(**spec):
    """A Service of type LoadBalancer in both families."""
    spec = nodeport(**spec)
    spec["externalIPs"] = [EXTERNAL, EXTERNAL6]
    spec["status"] = {"loadBalancer": {"ingress": [{"ip": LB}, {"ip": LB6}]}}
    return make_service("s", **BOTH, **spec)


def local(**spec):
    return make_service("s", **nodeport(externalTrafficPolicy="Local",
                                        **spec))


def both(*endpoints, **kwargs):
    """Slices with these endpoints, (host, conditions), in both families."""
    return [slice_of(*[endpoint(host, ipv6, **conditions)
                       for host, conditions in endpoints],
                     name="s6" if ipv6 else "s4", ipv6=ipv6, **kwargs)
            for ipv6 in (False, True)]


def play(rows, *options, stock=False, node=None):
    """Runs "rows" in a lab of its own: (description, Service or a list of
    objects, slices, packets).  A packet is (source, destination, outcome), and
    maybe a dict of more arguments for check()."""
    lab = Lab(stock)
    try:
        lab.node.update(node or {})
        lab.write()
        lab.start(*options)
        for what, service, slices, packets in rows:
            print("        " + what, flush=True)
            services = service if isinstance(service, list) else [service]
            lab.apply(*services, *slices)
            for source, dst, expected, *more in packets:
                kwargs = more[0] if more else {}
                if dst in (NODE, NODE6):
                    kwargs = dict({"dport": 30080}, **kwargs)
                check(lab, source, dst, expected, **kwargs)
        lab.stop()
    finally:
        lab.close()


MASQ = {"masquerade": True}


def test_rule_01_cluster_set(_):
    """Ready ones by topology, else serving and terminating ones."""
    hint = {"hints": zones("z2")}
    play([
        ("ready ones only",
         make_service("s"),
         [slice_of(endpoint("a", **READY), endpoint("b", **DRAINS),
                   endpoint("remote", **STARTS))],
         [("pod", VIP, "a")]),
        ("none ready: those that serve and terminate, whatever their hints",
         make_service("s", **BOTH),
         both(("a", dict(DRAINS, **hint)), ("b", GONE),
              ("remote", dict(DRAINS, hints=zones("z1")))),
         [("pod", VIP, "a remote"), ("pod", VIP6, "a remote")]),
        ("cluster set and local set fall back each for itself",
         local(),
         [slice_of(endpoint("a", **DRAINS), endpoint("b", **GONE),
                   endpoint("remote", **READY))],
         [("ext", LB, "a"), ("pod", LB, "remote"), ("pod", VIP, "remote")]),
        ("neither: reject",
         make_service("s"),
         [slice_of(endpoint("a", **GONE), endpoint("remote", **STARTS))],
         [("pod", VIP, "reject")]),
    ])


def test_rule_02_local_set(_):
    """Local ready ones, else local ones that serve and terminate."""
    play([
        ("local ready ones",
         dual(externalTrafficPolicy="Local", internalTrafficPolicy="Local"),
         both(("a", READY), ("b", DRAINS), ("remote", READY)),
         [("ext", LB, "a"), ("ext", LB6, "a"),
          ("pod", VIP, "a"), ("pod", VIP6, "a")]),
        ("local ones that serve and terminate",
         dual(externalTrafficPolicy="Local", internalTrafficPolicy="Local"),
         both(("a", DRAINS), ("b", DRAINS), ("remote", READY)),
         [("ext", NODE, "a b"), ("ext", NODE6, "a b"), ("pod", VIP, "a b")]),
    ])


def test_rule_03_missing_conditions(_):
    """Ready and serving unless said otherwise, not terminating."""
    play([
        ("none, or null",
         make_service("s"),
         [slice_of(endpoint("a"), endpoint("b", ready=None),
                   endpoint("remote", serving=None, terminating=None))],
         [("pod", VIP, "a b remote")]),
        ("terminating and not ready: still serving",
         make_service("s"),
         [slice_of(endpoint("a", ready=False, terminating=True),
                   endpoint("b", ready=False))],
         [("pod", VIP, "a")]),
    ])


def test_rule_04_topology(_):
    """The same node, else the same zone, else all.  If one hint is missing,
    none counts."""
    near, far = zones("z1"), zones("z2")
    play([
        ("same zone",
         make_service("s", **BOTH),
         both(("a", {"hints": near}), ("b", {"hints": far}),
              ("remote", {"hints": zones("z2", "z1")})),
         [("pod", VIP, "a remote"), ("pod", VIP6, "a remote")]),
        ("one has no hint",
         make_service("s"),
         [slice_of(endpoint("a", hints=near), endpoint("b"),
                   endpoint("remote", hints=far))],
         [("pod", VIP, "a b remote")]),
        ("one that is not ready has no hint",
         make_service("s"),
         [slice_of(endpoint("a", hints=near), endpoint("b", **STARTS),
                   endpoint("remote", hints=far))],
         [("pod", VIP, "a")]),
        ("none for our zone",
         make_service("s"),
         [slice_of(endpoint("a", hints=far),
                   endpoint("remote", hints=zones("z3")))],
         [("pod", VIP, "a remote")]),
        ("same node",
         make_service("s"),
         [slice_of(endpoint("a", hints=nodes("n1", zone="z1")),
                   endpoint("b", hints=nodes("n2", zone="z1")),
                   endpoint("remote", hints=nodes("n2", zone="z1")))],
         [("pod", VIP, "a")]),
        ("one has no hint of a node: same zone",
         make_service("s"),
         [slice_of(endpoint("a", hints=nodes("n1", zone="z1")),
                   endpoint("b", hints=near),
                   endpoint("remote", hints=nodes("n2", zone="z2")))],
         [("pod", VIP, "a b")]),
        ("hints say nothing of the local set",
         local(),
         [slice_of(endpoint("a", hints=far), endpoint("b", hints=near),
                   endpoint("remote", hints=near))],
         [("ext", LB, "a b"), ("pod", LB, "b remote")]),
    ])


def test_rule_05_drop_or_reject(_):
    """Policy Local and endpoints elsewhere: drop.  No endpoints: reject."""
    ports = [{"name": p.lower(), "protocol": p, "port": 80,
              "targetPort": 8080, "nodePort": 30080}
             for p in ("TCP", "UDP", "SCTP")]
    far = [slice_of(endpoint("remote", v6), name="s%d" % v6, ipv6=v6,
                    ports=[{"name": p["name"], "protocol": p["protocol"],
                            "port": 8080} for p in ports])
           for v6 in (False, True)]
    kinds = [{"protocol": p} for p in ("TCP", "UDP", "SCTP")]
    play([
        ("external policy Local, endpoints elsewhere",
         dual(externalTrafficPolicy="Local", ports=ports), far,
         [("ext", dst, "drop", kind) for kind in kinds
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6, NODE, NODE6)]),
        ("internal policy Local, endpoints elsewhere",
         dual(internalTrafficPolicy="Local", ports=ports), far,
         [("pod", dst, "drop", kind) for kind in kinds
          for dst in (VIP, VIP6)]),
        ("no endpoint anywhere, whatever the policies",
         dual(externalTrafficPolicy="Local", internalTrafficPolicy="Local",
              ports=ports), [],
         [("ext", dst, "reject", kind) for kind in kinds
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6, NODE, NODE6)] +
         [("pod", dst, "reject", kind) for kind in kinds
          for dst in (VIP, VIP6)]),
    ])


def test_rule_06_short_circuit(_):
    """Policy Local: pods and this node reach all endpoints by external
    addresses and node ports."""
    play([
        ("from a pod, from this node, from outside",
         dual(externalTrafficPolicy="Local"),
         both(("a", {}), ("remote", {})),
         [("pod", dst, "a remote")
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6, NODE, NODE6)] +
         [("node", dst, "a remote", MASQ)
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6)] +
         [("ext", dst, "a")
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6, NODE, NODE6)]),
        ("none here: they still do",
         dual(externalTrafficPolicy="Local"), both(("remote", {})),
         [("pod", LB, "remote"), ("pod", NODE6, "remote"),
          ("node", LB6, "remote", MASQ), ("ext", LB, "drop")]),
    ])


def test_rule_07_masquerade(_):
    """Masqueraded are: external clients, with policy Cluster but not Local;
    clients of ClusterIPs that are not pods; hairpins."""
    play([
        ("policy Cluster",
         dual(), both(("a", {}), ("remote", {})),
         [(source, dst, "a remote", MASQ) for source in ("ext", "pod")
          for dst in (LB, LB6, EXTERNAL, EXTERNAL6, NODE, NODE6)]),
        ("policy Local",
         dual(externalTrafficPolicy="Local"), both(("a", {})),
         [("ext", dst, "a") for dst in (LB, LB6, EXTERNAL, NODE, NODE6)]),
        ("ClusterIP",
         dual(), both(("a", {}), ("b", {}), ("remote", {})),
         [(source, dst, "a b remote", kind)
          for source, kind in (("pod", {}), ("ext", MASQ), ("node", MASQ),
                               ("a", {}), ("remote", MASQ))
          for dst in (VIP, VIP6)]),
        ("hairpin by external addresses",
         dual(externalTrafficPolicy="Local"), both(("a", {})),
         [("a", dst, "a") for dst in (VIP, VIP6, LB, LB6, NODE, NODE6)]),
    ])


def test_rule_07_options(_):
    """--cluster-cidr, --masquerade-address, --masquerade-ports."""
    lab = Lab()
    address, address6 = "192.0.2.77", "2001:db8::77"
    try:
        lab.write(dual(), *both(("a", {})))
        lab.start("--cluster-cidr=10.1.0.0/16,fd02::/64",
                  "--masquerade-address=%s,%s" % (address, address6),
                  "--masquerade-ports=40000-40999")
        # These are the ranges of pods, not the node's.
        check(lab, "remote", VIP, "a")
        check(lab, "remote", VIP6, "a")
        check(lab, "pod", VIP, "a")
        check(lab, "pod", VIP6, "a", masquerade=address6)
        for dst, masquerade in ((VIP, address), (VIP6, address6),
                                (LB, address), (LB6, address6)):
            got = check(lab, "ext", dst, "a", masquerade=masquerade)
            assert {40000 <= p.sport <= 40999 for _, p in got} == {True}
        lab.stop()
        # One range only: in the other family every client counts as a pod.
        lab.start("--cluster-cidr=10.1.0.0/24")
        check(lab, "ext", VIP, "a", masquerade=True)
        check(lab, "ext", VIP6, "a")
        lab.stop()
    finally:
        lab.close()


def test_rule_07_node(_):
    """--node-masquerade-address: endpoints that are processes of nodes.  The
    remote host is one of another node, as it has no address of our pods."""
    def masqueraded(*endpoints, address=None, address6=None):
        return (
            "endpoints " + " ".join(endpoints),
            dual(), both(*[(name, {}) for name in endpoints]),
            [(source, dst, " ".join(endpoints),
              {"masquerade": address6 if ":" in dst else address}
              if address else MASQ)
             for source in ("pod", "ext")
             for dst in (NODE, NODE6, LB, LB6)])

    play([masqueraded("node", address="10.1.0.0", address6="fd01::"),
          masqueraded("remote", address="10.1.0.0", address6="fd01::"),
          masqueraded("a", "b")],
         "--node-masquerade-address=podCIDRs")
    # These addresses may be those of other nodes, too.
    play([masqueraded("node", address="169.254.1.2", address6="fd03::2"),
          masqueraded("remote"), masqueraded("a", "b")],
         "--node-masquerade-address=169.254.1.2,fd03::2")


def dropped(lab, table, match):
    """The number of packets that the flow with "match" in "table" has
    dropped."""
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")
    flow, = [line for line in lab.run(
        "ovs-ofctl", "-O", "OpenFlow15", "dump-flows", "br0",
        "table=%d" % table).splitlines()
        if line.endswith("priority=%s actions=drop" % match)]
    return int(re.search(r"n_packets=(\d+)", flow)[1])


def no_room(lab):
    lab.expected.append("tuple space exhaustion")
    lab.write(dual(ports=[dict(dual()["spec"]["ports"][0], protocol=protocol)
                          for protocol in ("TCP", "UDP")]),
              *both(("a", {}), ports=[port("p", 8080),
                                      port("p", 8080, "UDP")]))
    lab.start("--masquerade-ports=40000-40002")
    for dst, n, protocol in (LB, 9, "TCP"), (LB6, 8, "UDP"), (NODE, 7, "UDP"):
        before = dropped(lab, 66, "100,ct_zone=60001,ct_mark=0/0x1")
        got = try_connections(lab, "ext", dst, protocol, n=n,
                              dport=30080 if dst == NODE else 80)
        assert {(name, p.sport) for name, p in got} == \
            {("a", 40000), ("a", 40001), ("a", 40002)}, got
        assert len(got) == 3, got
        wait_until(lambda b=before, n=n: dropped(
            lab, 66, "100,ct_zone=60001,ct_mark=0/0x1") == b + n - 3,
            "all are counted")
    # A client that needs no such port gets through.
    check(lab, "pod", VIP, "a")
    before = dropped(lab, 65, "0")
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "dpctl/ct-set-maxconns", "1")
    for source, dst in ("pod", VIP), ("pod", VIP6), ("a", VIP), ("ext", LB):
        check(lab, source, dst, "drop")
    wait_until(lambda: dropped(lab, 65, "0") == before + 4 * N,
               "all are counted")
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "dpctl/ct-set-maxconns",
            "1000")
    check(lab, "pod", VIP, "a")
    lab.stop()


def test_rule_07_no_room(_):
    """Without a free port for masquerading, or room in the connection tracker,
    packets are dropped and counted.  They never go on untranslated."""
    for stock in False, True:
        lab = Lab(stock)
        try:
            no_room(lab)
        finally:
            lab.close()


def test_rule_09_nodeport_addresses(_):
    """Node ports are at the node's primary addresses, not at loopback, or at
    the given ones."""
    rows = [("s", dual(), both(("a", {})))]
    status = {"addresses": [
        {"type": "Hostname", "address": "n1"},
        {"type": "ExternalIP", "address": "198.51.100.77"},
        {"type": "InternalIP", "address": "192.0.2.1"},
        {"type": "InternalIP", "address": "192.0.2.2"},
        {"type": "InternalIP", "address": "2001:db8::1"}]}
    at = {"dport": 30080}
    play([("default: one address a family, and not loopback", *rows[0][1:],
           [("ext", NODE, "a", MASQ), ("ext", NODE6, "a", MASQ),
            ("ext", "192.0.2.2", "untouched", at),
            ("ext", "198.51.100.77", "untouched", at),
            ("ext", "127.0.0.1", "untouched", at)])],
         node={"status": status})
    masq = dict(at, **MASQ)
    play([("--nodeport-addresses of one family", *rows[0][1:],
           [("ext", "198.51.100.77", "a", masq), ("ext", NODE, "untouched"),
            ("ext", NODE6, "a", MASQ)])],
         "--nodeport-addresses=198.51.100.77")
    play([("--nodeport-addresses with a range of the Node's address",
           *rows[0][1:],
           [("ext", NODE, "a", MASQ), ("ext", NODE6, "a", MASQ),
            ("ext", "192.0.2.3", "untouched", at)])],
         "--nodeport-addresses=192.0.2.0/24")


@with_lab
def test_rule_09_nodeport_ranges(lab, _):
    """With a range, node ports are at this machine's addresses in it, as they
    come and go."""
    def own(verb, address):
        lab.run("ip", "address", verb, address, "dev", "lo")

    def served(address):
        return any("nw_dst=%s,tp_dst=30080" % address in flow
                   for flow in lab.flows())

    with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w") as stream:
        stream.write("0")
    at = {"dport": 30080}
    try:
        own("add", "198.51.100.77/32")
        own("add", "2001:db8:7::5/128")
        lab.write(dual(), *both(("a", {})))
        lab.start("--nodeport-addresses="
                  "198.51.100.64/28,127.0.0.0/8,2001:db8:7::/64")
        for dst in "198.51.100.77", "2001:db8:7::5":
            check(lab, "ext", dst, "a", masquerade=True, **at)
        for dst in ("198.51.100.79", "2001:db8:7::6", "127.0.0.1", NODE,
                    NODE6):
            check(lab, "ext", dst, "untouched", **at)
        own("add", "198.51.100.79/32")
        wait_until(lambda: served("198.51.100.79") and lab.synced(),
                   "a new address is served")
        check(lab, "ext", "198.51.100.79", "a", masquerade=True, **at)
        own("delete", "198.51.100.77/32")
        wait_until(lambda: not served("198.51.100.77") and lab.synced(),
                   "an old address is not served any more")
        lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")
        check(lab, "ext", "198.51.100.77", "untouched", **at)
        check(lab, "ext", "198.51.100.79", "a", masquerade=True, **at)
        lab.stop()
    finally:
        lab.run("ip", "address", "flush", "dev", "lo", "scope", "global")


def test_rule_10_source_ranges(_):
    """loadBalancerSourceRanges: only for load balancers' addresses, trimmed,
    by family."""
    four, six = " 203.0.113.0/24 ", "2001:db8:f::/64"
    play([
        ("both families",
         dual(loadBalancerSourceRanges=[four, six]), both(("a", {})),
         [("ext", LB, "a", MASQ), ("ext", LB6, "a", MASQ),
          ("other", LB, "drop"), ("other", LB6, "drop")] +
         [("other", dst, "a", MASQ)
          for dst in (EXTERNAL, EXTERNAL6, NODE, NODE6, VIP, VIP6)]),
        ("IPv4 only: nobody over IPv6",
         dual(loadBalancerSourceRanges=[four]), both(("a", {})),
         [("ext", LB, "a", MASQ), ("ext", LB6, "drop"),
          ("ext", EXTERNAL6, "a", MASQ)]),
        ("with policy Local",
         dual(loadBalancerSourceRanges=[four, six, "10.1.0.0/24"],
              externalTrafficPolicy="Local"), both(("a", {}), ("remote", {})),
         [("ext", LB, "a"), ("other", LB, "drop"), ("other", NODE, "a"),
          ("pod", LB, "a remote"), ("pod", LB6, "drop")]),
    ])


def test_rule_11_ingress(_):
    """Load balancers that are a proxy in front, or a name only, have no
    addresses here."""
    service = dual()
    service["status"]["loadBalancer"]["ingress"] = [
        {"hostname": "lb.example"}, {"ip": "198.51.100.7", "ipMode": "Proxy"},
        {"ip": LB, "ipMode": "VIP"}, {"ip": LB6}]
    play([
        ("VIP, Proxy, and a name", service, both(("a", {})),
         [("ext", LB, "a", MASQ), ("ext", LB6, "a", MASQ),
          ("ext", "198.51.100.7", "untouched")]),
    ])


def test_rule_12_unknown_port_and_address(_):
    """A known ClusterIP's other ports: reject.  Unallocated ones: drop."""
    rows = [make_service("s", **BOTH), both(("a", {}))]
    play([
        ("with --service-cidr", *rows,
         [("pod", vip, "reject", {"dport": 81, "protocol": protocol})
          for vip in (VIP, VIP6) for protocol in ("TCP", "UDP", "SCTP")] +
         [("pod", VIP, "reject", {"protocol": "UDP"}),
          ("pod", "10.96.0.11", "drop"), ("ext", "10.96.0.11", "drop"),
          ("pod", "fd00:96::11", "drop"),
          ("pod", HOSTS["b"][0], "untouched"),
          ("ext", "198.51.100.9", "untouched"),
          ("pod", NODE, "untouched", {"dport": 30081})]),
        ("an external address' other ports are not ours", dual(),
         both(("a", {})),
         [("ext", LB, "untouched", {"dport": 81}),
          ("ext", EXTERNAL6, "untouched", {"dport": 81})]),
    ])
    # The lab gives two ranges; the last one given counts.
    ranges = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
              "metadata": {"name": "kubernetes"},
              "spec": {"cidrs": ["10.96.0.0/24", "fd00:96::/112"]}}
    play([
        ("without --service-cidr", *rows,
         [("pod", "10.96.0.11", "untouched"), ("pod", VIP, "a")]),
        ("with a ServiceCIDR", [rows[0], ranges], rows[1],
         [("pod", "10.96.0.11", "drop"), ("pod", "10.96.1.11", "untouched"),
          ("pod", "fd00:96::11", "drop"), ("pod", VIP, "a")]),
        ("it has gone", *rows, [("pod", "10.96.0.11", "untouched")]),
    ], "--service-cidr=")
    play([
        ("a ServiceCIDR besides --service-cidr", [rows[0], ranges], rows[1],
         [("pod", "10.96.0.11", "untouched"), ("pod", "10.97.0.11", "drop")]),
    ], "--service-cidr=10.97.0.0/16")


def targets(lab, dst, **kwargs):
    """The endpoints that "pod" gets to, as (host, port)."""
    got = try_connections(lab, "pod", dst, **kwargs)
    return {(name, p.dport) for name, p in got}


def with_objects(*objects):
    """Yields a lab with a proxy that has these objects."""
    def decorator(test):
        def wrapper(_):
            lab = Lab()
            try:
                lab.write()
                lab.start()
                lab.apply(*objects)
                test(lab)
                lab.stop()
            finally:
                lab.close()
        wrapper.__doc__ = test.__doc__
        return wrapper
    return decorator


def port(name, number, protocol="TCP"):
    return {"name": name, "port": number, "protocol": protocol}


@with_objects(
    make_service("s", ports=[
        {"name": "web", "protocol": "TCP", "port": 80, "targetPort": "http"},
        {"name": "dns", "protocol": "TCP", "port": 53, "targetPort": 5353},
        {"name": "dns-udp", "protocol": "UDP", "port": 53,
         "targetPort": 5353}]),
    slice_of(endpoint("a"), name="s1", ports=[
        port("web", 8001), port("dns", 5301), port("dns-udp", 5301, "UDP")]),
    slice_of(endpoint("b"), name="s2", ports=[
        port("web", 8002), port("unknown", 5302),
        # The name is the key, but the protocol differs.
        port("dns", 5303, "UDP")]))
def test_rule_13_join_key(lab):
    """By name of the port and protocol; each slice has its own numbers."""
    assert targets(lab, VIP) == {("a", 8001), ("b", 8002)}
    assert targets(lab, VIP, dport=53) == {("a", 5301)}
    assert targets(lab, VIP, dport=53, protocol="UDP") == {("a", 5301)}


FQDN = dict(slice_of(name="names"), addressType="FQDN",
            endpoints=[{"addresses": ["b.example"]}])
UNLABELLED = slice_of(endpoint("b"), name="none")
del UNLABELLED["metadata"]["labels"]


@with_objects(make_service("s"))
def test_rule_14_slices(lab):
    """The parts of slices that count, and how slices are merged."""
    # The first address only; other kinds; no label; ports without a number.
    lab.apply(
        make_service("s"), FQDN, UNLABELLED,
        slice_of({"addresses": [HOSTS["a"][0], HOSTS["b"][0]],
                  "nodeName": "n1"}, name="s1"),
        slice_of(endpoint("b"), name="s2",
                 ports=[port("p", None), port("p", 0), port("q", 8080),
                        {"port": 8080, "protocol": "TCP"}]))
    assert targets(lab, VIP) == {("a", 8080)}
    # The same endpoint twice: one bucket, local if either says so.
    for order in ("n1", "n2"), ("n2", "n1"):
        lab.apply(local(),
                  *[slice_of(endpoint("a", node=node), name="s%d" % i)
                    for i, node in enumerate(order)],
                  slice_of(endpoint("remote"), name="s9"))
        assert targets(lab, VIP) == {("a", 8080), ("remote", 8080)}
        check(lab, "ext", LB, "a")
        group, = [g for g in lab.groups() if "10.1.1.4:8080" in g]
        assert group.count("bucket_id:") == 2, group
    # Endpoints move between slices: nothing is sent.
    one, two = endpoint("a"), endpoint("b")
    lab.apply(make_service("s"), slice_of(one, two, name="s1"),
              slice_of(name="s2"))
    sent = lab.groups_sent()
    lab.apply(make_service("s"), slice_of(two, name="s1"),
              slice_of(one, name="s2"))
    assert lab.groups_sent() == sent
    assert targets(lab, VIP) == {("a", 8080), ("b", 8080)}


def test_rule_15_skipped(_):
    """ExternalName, headless, another family's, and other proxies'."""
    def labelled(**labels):
        service = make_service("s", **nodeport())
        service["metadata"]["labels"] = {
            "service.kubernetes.io/" + k.replace("_", "-"): v
            for k, v in labels.items()}
        return service

    name = make_service("s", type="ExternalName", externalName="x.example",
                        externalIPs=[EXTERNAL])
    del name["spec"]["clusterIP"], name["spec"]["clusterIPs"]
    ours = [slice_of(endpoint("a"))]
    skipped = [("ext", LB, "untouched"), ("ext", EXTERNAL, "untouched"),
               ("ext", NODE, "untouched"), ("pod", VIP, "drop")]
    play([
        ("of another proxy", labelled(service_proxy_name="x"), ours, skipped),
        ("labelled as headless", labelled(headless=""), ours, skipped),
        ("neither", labelled(), ours,
         [("ext", LB, "a", MASQ), ("pod", VIP, "a")]),
        ("ExternalName", name, ours,
         [("ext", EXTERNAL, "untouched"), ("pod", VIP, "drop")]),
        ("headless", make_service("s", clusterIP="None"), ours,
         [("pod", VIP, "drop")]),
        ("no address of that family", make_service(
            "s", clusterIPs=[VIP6], clusterIP=VIP6, ipFamilies=["IPv6"]),
         both(("a", {})), [("pod", VIP6, "a"), ("pod", VIP, "drop")]),
    ])
