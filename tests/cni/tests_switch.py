# SPDX-License-Identifier: Apache-2.0

"""STATUS, GC, and a switch that does not do its part."""

import os
import shutil
import subprocess

from tests_errors import expect


def test_status(node):
    config = node.config("1.1.0")
    node.call("STATUS", config=config)
    expect(node, 50, "no bridge br9", "STATUS",
           config=dict(config, bridge="br9"))
    expect(node, 50, "not in CNI_PATH", "STATUS",
           config=dict(config, ipam={"type": "nosuch"}))
    node.switch.kill("ovs-vswitchd")
    expect(node, 51, "does not run bridge br0", "STATUS", config=config)
    node.switch.kill("ovsdb-server")
    expect(node, 50, "cannot be reached", "STATUS", config=config)
    node.switch.start_database()
    node.switch.start_daemon()
    node.call("STATUS", config=config)


def test_gc(node):
    """What the runtime does not name goes, of this network alone."""
    config = node.config("1.1.0")
    other = node.config("1.1.0", name="other")
    keep, stale, foreign = node.pod(), node.pod(), node.pod()
    kept = node.call("ADD", keep, config)["interfaces"][0]["name"]
    node.call("ADD", stale, config)
    strange = node.call("ADD", foreign, other)["interfaces"][0]["name"]
    leases = node.lease_files()
    stale.delete()
    valid = [{"containerID": keep.id, "ifname": "eth0"}]
    key = "cni.dev/valid-attachments"

    for bad in (None, {}, [{"containerID": keep.id}], ["x"],
                [{"containerID": "../x", "ifname": "eth0"}]):
        expect(node, 7, key, "GC", config=dict(config, **{key: bad}))
    assert len(node.switch.ports()) == 3

    node.call("GC", config=dict(config, **{key: valid}))
    assert node.switch.ports() == sorted([kept, strange])
    assert node.links() == sorted([kept, strange])
    assert len(node.lease_files()) == len(leases) - 2
    keep.run("ip", "link", "show", "eth0")
    node.call("GC", config=dict(config, **{key: []}))
    assert node.switch.ports() == [strange]
    node.call("DEL", foreign, other)
    node.assert_clean()


def test_switch_is_down(node):
    """ADD gives up in time and leaves nothing; DEL works."""
    pod, before = node.pod(), node.pod()
    node.call("ADD", before)
    node.switch.kill("ovs-vswitchd")
    failure = expect(node, 11, "within 1 seconds", "ADD", pod,
                     node.config(timeout=1))
    assert "ovs-vswitchd" in failure.details
    node.call("DEL", before)
    node.assert_clean()
    node.switch.start_daemon()


def test_database_is_down(node):
    """DEL gives back what it can, and asks to be called again."""
    pod = node.pod()
    node.call("ADD", pod)
    node.switch.kill("ovsdb-server")
    expect(node, 11, "cannot be reached", "ADD", node.pod())
    expect(node, 11, "cannot be reached", "DEL", pod)
    assert node.links() == [] == node.lease_files()
    node.switch.start_database()
    node.call("DEL", pod)
    node.assert_clean()


def test_database_by_tcp(node):
    """A database that ends idle connections: while the IPAM plugin runs, and
    while the switch does not answer."""
    folder = os.path.join(node.dir, "plugins")
    os.mkdir(folder)
    path = os.path.join(folder, "slow")
    with open(path, "w") as stream:
        stream.write("#!/bin/sh\ntest $CNI_COMMAND = ADD || exit 0\nsleep 5\n"
                     "echo '{\"ips\": [{\"address\": \"10.1.0.9/16\"}]}'\n")
    os.chmod(path, 0o755)
    node.switch.run("ovs-vsctl", "set-manager", "ptcp:6640:127.0.0.1", "--",
                    "set", "Manager", ".", "inactivity_probe=1000")
    config = node.config(database="tcp:127.0.0.1:6640", timeout=4,
                         ipam={"type": "slow"})
    pod = node.pod()
    node.call("ADD", pod, config, CNI_PATH=folder)
    node.call("DEL", pod, config, CNI_PATH=folder)
    node.switch.kill("ovs-vswitchd")
    expect(node, 11, "within 4 seconds", "ADD", pod, dict(config, ipam={}))
    node.switch.start_daemon()
    node.switch.run("ovs-vsctl", "del-manager")
    node.assert_clean()
    shutil.rmtree(folder)


def test_port_is_refused(node):
    """The switch says why; nothing is left."""
    pod = node.pod()
    port = node.call("ADD", pod)["interfaces"][0]["name"]
    node.call("DEL", pod)
    node.switch.kill("ovs-vswitchd")
    # In its place.
    switch = subprocess.Popen(
        ["sh", "-c", "ovs-vsctl --no-wait wait-until Interface %s -- set "
         "Interface %s ofport=-1 'error=\"no more ports\"'" % (port, port)],
        env=node.switch.env)
    expect(node, 101, "no more ports", "ADD", pod)
    assert switch.wait(20) == 0
    node.assert_clean()
    node.switch.start_daemon()


def test_restart(node):
    """Pods keep their ports over a restart of the switch."""
    a, b = node.pod(), node.pod()
    node.call("ADD", a)
    address = node.call("ADD", b)["ips"][0]["address"].split("/")[0]
    node.switch.kill("ovs-vswitchd")
    node.switch.start_daemon()
    a.run("ping", "-c", "1", "-w", "10", address)
    for pod in a, b:
        node.call("DEL", pod)
    node.assert_clean()
