# SPDX-License-Identifier: Apache-2.0

"""What utilities/quickstart.sh --cluster shows."""

import collections
import time

from nodes import wait_until
from objects import OUT, ask, start

BEGIN = time.monotonic()
REQUESTS = 20


def step(text):
    print("\n== %s [%d s]" % (text, time.monotonic() - BEGIN), flush=True)


def show_text(text):
    print("    " + text.rstrip("\n").replace("\n", "\n    "), flush=True)


def show_nodes(lab):
    for node in lab.nodes:
        wait_until(node.is_ready, node.name + " is ready", 60)
        obj = node.object()
        info = obj["status"]["nodeInfo"]
        print("  %s: ready, %s, %s, pods %s" % (
            node.name, node.ip4, info["containerRuntimeVersion"],
            " ".join(obj["spec"]["podCIDRs"])))


def show_pods(lab):
    for pod in lab.server.pods():
        print("  %-24s %s %s" % (
            pod["metadata"]["name"], pod["spec"]["nodeName"],
            " ".join(ip["ip"] for ip in pod["status"]["podIPs"])))
    print("  Service: %s, node port %d" % (" ".join(lab.server.ips),
                                           lab.server.node_port))


def show_requests(lab, who, command, address, port=80):
    """Asks some times.  Returns whether pods alone have answered, and more
    than one."""
    answers = collections.Counter(ask(command, address, port)
                                  for _ in range(REQUESTS))
    good = len(answers) > 1 and answers.keys() <= lab.server.names()
    print("  [%s] %s, to %s port %d:" % ("ok" if good else "FAILED", who,
                                         address, port))
    for name, count in sorted(answers.items()):
        show_text("%2d by %s" % (count, name.strip()))
    return good


def show(lab):
    """Shows all.  Returns the numbers of checks that passed and failed."""
    step("Two nodes")
    show_nodes(lab)
    print("  n1# ovs-appctl -t ovs-ext-node node/show")
    show_text(lab.n1.show())
    step("A Deployment of four pods, behind a Service")
    start(lab)
    show_pods(lab)
    step("Requests, %d each" % REQUESTS)
    ip, port = lab.server.ips[0], lab.server.node_port
    good = [show_requests(lab, *args) for args in (
        ("from a pod of n1", lab.clients[0], ip),
        ("from node n2", lab.n2.inside(), ip),
        ("from outside, by node n1", OUT, lab.n1.ip4, port),
        ("from outside, by node n2", OUT, lab.n2.ip4, port))]
    print("  n1# ovs-appctl -t ovs-kube-proxy service/show default/server")
    show_text(lab.n1.run("ovs-appctl", "-t", "ovs-kube-proxy", "service/show",
                         "default/server"))
    step("Result")
    return sum(good), len(good) - sum(good)
