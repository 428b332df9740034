# SPDX-License-Identifier: Apache-2.0

"""ovs-ext-node with a real kube-apiserver."""

import os
import subprocess

from cluster import wait_until
from harness import World, admin
from tests_proxy import with_lab


def create_node(c, name, number):
    c.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
              "spec": {"podCIDR": "10.7.%d.0/24" % number,
                       "podCIDRs": ["10.7.%d.0/24" % number]}})
    c.call("PATCH", c.path("Node") + "/" + name + "/status",
           {"status": {"addresses": [{"type": "InternalIP",
                                      "address": "192.0.2.%d" % number}]}},
           "application/merge-patch+json")


def program_path():
    return os.path.join(World.build, "utilities/ovs-ext-node/ovs-ext-node")


def test_node_agent_source(_):
    """It needs one source of Nodes, and says what is wrong with it."""
    one = "one of --kubeconfig, --in-cluster and --from-file is needed"
    for args, error in (([], one),
                        (["--from-file=.", "--in-cluster=."], one),
                        (["--from-file=.", "--context=x"],
                         "--context needs --kubeconfig"),
                        (["--from-file=none"], "none: No such file"),
                        (["--kubeconfig=none"], "none: No such file")):
        done = subprocess.run([program_path(), "--node=n1", *args, "br0"],
                              cwd=World.folder, text=True, timeout=60,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and error in done.stderr, done.stderr


@with_lab
def test_node_agent(lab, c):
    """Nodes that are there, come, change and go."""
    program = program_path()
    create_node(c, "agent-1", 1)
    with open(os.path.join(lab.dir, "agent.log"), "w") as log:
        agent = subprocess.Popen(
            [program, "--kubeconfig=" + admin(), "--node=agent-1",
             "--pidfile", "-vconsole:info", "-vsyslog:off", "br0"],
            env=lab.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    lab.processes.append(agent)

    def appctl(command):
        return subprocess.run(
            ["ovs-appctl", "-t", "ovs-ext-node", command], env=lab.env,
            text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL).stdout

    def has_way(cidr):
        return "nw_dst=%s actions=dec_ttl" % cidr in lab.run(
            "ovs-ofctl", "-OOpenFlow14", "dump-flows", "br0")

    wait_until(lambda: appctl("sync/status").startswith("synced"),
               "the agent is synced")
    assert "Service" not in appctl("sync/status")
    assert "this Node agent-1: 192.0.2.1, pods 10.7.1.0/24" in \
        appctl("node/show")
    create_node(c, "agent-2", 2)
    wait_until(lambda: has_way("10.7.2.0/24"), "there is a way to agent-2")
    c.delete("Node", "agent-2")
    wait_until(lambda: not has_way("10.7.2.0/24"), "the way is gone")
    # The server goes; what it has said stays.
    c.api.kill()
    assert "Node agent-1" in appctl("node/show")
    assert appctl("sync/status").startswith("synced")
    c.start_api()
    c.delete("Node", "agent-1")
    wait_until(lambda: appctl("sync/status").startswith(
        "there is no Node of our name"), "our Node is missed")
    assert "nw_dst=10.7.1.1 actions=" in lab.run(
        "ovs-ofctl", "-OOpenFlow14", "dump-flows", "br0")
    appctl("exit")
    assert agent.wait(20) == 0
    lab.run(program, "--cleanup", "br0")
    assert "10.7.1" not in lab.run("ovs-ofctl", "-OOpenFlow14", "dump-flows",
                                   "br0")
