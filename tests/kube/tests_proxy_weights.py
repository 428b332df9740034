# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and weights of endpoints."""

import collections

from lab import HOSTS, make_service, make_slice, network
from tests_proxy import VIP, VIP6, check, try_connections, with_lab
from tests_proxy_api import open_connection
from tests_proxy_time import affine, choices

# Packets that fit into a socket's buffer for the switch.
BURST = 100


def slices(ipv6=False, **weights):
    """A slice for each host, with this weight as annotation, or None."""
    objs = []
    for host, weight in weights.items():
        obj = make_slice("s", host, ipv6=ipv6)
        obj["metadata"]["name"] += host
        if weight is not None:
            obj["metadata"]["annotations"] = {
                "ovs-kube-proxy/weight": str(weight)}
        objs.append(obj)
    return objs


def shares(lab, vip, n):
    """The shares of "n" connections that each host gets, in percent."""
    got = collections.Counter()
    for _ in range(0, n, BURST):
        part = try_connections(lab, "pod", vip, n=BURST)
        assert len(part) == BURST, len(part)
        for name, packet in part:
            assert network(packet)[1] == lab.hosts[name].address(vip)
            got[name] += 1
    return {name: 100 * count / n for name, count in got.items()}


@with_lab
def test_proxy_weights(lab, _):
    """10,000 connections come to endpoints by their weights, in both
    families; and changes of weights reach the switch."""
    service = make_service("s", clusterIPs=[VIP, VIP6],
                           ipFamilies=["IPv4", "IPv6"])
    lab.write(service, *slices(a=900, remote=None),
              *slices(True, a=1, b=2, remote=1))
    lab.start()
    # 0.3 is the standard deviation of the share, and 0.1 what the table may
    # be off.
    share = shares(lab, VIP, 10000)
    print("        900 and 100: %s %%" % share, flush=True)
    assert abs(share["a"] - 90) < 1.5 and len(share) == 2, share
    share = shares(lab, VIP6, 2000)
    print("        1, 2 and 1: %s %%" % share, flush=True)
    assert abs(share["b"] - 50) < 6 and abs(share["a"] - 25) < 5, share
    shown = lab.appctl("service/show", "default/s")
    assert "cluster: 10.1.0.2:8080(local)(weight 900) 10.1.1.4:8080\n" in \
        shown, shown

    # Another weight is a change of two buckets.
    sent = lab.groups_sent()
    lab.apply(service, *slices(a=100, remote=None),
              *slices(True, a=1, b=2, remote=1))
    assert lab.groups_sent() == sent + 1
    share = shares(lab, VIP, 1000)
    assert abs(share["a"] - 50) < 8, share
    lab.stop()


@with_lab
def test_proxy_weight_zero(lab, _):
    """An endpoint of weight 0 gets no new connection and keeps its old ones,
    unless there is no other.  What is no weight counts as none."""
    service = make_service("s")
    lab.write(service, *slices(a=None))
    lab.start()
    name, send = open_connection(lab, "pod")
    assert name == "a"
    lab.apply(service, *slices(a=0, b=10))
    check(lab, "pod", VIP, "b")
    assert send() == ["a"]
    shown = lab.appctl("service/show", "default/s")
    assert "old connections: %s:8080(local)(draining)\n" % HOSTS["a"][0] in \
        shown, shown
    lab.apply(service, *slices(a=0, b=0))
    check(lab, "pod", VIP, "a b")
    for weight in "-1", "65536", "many":
        lab.apply(service, *slices(a=weight, b=100))
        assert "annotation ovs-kube-proxy/weight: '%s' is not a number from " \
            "0 to 65535" % weight in lab.log(), lab.log()
        check(lab, "pod", VIP, "a b")
    lab.stop()


@with_lab
def test_proxy_weights_affinity(lab, _):
    """Clients that are remembered stay with an endpoint whose weight
    changes."""
    lab.write(affine(100), *slices(a=1000, b=1000))
    lab.start()
    before = choices(lab, VIP)
    assert set(before.values()) == {"a", "b"}
    for weight in 1, 2000:
        lab.apply(affine(100), *slices(a=weight, b=1000))
        assert choices(lab, VIP) == before, weight
    lab.stop()
