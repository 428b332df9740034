# SPDX-License-Identifier: Apache-2.0

"""A node for the tests of ovs-ext-cni, and its pods.

    pod, a network namespace ── veth ──┐
    pod ────────────────────── veth ───┼── br0, userspace datapath, NORMAL
                                       │
    ovsdb-server, ovs-vswitchd, in the network namespace of the test
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "python"))
from ovs_daemons import Daemons  # noqa: E402

PLUGINS = "/usr/lib/cni"

# Starts a command, which finds its parent's process id in CNI_TEST_NETNS, in
# namespaces of its own.
UNSHARE = ["unshare", "--net", "--mount", "sh", "-c",
           "mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && "
           "ip link set lo up && CNI_TEST_NETNS=$$ \"$@\"; exit $?", "sh"]


class Skip(Exception):
    """What a test needs is missing."""


class Failure(Exception):
    """What the plugin says when it fails."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error.get("code"), error.get("msg")))
        self.code = error["code"]
        self.msg = error["msg"]
        self.details = error.get("details")


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("%s: not within %d s" % (what, seconds))
        time.sleep(0.01)


def run(*args, check=True, **kwargs):
    return subprocess.run(args, check=check, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs).stdout


class Switch(Daemons):
    """Open vSwitch with bridge br0."""

    def __init__(self, build, folder):
        root = os.path.join(build, "openvswitch", "extended")
        super().__init__(root, root + "-source", folder)

    def run(self, *args, **kwargs):
        return run(*args, env=self.env, **kwargs)

    def start_database(self, *args):
        super().start_database(
            "--remote=db:Open_vSwitch,Open_vSwitch,manager_options", *args)

    def start_daemon(self):
        self.daemon("ovs-vswitchd", "--disable-system")

    def start(self):
        self.create_database()
        self.start_database()
        self.run("ovs-vsctl", "--no-wait", "init")
        self.start_daemon()
        self.run("ovs-vsctl", "add-br", "br0", "--", "set", "Bridge", "br0",
                 "datapath_type=netdev")

    def kill(self, name):
        """Ends a daemon at once; start_...() starts it again."""
        self.end_daemon(name, signal.SIGKILL)

    def stop(self):
        self.end_daemons(signal.SIGKILL)

    def ports(self):
        """Names of the ports that pods have."""
        return sorted(p for p in self.run("ovs-vsctl", "list-ports",
                                          "br0").split()
                      if p.startswith("cni"))

    def ids(self, port):
        """external_ids of the interface, as a dict."""
        text = self.run("ovs-vsctl", "--format=json", "--columns=external_ids",
                        "list", "Interface", port)
        return dict(json.loads(text)["data"][0][0][1])


class Pod:
    """A container's network namespace."""

    number = 0

    def __init__(self, name=None):
        Pod.number += 1
        self.name = name or "pod%d" % Pod.number
        # As long as containerd's.
        self.id = ("%s-" % self.name).ljust(64, "0")
        self.netns = "/run/netns/" + self.name
        run("ip", "netns", "add", self.name)

    def run(self, *args, **kwargs):
        return run("ip", "netns", "exec", self.name, *args, **kwargs)

    def popen(self, *args, **kwargs):
        return subprocess.Popen(["ip", "netns", "exec", self.name] +
                                list(args), text=True, **kwargs)

    def delete(self):
        if os.path.exists(self.netns):
            run("ip", "netns", "delete", self.name)


class World:
    """What the tests share."""

    def __init__(self, build, folder):
        self.plugin = os.path.join(build, "utilities/ovs-ext-cni/ovs-ext-cni")
        self.dir = folder
        self.switch = Switch(build, folder)
        self.leases = os.path.join(folder, "leases")
        self.pods = []

    def pod(self, name=None):
        pod = Pod(name)
        self.pods.append(pod)
        return pod

    def config(self, version="1.0.0", **changes):
        """A network configuration.  A value None removes a key."""
        config = {
            "cniVersion": version, "name": "net", "type": "ovs-ext-cni",
            "bridge": "br0", "mtu": 1400, "timeout": 20,
            "ipam": {
                "type": "host-local", "dataDir": self.leases,
                "ranges": [[{"subnet": "10.1.0.0/16"}],
                           [{"subnet": "fd01::/64"}]],
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
            },
        }
        for key, value in changes.items():
            config[key] = value
        return {k: v for k, v in config.items() if v is not None}

    def environment(self, command, pod=None, ifname="eth0", **changes):
        env = {"PATH": os.environ["PATH"], "OVS_RUNDIR": self.dir,
               "CNI_COMMAND": command, "CNI_PATH": PLUGINS}
        if pod:
            env.update(CNI_CONTAINERID=pod.id, CNI_NETNS=pod.netns,
                       CNI_IFNAME=ifname, CNI_ARGS="IgnoreUnknown=1;"
                       "K8S_POD_NAMESPACE=default;K8S_POD_NAME=%s;"
                       "K8S_POD_UID=6ba7b810-9dad-11d1-80b4-00c04fd430c8"
                       % pod.name)
        env.update(changes)
        return {k: v for k, v in env.items() if v is not None}

    def popen(self, env, config):
        """Starts the plugin."""
        process = subprocess.Popen(
            [self.plugin], env=env, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.stdin.write(config if isinstance(config, str)
                                else json.dumps(config))
            process.stdin.close()
        except BrokenPipeError:
            pass                    # It has refused the environment.
        return process

    @staticmethod
    def result(process):
        """The result of the plugin.  An error is a Failure."""
        text = process.stdout.read()
        log = process.stderr.read()
        for stream in process.stdout, process.stderr:
            stream.close()
        if process.wait():
            try:
                raise Failure(json.loads(text))
            except ValueError:
                raise AssertionError("the plugin says no JSON: %r, %r" %
                                     (text, log)) from None
        assert not log, log
        return json.loads(text) if text else None

    def call(self, command, pod=None, config=None, ifname="eth0", **env):
        return self.result(self.popen(
            self.environment(command, pod, ifname, **env),
            self.config() if config is None else config))

    # What an ADD leaves.

    def lease_files(self):
        """Leases of host-local, of all networks."""
        return sorted(os.path.join(folder, name)
                      for folder, _, names in os.walk(self.leases)
                      for name in names if name[:1] in "0123456789f")

    @staticmethod
    def links():
        """Links of pods on the host."""
        return sorted(re.findall(r"^\d+: (cni\w+)", run("ip", "-o", "link"),
                                 re.M))

    def assert_clean(self):
        """Nothing of any pod is left."""
        assert self.switch.ports() == [], self.switch.ports()
        rows = self.switch.run("ovs-vsctl", "--columns=name", "find",
                               "Interface", "external_ids:cni-owner!=\"\"")
        assert rows.split() == [], rows
        for table in "QoS", "Queue":
            rows = self.switch.run("ovs-vsctl", "list", table)
            assert rows == "", rows
        assert self.links() == [], self.links()
        assert self.lease_files() == [], self.lease_files()

    def clear(self):
        """Deletes the pods."""
        for pod in self.pods:
            pod.delete()
        self.pods = []

    def reset(self):
        """After a test that failed: removes what it has left."""
        self.clear()
        self.switch.stop()
        for link in self.links():
            run("ip", "link", "delete", link)
        for path in self.lease_files() + [os.path.join(self.dir, "conf.db")]:
            os.unlink(path)
        self.switch.start()
