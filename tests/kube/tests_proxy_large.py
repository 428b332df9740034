# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and Services with thousands of endpoints."""

from cluster import wait_until
from lab import make_service, make_slice, network
from tests_proxy import VIP, VIP6, answer, l4, try_connections, with_lab

# A slice has so many, as those of Kubernetes' own controller.
SLICE = 100

# So many packets wait for the switch in the buffer of a socket.
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
    """How many buckets the group of the Service has in the switch, and how
    many groups there are."""
    groups = lab.groups()
    select = [g for g in groups if "type=select" in g]
    return max(g.count("bucket_id:") for g in select), len(groups)


def wait_endpoints(lab, n):
    wait_until(lambda: lab.synced() and n_endpoints(lab)[0] == n,
               "the group has %d buckets" % n)
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")


def reached(lab, vip, n):
    """Opens "n" connections from "pod", checks that each gets to an endpoint
    and that its answer comes back; returns the endpoints' addresses."""
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
    """2,000 of each family; all of them are used, and found again."""
    service = make_service("s", clusterIPs=[VIP, VIP6],
                           ipFamilies=["IPv4", "IPv6"])
    six = large_slices("s", range(2000), True)
    lab.write(service, *large_slices("s", range(2000)), *six)
    lab.start()
    # A group for each endpoint, and one for each family.
    assert n_endpoints(lab) == (2000, 4002), n_endpoints(lab)
    for vip, ipv6 in (VIP, False), (VIP6, True):
        addresses = reached(lab, vip, 500)
        # Of 2,000 equally likely ones 500 choose 442, give or take 7.
        assert 400 < len(addresses) < 485, len(addresses)
        assert addresses <= {address(n, ipv6) for n in range(2000)}

    # The next program finds all of it there.
    before = lab.flows(), lab.groups()
    lab.kill()
    lab.start()
    assert (lab.flows(), lab.groups()) == before
    assert lab.groups_sent() == 0

    # One endpoint goes: its group does, and one bucket, and nothing else.
    lab.write(service, *large_slices("s", range(1, 2000)), *six)
    wait_endpoints(lab, 2000)
    wait_until(lambda: len(lab.groups()) == 4001, "a group has gone")
    assert lab.groups_sent() == 2, lab.groups_sent()
    assert address(0, False) not in reached(lab, VIP, 300)

    # Across the number from which on endpoints have groups of their own.
    for n in 500, 501, 499:
        lab.write(service, *large_slices("s", range(n)))
        wait_endpoints(lab, n)
        assert n_endpoints(lab)[1] == (1 + n if n > 500 else 1)
        assert reached(lab, VIP, 200) <= {address(i, False)
                                          for i in range(n)}
    lab.write()
    wait_until(lambda: lab.synced() and not lab.groups(), "all is gone")
    lab.stop()


@with_lab
def test_proxy_too_many_endpoints(lab, _):
    """More than OpenFlow can tell of one group: cut, and told."""
    lab.write(make_service("s"), *large_slices("s", range(3000)))
    lab.start()
    n, _ = n_endpoints(lab)
    assert 2700 <= n < 2730, n
    assert "only %d of 3000 buckets fit" % n in lab.log(), lab.log()
    assert reached(lab, VIP, 100) <= {address(i, False) for i in range(3000)}
    lab.stop()
