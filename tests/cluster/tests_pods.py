# SPDX-License-Identifier: Apache-2.0

"""Nodes that are ready, pods that reach one another, Services."""

from nodes import run, wait_until
from objects import OUT, PORT, ask, start, wait_all


def test_nodes(lab):
    """Nodes get ready by our plugin, with ranges of both families."""
    ranges = set()
    for node in lab.nodes:
        wait_until(node.is_ready, node.name + " is ready", 60)
        ranges.update(node.object()["spec"]["podCIDRs"])
    assert len(ranges) == 4, ranges
    for node in lab.nodes:
        for cidr in ranges:
            assert cidr in node.show(), (cidr, node.show())


def test_pods(lab):
    """Pods reach each other by both families, without translation, on a node
    and between nodes."""
    start(lab)
    pods = lab.server.pods()
    assert sorted(p["spec"]["nodeName"] for p in pods) == \
        ["n1", "n1", "n2", "n2"]
    for node, client in zip(lab.nodes, lab.clients):
        own = node.port_of("client-" + node.name)["cni-addresses"].split()
        own = {a.split("/")[0] for a in own}
        for pod in pods:
            ips = [ip["ip"] for ip in pod["status"]["podIPs"]]
            assert len(ips) == 2, ips
            for ip in ips:
                assert ask(client, ip, PORT) == pod["metadata"]["name"]
                source = ask(client, ip, PORT, "/clientip")
                assert source.rsplit(":", 1)[0].strip("[]") in own, source


def test_services(lab):
    """ClusterIPs from pods and nodes, node ports from outside."""
    start(lab)
    for address in lab.server.ips:
        for command in lab.clients + [n.inside() for n in lab.nodes]:
            wait_all(command, lab, address)
    for node in lab.nodes:
        wait_all(OUT, lab, node.ip4, lab.server.node_port)
        wait_all(OUT, lab, node.ip6, lab.server.node_port)


def test_api_server(lab):
    """The API server, which is no pod, by its Service."""
    start(lab)
    for client in lab.clients:
        assert '"gitVersion"' in run(*client, "curl", "-sSk", "--max-time",
                                     "5", "https://10.96.0.1/version")
