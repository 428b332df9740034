# SPDX-License-Identifier: Apache-2.0

"""Changes and restarts under traffic, which lose no request and leave
nothing."""


from nodes import wait_until
from objects import OUT, Traffic, is_ready, start, wait_all


class Traffics:
    """Traffic from outside to node ports, and from a pod to the ClusterIPs,
    while the context lasts.  Not one request may fail."""

    def __init__(self, lab):
        start(lab)
        self.lab = lab
        self.running = []

    def __enter__(self):
        server = self.lab.server
        for node in self.lab.nodes:
            self.running.append(Traffic(OUT, node.ip4, server.node_port))
        for client, address in zip(self.lab.clients, server.ips):
            self.running.append(Traffic(client, address, 80))

    def __exit__(self, kind, *_):
        results = [traffic.stop() for traffic in self.running]
        if kind is None:
            for result in results:
                assert result["answers"] and not result["faults"], result


def settle(lab, replicas):
    """Waits until the server has 'replicas' pods, and switches and nodes have
    what is of all pods that there are, and nothing else."""
    lab.server.wait_replicas(replicas)
    for node in lab.nodes:
        count = sum(pod["spec"]["nodeName"] == node.name
                    for pod in all_pods(lab))
        expect_left(node, count, 2 * count)


def all_pods(lab):
    return lab.control.call("GET", "/api/v1/pods")["items"]


def expect_left(node, pods, addresses):
    def as_expected():
        left = node.left()
        return (len(left["ports"]) == len(left["links"]) ==
                len(left["sandboxes"]) == pods and
                len(left["leases"]) == addresses)

    try:
        wait_until(as_expected, "%s has %d pods" % (node.name, pods), 60)
    except AssertionError as error:
        raise AssertionError("%s: %s" % (error, node.left())) from None


def test_scale(lab):
    """Up and down."""
    with Traffics(lab):
        lab.server.scale(50)
        settle(lab, 50)
        lab.server.scale(4)
        settle(lab, 4)


def test_pods_deleted(lab):
    """One by one, and replaced."""
    with Traffics(lab):
        for name in lab.server.names():
            lab.control.delete("Pod", name)
            wait_until(lambda: name not in lab.server.names(),
                       name + " is gone", 60)
            settle(lab, 4)


def change_without(lab, kill, meanwhile, restart):
    """Adds pods while something is away, until 'meanwhile' is true; has them
    at work once it is back, and removes them."""
    with Traffics(lab):
        kill()
        lab.server.scale(8)
        wait_until(meanwhile, "what can be done is done", 60)
        restart()
        settle(lab, 8)
        for client in lab.clients:
            wait_all(client, lab, lab.server.ips[0])
        lab.server.scale(4)
        settle(lab, 4)


def test_kubelet_killed(lab):
    """Pods go on, and others come as soon as there is one again."""
    node = lab.nodes[0]
    change_without(lab, node.kubelet.kill,
                   lambda: len(lab.server.names()) == 8, node.start_kubelet)


def test_containerd_killed(lab):
    """The same."""
    node = lab.nodes[1]
    change_without(lab, node.containerd.kill,
                   lambda: len(lab.server.names()) == 8,
                   node.start_containerd)


def test_proxy_killed(lab):
    """Services go on, and follow the pods as soon as there is one again."""
    node = lab.nodes[0]
    change_without(lab, lambda: node.kill("ovs-kube-proxy"),
                   lambda: sum(is_ready(p) for p in lab.server.pods()) == 8,
                   node.start_proxy)


def test_agent_killed(lab):
    """Pods go on, and new ones wait until there is one again."""
    node = lab.nodes[0]
    start(lab)
    before = len(node.left()["ports"])
    change_without(lab, lambda: node.kill("ovs-ext-node"),
                   lambda: len(node.left()["ports"]) == before + 2,
                   node.start_agent)


def test_switch_killed(lab):
    """Pods, Services and node ports come back by themselves."""
    start(lab)
    node = lab.nodes[0]
    node.restart_switch()

    for address in lab.server.ips:
        for client in lab.clients:
            wait_all(client, lab, address)
    for address in node.ip4, node.ip6:
        wait_all(OUT, lab, address, lab.server.node_port)
    settle(lab, 4)


def test_nothing_left(lab):
    """Without pods, nothing is left of them."""
    start(lab)
    lab.server.delete()
    for node in lab.nodes:
        lab.control.delete("Pod", "client-" + node.name)
    if hasattr(lab, "dns"):
        lab.dns.delete()
    wait_until(lambda: not all_pods(lab), "there are no pods", 90)
    for node in lab.nodes:
        expect_left(node, 0, 0)
