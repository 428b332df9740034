# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and Services with thousands of endpoints, ranges, ports."""

import re

from cluster import wait_until
from lab import Lab, make_service, make_slice, network
from tests_proxy import (LB, VIP, VIP6, answer, check, l4, sports,
                         try_connections, with_lab)
from tests_proxy_explain import connect, explain

# Endpoints of a slice, as in those of Kubernetes' own controller.
SLICE = 100

# Packets that fit into a socket's buffer for the switch.
BURST = 100


def address(number, ipv6):
    """The address of an endpoint, all of which are at host "other"."""
    return ("fd02:0:1::%x" if ipv6 else "10.2.%d.%d") % (
        number + 1 if ipv6 else (number // 250, number % 250 + 1))


def large_slices(service, numbers, ipv6=False):
    """Slices with the endpoints "numbers"."""
    numbers = list(numbers)
    slices = []
    for i in range(0, len(numbers), SLICE):
        obj = make_slice(service, ipv6=ipv6)
        obj["metadata"]["name"] += "-%d" % (i // SLICE)
        obj["endpoints"] = [
            {"addresses": [address(n, ipv6)], "nodeName": "n2",
             "conditions": {"ready": True}} for n in numbers[i:i + SLICE]]
        slices.append(obj)
    return slices


def n_endpoints(lab):
    """The number of buckets of the Service's group in the switch, and the
    number of groups."""
    groups = lab.groups()
    select = [g for g in groups if "type=select" in g]
    return max(g.count("bucket_id:") for g in select), len(groups)


def wait_endpoints(lab, n):
    wait_until(lambda: lab.synced() and n_endpoints(lab)[0] == n,
               "the group has %d buckets" % n)
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")


def reached(lab, vip, n):
    """Opens "n" connections from "pod".  Checks that each gets to an endpoint
    and is answered.  Returns the endpoints' addresses."""
    addresses = set()
    for _ in range(0, n, BURST):
        got = try_connections(lab, "pod", vip, n=BURST)
        assert len(got) == BURST, "%d of %d" % (len(got), BURST)
        for name, packet in got:
            src, dst = network(packet)
            assert (name, src) == (
                "other", lab.hosts["pod"].address(vip)), packet
            assert l4(packet).dport == 8080, packet
            addresses.add(dst)
            lab.hosts["other"].send(answer(packet))
        back = lab.collect(lambda back: len(back) >= BURST)
        assert len(back) == BURST, "%d of %d answers" % (len(back), BURST)
        for name, packet in back:
            assert name == "pod" and network(packet)[0] == vip, packet
    return addresses


@with_lab
def test_proxy_2000_endpoints(lab, _):
    """2,000 endpoints of each family: all of them are used, and found
    again."""
    service = make_service("s", clusterIPs=[VIP, VIP6],
                           ipFamilies=["IPv4", "IPv6"])
    six = large_slices("s", range(2000), True)
    lab.write(service, *large_slices("s", range(2000)), *six)
    lab.start()
    # A group for each endpoint, and one for each family.
    assert n_endpoints(lab) == (2000, 4002), n_endpoints(lab)
    for vip, ipv6 in (VIP, False), (VIP6, True):
        addresses = reached(lab, vip, 500)
        # 500 choices among 2,000 equally likely ones hit 442, give or take 7.
        assert 400 < len(addresses) < 485, len(addresses)
        assert addresses <= {address(n, ipv6) for n in range(2000)}

    # The next program finds all of it in place.
    before = lab.flows(), lab.groups()
    lab.kill()
    lab.start()
    assert (lab.flows(), lab.groups()) == before
    assert lab.groups_sent() == 0

    # One endpoint goes: its group and one bucket go, and nothing else.
    lab.write(service, *large_slices("s", range(1, 2000)), *six)
    wait_endpoints(lab, 2000)
    wait_until(lambda: len(lab.groups()) == 4001, "a group has gone")
    assert lab.groups_sent() == 2, lab.groups_sent()
    assert address(0, False) not in reached(lab, VIP, 300)

    # Across the number from which endpoints have groups of their own.
    for n in 500, 501, 499:
        lab.write(service, *large_slices("s", range(n)))
        wait_endpoints(lab, n)
        assert n_endpoints(lab)[1] == (1 + n if n > 500 else 1)
        assert reached(lab, VIP, 200) <= {address(i, False)
                                          for i in range(n)}
    lab.write()
    wait_until(lambda: lab.synced() and not lab.groups(), "all is gone")
    lab.stop()


def groups(lab):
    """The Service's groups in the switch: (the one that chooses a part, those
    of parts, of endpoints)."""
    found = lab.groups()
    select = [g for g in found if "type=select" in g]
    parts = [g for g in select
             if int((re.findall(r"method_param=(\d+)", g) + [0])[0]) >> 56]
    top, = [g for g in select if g not in parts]
    return top, parts, [g for g in found if "type=indirect" in g]


def packets(lab, group):
    """How many packets "group", of groups(), has met."""
    number = re.search(r"group_id=(\d+)", group).group(1)
    text = lab.run("ovs-ofctl", "-OOpenFlow15", "dump-group-stats", "br0",
                   "group_id=" + number)
    return int(re.search(r"packet_count=(\d+)", text).group(1))


@with_lab
def test_proxy_parts(lab, _):
    """5,000 endpoints, more than fit into a group of OpenFlow: all of them are
    used, in equal shares, and found again."""
    lab.write(make_service("s"), *large_slices("s", range(5000)))
    lab.start()
    top, parts, endpoints = groups(lab)
    assert len(parts) == top.count("bucket_id:") == 4, top
    assert sum(g.count("bucket_id:") for g in parts) == 5000
    assert len(endpoints) == 5000
    # 500 choices among 5,000 equally likely ones hit 476, give or take 5, and
    # each part 125, give or take 10.
    addresses = reached(lab, VIP, 500)
    assert 450 < len(addresses) < 500, len(addresses)
    assert addresses <= {address(n, False) for n in range(5000)}
    for g in parts:
        share = packets(lab, g)
        assert 75 < share < 175, (g[:80], share)

    # The endpoint that it names for a new connection gets the connection.
    for _ in range(8):
        sport = next(sports)
        told = explain(lab, "pod", sport, VIP)
        assert connect(lab, "pod", sport, VIP) == told["endpoint"], told
    # A series for the Service, and none for parts.
    wait_until(lambda: "service_opening_packets_total{" in lab.metrics(),
               "the program knows the counters")
    text = lab.metrics()
    assert text.count("service_opening_packets_total{") == 1, text

    # The next program finds all of it in place.
    before = lab.flows(), lab.groups()
    lab.kill()
    lab.start()
    assert (lab.flows(), lab.groups()) == before
    assert lab.groups_sent() == 0

    # One endpoint goes: its group, a bucket of its part, the part's weight.
    lab.write(make_service("s"), *large_slices("s", range(1, 5000)))
    wait_until(lambda: lab.synced() and len(groups(lab)[2]) == 4999,
               "a group has gone")
    assert lab.groups_sent() <= 4, lab.groups_sent()
    assert address(0, False) not in reached(lab, VIP, 300)

    # Across the number from which there are parts.
    for n in 2000, 2001, 1999:
        lab.write(make_service("s"), *large_slices("s", range(n)))
        wait_until(lambda: lab.synced() and len(groups(lab)[2]) == n,
                   "there are %d endpoints" % n)
        assert len(groups(lab)[1]) == (2 if n > 2000 else 0)
        assert reached(lab, VIP, 200) <= {address(i, False)
                                          for i in range(n)}
    lab.write()
    wait_until(lambda: lab.synced() and not lab.groups(), "all is gone")
    lab.stop()


@with_lab
def test_proxy_parts_affinity(lab, _):
    """A client meets the same endpoint again, by the same part."""
    lab.write(make_service("s", sessionAffinity="ClientIP"),
              *large_slices("s", range(2500)))
    lab.start()
    assert len(groups(lab)[1]) == 2
    assert len(reached(lab, VIP, 100)) == 1
    lab.stop()


def test_proxy_too_many_endpoints(_):
    """More endpoints than fit into a group of OpenFlow, with a switch that has
    no groups in parts: cut, and reported."""
    lab = Lab(stock=True)
    try:
        lab.write(make_service("s"), *large_slices("s", range(3000)))
        lab.start()
        n, _ = n_endpoints(lab)
        assert 2700 <= n < 2730, n
        assert "only %d of 3000 buckets fit" % n in lab.log(), lab.log()
        assert reached(lab, VIP, 100) <= {address(i, False)
                                          for i in range(3000)}
        lab.stop()
    finally:
        lab.close()


def tcp_ports(numbers):
    return [{"name": "p%d" % n, "protocol": "TCP", "port": n,
             "targetPort": 8080} for n in numbers]


def our_flows(lab):
    return sum("cookie=0x6b70" in flow for flow in lab.flows())


@with_lab
def test_proxy_many_ranges(lab, _):
    """4,000 ranges of sources at 20 ports need 4,000 flows, not 80,000.  A
    Service that shares the address has ranges of its own."""
    def balanced(name, ip, numbers, ranges):
        return make_service(
            name, type="LoadBalancer", clusterIP=ip, ports=tcp_ports(numbers),
            loadBalancerSourceRanges=ranges,
            status={"loadBalancer": {"ingress": [{"ip": LB}]}})

    def slices(name, numbers):
        obj = make_slice(name, "a")
        obj["ports"] = [{"name": "p%d" % n, "protocol": "TCP", "port": 8080}
                        for n in numbers]
        return obj

    lab.write()
    lab.start()
    before = our_flows(lab)
    ranges = ["203.0.113.5/32"] + ["198.%d.%d.0/25" % (20 + i // 200, i % 200)
                                   for i in range(3999)]
    many = balanced("s", "10.96.0.10", range(80, 100), ranges)
    few = balanced("t", "10.96.0.20", [8081], ["198.18.0.0/24"])
    lab.apply(many, slices("s", range(80, 100)))
    assert our_flows(lab) - before < 4200, our_flows(lab) - before
    lab.apply(many, slices("s", range(80, 100)), few, slices("t", [8081]))
    for dport in 80, 99:
        check(lab, "ext", LB, "a", masquerade=True, dport=dport)
        check(lab, "other", LB, "drop", dport=dport)
    check(lab, "other", LB, "a", masquerade=True, dport=8081)
    check(lab, "ext", LB, "drop", dport=8081)
    # The second one takes the first one's place.
    lab.apply(few, slices("t", [8081]))
    check(lab, "other", LB, "a", masquerade=True, dport=8081)
    check(lab, "ext", LB, "drop", dport=8081)
    assert our_flows(lab) - before < 20, our_flows(lab) - before
    lab.stop()


@with_lab
def test_proxy_too_many_flows(lab, _):
    """A Service of 20,000 ports gets as many flows as one may have, and takes
    nothing from others."""
    huge = make_service("huge", clusterIP="10.96.0.30",
                        ports=tcp_ports(range(1, 20001)))
    rest = make_service("s"), make_slice("s", "a")
    lab.write(huge, *rest)
    lab.start()
    assert our_flows(lab) < 16384 + 200, our_flows(lab)
    # Its 20,000 ports, and one for all others.
    assert "Service default/huge: 3617 flows are left out: a Service may " \
        "have 16384" in lab.log(), lab.log()
    assert "\novs_kube_proxy_flows_left_out 3617\n" in lab.metrics()
    assert "left out: 3617 flows more than 16384" in lab.appctl(
        "service/show", "default/huge")
    check(lab, "pod", VIP, "a")
    check(lab, "pod", "10.96.0.30", "reject", dport=1)
    lab.apply(*rest)
    assert "\novs_kube_proxy_flows_left_out 0\n" in lab.metrics()
    check(lab, "pod", VIP, "a")
    lab.stop()
