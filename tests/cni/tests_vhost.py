# SPDX-License-Identifier: Apache-2.0

"""Pods with DPDK."""

import json
import os
import shutil
import stat
import subprocess

from tests_errors import expect
from world import Skip, wait_until


def start_dpdk(node):
    node.switch.run(
        "ovs-vsctl", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
        'other_config:dpdk-extra="--no-pci --no-telemetry --no-huge '
        '--legacy-mem --no-shconf -m 1024"')
    node.switch.kill("ovs-vswitchd")
    node.switch.start_daemon()


def stop_dpdk(node):
    node.switch.run("ovs-vsctl", "clear", "Open_vSwitch", ".", "other_config")
    node.switch.kill("ovs-vswitchd")
    node.switch.start_daemon()


def check_limits(node, config):
    """The switch itself limits such a pod, in both directions."""
    config = dict(config, runtimeConfig={"bandwidth": {
        "ingressRate": 8000000, "ingressBurst": 800000,
        "egressRate": 4000500, "egressBurst": 400000}})
    pod = node.pod()
    result = node.call("ADD", pod, config, "net3")

    def get(table, column):
        return node.switch.run("ovs-vsctl", "--bare", "--columns=" + column,
                               "list", table, *(
                                   [port] if table == "Interface" else [])
                               ).strip()

    port, = [name for name in node.switch.ports()
             if node.switch.ids(name)["cni-ifname"] == "net3"]
    assert get("Interface", "ingress_policing_rate") == "4001"
    assert get("Interface", "ingress_policing_burst") == "400"
    assert get("QoS", "type") == "egress-policer"
    assert sorted(get("QoS", "other_config").split()) == ["cbs=100000",
                                                          "cir=1000000"]
    assert get("Queue", "_uuid") == ""
    checked = dict(config, prevResult=result)
    node.call("CHECK", pod, checked, "net3")
    node.switch.run("ovs-vsctl", "set", "Interface", port,
                    "ingress_policing_rate=0")
    expect(node, 102, "what the pod sends", "CHECK", pod, checked, "net3")
    node.call("DEL", pod, config, "net3")


def test_vhost_user(node):
    """Directory, description, database, and what DEL and GC leave."""
    directory = os.path.join(node.dir, "vhost")
    info = os.path.join(node.dir, "devinfo/cni/pod")
    config = dict(
        node.config("1.1.0"), mode="vhost-user",
        runtimeConfig={"CNIDeviceInfoFile": info})
    config["vhost-user"] = {"directory": directory, "uid": 1000, "gid": 107,
                            "mode": "0750"}
    pod = node.pod()
    start_dpdk(node)
    try:
        result = node.call("ADD", pod, config, "net1")
        path = os.path.join(directory, "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                            "net1")
        assert [(i["name"], i["socketPath"], i["sandbox"])
                for i in result["interfaces"]] == [("net1", path, pod.netns)]
        assert len(result["ips"]) == 2 and "lo" in pod.run("ip", "link")
        assert "net1" not in pod.run("ip", "link")
        with open(info) as stream:
            assert json.load(stream) == {
                "type": "vhost-user", "version": "1.1.0",
                "vhost-user": {"mode": "server", "path": path}}
        status = os.stat(os.path.dirname(path))
        assert (stat.S_IMODE(status.st_mode), status.st_uid,
                status.st_gid) == (0o750, 1000, 107)
        assert os.stat(directory).st_uid == 0
        node.call("CHECK", pod, dict(config, prevResult=result), "net1")
        check_limits(node, config)

        # A second interface; a pod that puts a link where its socket was.
        node.call("ADD", pod, config, "net2")
        victim = os.path.join(node.dir, "victim")
        with open(victim, "w"):
            pass
        os.symlink(victim, path)
        node.call("DEL", pod, config, "net1")
        assert os.path.exists(victim) and not os.path.lexists(path)
        assert os.path.isdir(os.path.dirname(path))
        node.call("GC", config=dict(
            config, **{"cni.dev/valid-attachments": []}))
        assert os.listdir(directory) == []
        node.assert_clean()
        shutil.rmtree(directory)
    finally:
        stop_dpdk(node)


def test_vhost_user_connects(node):
    """An application of DPDK in the pod, without huge pages; again after a
    restart of it."""
    if not shutil.which("dpdk-testpmd"):
        raise Skip("dpdk-testpmd is not there: install dpdk-dev")
    directory = os.path.join(node.dir, "vhost")
    config = dict(node.config("1.1.0"), mode="vhost-user")
    config["vhost-user"] = {"directory": directory}
    pod = node.pod()
    start_dpdk(node)
    try:
        path = node.call("ADD", pod, config)["interfaces"][0]["socketPath"]
        port = node.switch.ports()[0]

        def state():
            return node.switch.run("ovs-vsctl", "get", "Interface", port,
                                   "link_state").strip()

        for _ in range(2):
            wait_until(lambda: state() == "down", "the link is down")
            application = pod.popen(
                "dpdk-testpmd", "--no-pci", "--no-huge", "--no-shconf",
                "--no-telemetry", "-m", "128", "--lcores", "0@0,1@0",
                "--vdev", "net_virtio_user0,path=%s,server=1" % path, "--",
                "--total-num-mbufs=2048", "--interactive",
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: state() == "up", "the link is up")
            finally:
                application.kill()
                application.wait()
                application.stdin.close()
                if os.path.exists(path):
                    os.unlink(path)
        node.call("DEL", pod, config)
        assert os.listdir(directory) == []
        node.assert_clean()
    finally:
        stop_dpdk(node)
