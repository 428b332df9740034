# SPDX-License-Identifier: Apache-2.0

"""A node that comes and goes."""

from nodes import wait_until
from objects import wait_all
from tests_changes import Traffics, settle


def drain(lab, node):
    """What "kubectl drain" and "kubectl delete node" do."""
    lab.control.merge("Node", node.name, {"spec": {"unschedulable": True}})
    for pod in lab.server.pods():
        if pod["spec"].get("nodeName") == node.name:
            lab.control.delete("Pod", pod["metadata"]["name"])
    wait_until(lambda: all(pod["spec"].get("nodeName") != node.name
                           for pod in lab.server.pods()),
               "the node is empty", 60)
    lab.control.delete("Node", node.name)


def test_node_added(lab):
    """Pods of a third node serve, and are reached from it and from others,
    until it is drained and removed; no request fails."""
    with Traffics(lab):
        n3 = lab.add_node(3)
        try:
            n3.start_kubernetes()
            wait_until(n3.is_ready, "n3 is ready", 60)
            ranges = n3.object()["spec"]["podCIDRs"]
            lab.server.scale(6)
            settle(lab, 6)
            assert sum(pod["spec"]["nodeName"] == "n3"
                       for pod in lab.server.pods()) == 2
            for command in lab.clients + [n3.inside()]:
                for address in lab.server.ips:
                    wait_all(command, lab, address)
            lab.server.scale(4)
            drain(lab, n3)
        finally:
            lab.remove_node(n3)
        settle(lab, 4)
        for node in lab.n1, lab.n2:
            for cidr in ranges:
                wait_until(lambda: cidr not in node.show(),
                           "%s forgets %s" % (node.name, cidr), 60)
