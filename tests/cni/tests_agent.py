# SPDX-License-Identifier: Apache-2.0

"""A node agent, which is ovs-vsctl here."""

import subprocess

from tests_errors import expect


def agent(node, port, key, value):
    """Stores what the agent says of 'port' once it has addresses."""
    return subprocess.Popen(
        ["sh", "-c", "ovs-vsctl wait-until Interface %s "
         "'external_ids:cni-addresses!=\"\"' -- "
         "set Interface %s 'external_ids:%s=\"%s\"'" %
         (port, port, key, value)], env=node.switch.env)


def test_agent(node):
    """ADD waits until the agent has admitted the port; the agent's ranges are
    host-local's."""
    config = node.config("1.1.0", timeout=1, **{"node-agent": True})
    config["ipam"] = {"type": "host-local", "dataDir": node.leases}
    pod = node.pod()
    expect(node, 7, "not true or false", "ADD", pod,
           dict(config, **{"node-agent": "yes"}))
    expect(node, 11, "no node agent serves bridge br0", "ADD", pod, config)
    expect(node, 50, "no node agent serves bridge br0", "STATUS",
           config=config)
    node.assert_clean()

    node.switch.run("ovs-vsctl", "set", "Bridge", "br0",
                    "external_ids:node-pod-cidrs=\"10.1.7.0/24 fd07::/64\"")
    node.call("STATUS", config=config)
    failure = expect(node, 11, "the node agent has not admitted port cni",
                     "ADD", pod, config)
    assert "ovs-ext-node running" in failure.details
    node.assert_clean()

    port = failure.msg.split("port ")[1].split()[0]
    says = agent(node, port, "node-refused", "it is the wrong moon")
    expect(node, 101, "refuses port %s: it is the wrong moon" % port, "ADD",
           pod, dict(config, timeout=20))
    assert says.wait(20) == 0
    node.assert_clean()

    # host-local goes round.
    says = agent(node, port, "node-admitted", "10.1.7.4/24 fd07::4/64")
    result = node.call("ADD", pod, dict(config, timeout=20))
    assert says.wait(20) == 0
    assert [ip["address"] for ip in result["ips"]] == [
        "10.1.7.4/24", "fd07::4/64"], result
    node.call("CHECK", pod, dict(config, prevResult=result))
    # DEL and GC do without the agent and its ranges.
    node.switch.run("ovs-vsctl", "clear", "Bridge", "br0", "external_ids")
    node.call("GC", config=dict(config,
                                **{"cni.dev/valid-attachments": []}))
    node.call("DEL", pod, config)
    node.assert_clean()
