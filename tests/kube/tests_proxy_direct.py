# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and direct return, on one node: what leaves for other nodes,
and what is served as without.  make check-node has two nodes."""

import copy

from lab import NODE as NODE_OBJECT, Lab, make_service
from tests_proxy import LB, NODE, VIP, check, nodeport, with_lab
from tests_proxy_rules import DRAINS, READY, endpoint, slice_of

ANNOTATION = "ovs-kube-proxy/direct-return"


def direct(value="true", **spec):
    service = make_service("s", **nodeport(**spec))
    service["metadata"]["annotations"] = {ANNOTATION: value}
    return service


def other_node(name="n2", address="192.0.2.2", pods="10.1.1.0/24"):
    node = copy.deepcopy(NODE_OBJECT)
    node["metadata"]["name"] = name
    node["spec"] = {"podCIDR": pods, "podCIDRs": [pods]}
    node["status"]["addresses"] = [{"type": "InternalIP",
                                    "address": address}]
    return node


def shown(lab):
    return lab.appctl("service/show", "default/s")


@with_lab
def test_proxy_direct(lab, _):
    """Weights of nodes, the source that is kept, who is masqueraded, and what
    leaves for another node."""
    lab.write(direct(), slice_of(endpoint("a", **READY)), other_node())
    lab.start("--direct-return")
    assert "direct return by: 192.0.2.1(weight 100)\n" in shown(lab)
    check(lab, "ext", LB, "a")
    check(lab, "ext", NODE, "a", dport=30080)
    for near in "pod", "remote":
        check(lab, near, LB, "a", masquerade=True)
    check(lab, "a", LB, "a", masquerade=True)
    check(lab, "pod", VIP, "a")
    # All leaves for the other node, untranslated.
    lab.apply(direct(), slice_of(endpoint("remote", **READY)), other_node())
    assert "direct return by: 192.0.2.2(weight 100)\n" in shown(lab)
    assert "here: drop" in shown(lab)
    check(lab, "ext", LB, "untouched")
    check(lab, "pod", LB, "remote", masquerade=True)
    explained = lab.appctl("service/explain", "203.0.113.5:4000",
                           LB + ":80")
    assert "node 192.0.2.2 chooses, and answers directly" in explained, \
        explained
    # A node without ready endpoints keeps connections.
    lab.apply(direct(), slice_of(endpoint("a", **READY),
                                 endpoint("b", **READY),
                                 endpoint("remote", **DRAINS)), other_node())
    assert "by: 192.0.2.1(weight 200) 192.0.2.2(weight 0)\n" in shown(lab)
    check(lab, "ext", LB, "a b")
    lab.apply(direct(), slice_of(), other_node())
    check(lab, "ext", LB, "reject")
    lab.stop()


@with_lab
def test_proxy_direct_refused(lab, _):
    """What has no direct return is served as without, and the log says
    why."""
    slices = [slice_of(endpoint("a", **READY))]
    lab.write(direct("maybe"), *slices)
    lab.start("--direct-return")
    check(lab, "ext", LB, "a", masquerade=True)
    lab.apply(direct("false"), *slices)
    check(lab, "ext", LB, "a", masquerade=True)
    lab.apply(direct(externalTrafficPolicy="Local"), *slices)
    check(lab, "ext", LB, "a")
    # The endpoint's Node is not known, or not named.
    lab.apply(direct(), slice_of(endpoint("remote", **READY)))
    check(lab, "ext", LB, "remote", masquerade=True)
    unnamed = slice_of(endpoint("a", **READY))
    del unnamed["endpoints"][0]["nodeName"]
    lab.apply(direct(), unnamed)
    check(lab, "ext", LB, "a", masquerade=True)
    assert "direct return by" not in shown(lab)
    log = lab.log()
    for text in ("'maybe' is neither true nor false",
                 "has no effect with externalTrafficPolicy Local",
                 "endpoint 10.1.1.4 gets nothing by direct return: it is on a "
                 "node that is not known",
                 "endpoint 10.1.0.2 gets nothing by direct return: it is on "
                 "no node"):
        assert text in log, (text, log)
    lab.stop()


def test_proxy_direct_stock(_):
    """A switch without "maglev" hands nothing over."""
    lab = Lab()
    try:
        lab.write(direct(), slice_of(endpoint("a", **READY)), other_node())
        lab.start("--direct-return", "--stock")
        check(lab, "ext", LB, "a", masquerade=True)
        check(lab, "ext", NODE, "a", masquerade=True, dport=30080)
        assert "clients that ask this node are served without direct return" \
            in lab.log()
        lab.stop()
    finally:
        lab.close()
