# SPDX-License-Identifier: Apache-2.0

"""A Kubernetes cluster of two nodes on this machine.

    etcd, kube-apiserver, kube-controller-manager, kube-scheduler
      the network namespace of the test: 192.0.2.254 ──┐
                                                       │
    kubelet, containerd ─ pods ── br-int ── br-phy ────┤
      node n1: 192.0.2.1                               ├── wire, a Linux bridge
    kubelet, containerd ─ pods ── br-int ── br-phy ────┤
      node n2: 192.0.2.2                               │
                                                       │
    host out: 192.0.2.9 ───────────────────────────────┘

A node is that of tests/node/nodes.py, with an API server in place of files,
and a mount and a host name's namespace of its own: its /run, /var/lib and
/var/log are in no way the machine's.
"""

import json
import os
import re
import signal
import subprocess

from cluster import Daemon
from control import ADDRESS, Control
import coredns
from images import PAUSE
import nodes
from nodes import run, wait_until, world

# Makes what is private to a node, and stays, for others to enter.
HOLD = """
set -e
hostname "$1"
mkdir -p "$2"
mount --bind "$2" /var/lib
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
echo ready
exec sleep infinity
"""

CONTAINERD = """
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%(pause)s"
  # Lowering it may be forbidden to the user who runs the test.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%(dir)s/cni-bin"
    conf_dir = "%(dir)s/net.d"
"""

# For pods with a hostPort.
PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}

KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False},
                       "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "cgroupDriver": "cgroupfs",
    "clusterDNS": coredns.IPS,
    "clusterDomain": coredns.DOMAIN,
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    "enforceNodeAllocatable": [],
    # The machine's disk and memory are not the test's.
    "evictionHard": {"imagefs.available": "0%", "memory.available": "0%",
                     "nodefs.available": "0%", "nodefs.inodesFree": "0%"},
    "failCgroupV1": False,
    "failSwapOn": False,
    "imageGCHighThresholdPercent": 100,
    "localStorageCapacityIsolation": False,
    "makeIPTablesUtilChains": False,
    "oomScoreAdj": 0,
    "volumePluginDir": "/var/lib/kubelet/volume-plugins",
}


class Machine(nodes.Node):
    """A node with kubelet and containerd."""

    def __init__(self, lab, number):
        super().__init__(lab, number)
        self.var_lib = os.path.join(self.dir, "var-lib")
        self.leases = os.path.join(self.var_lib, "cni", "networks", "pods")
        self.hold = self.containerd = self.kubelet = None
        self.env["PATH"] = ":".join(
            [os.path.join(lab.build, "containers", folder)
             for folder in ("usr/bin", "usr/sbin")] + [self.env["PATH"]])
        self.write_configuration()

    def path(self, name):
        return os.path.join(self.dir, name)

    def write_configuration(self):
        for name in "cni-bin", "net.d":
            os.mkdir(self.path(name))
        plugins = [os.path.join(world.PLUGINS, name)
                   for name in ("host-local", "loopback", "portmap")]
        plugins.append(os.path.join(
            self.lab.build, "utilities/ovs-ext-cni/ovs-ext-cni"))
        for plugin in plugins:
            os.symlink(plugin, os.path.join(self.path("cni-bin"),
                                            os.path.basename(plugin)))
        config = self.config(ipam={
            "type": "host-local",
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})
        with open(self.path("net.d/10-pods.conflist"), "w") as stream:
            json.dump({"cniVersion": config.pop("cniVersion"),
                       "name": config.pop("name"),
                       "plugins": [config, PORTMAP]}, stream)
        with open(self.path("containerd.toml"), "w") as stream:
            stream.write(CONTAINERD % {"dir": self.dir, "pause": PAUSE})
        with open(self.path("resolv.conf"), "w"):
            pass
        kubelet = dict(KUBELET, resolvConf=self.path("resolv.conf"),
                       cgroupRoot="/%s/%s" % (self.lab.cgroup, self.name))
        kubelet["authentication"]["x509"] = {
            "clientCAFile": self.lab.control.pki.ca}
        with open(self.path("kubelet.yaml"), "w") as stream:
            json.dump(kubelet, stream)

    # Programs.

    def inside(self, *args):
        """A command in the namespaces of the node."""
        return ["nsenter", "--target=%d" % self.hold.pid, "--mount", "--net",
                "--uts", *args]

    def start_kubernetes(self):
        """Starts containerd, kubelet, and the programs of the network, as
        an operator of a node does."""
        # pylint: disable=R1732
        self.hold = subprocess.Popen(
            ["nsenter", "--net=/run/netns/" + self.name, "unshare", "--mount",
             "--uts", "sh", "-c", HOLD, "sh", self.name, self.var_lib],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.hold.stdout.readline() == "ready\n"
        self.start_containerd()
        for image in self.lab.images:
            self.ctr("images", "import", image)
        control = self.lab.control
        self.kubeconfig = control.client(
            self.name, "/O=system:nodes/CN=system:node:" + self.name)
        self.start_kubelet()
        wait_until(self.has_ranges, self.name + " has pod ranges", 60)
        self.use_account("ovs-ext-node")
        self.start_agent()
        self.use_account("ovs-kube-proxy")
        self.start_proxy()
        self.run("iptables", "-t", "nat", "-A", "POSTROUTING", "-s",
                 "10.244.0.0/16", "!", "-d", "10.244.0.0/16", "-o", "br-phy",
                 "-j", "MASQUERADE")
        # The API server speaks with pods for others.
        run("ip", "route", "replace", self.object()["spec"]["podCIDR"], "via",
            self.ip4)

    def use_account(self, name):
        self.args = ["--kubeconfig=" + self.lab.control.account(name),
                     "--node=" + self.name]

    def start_containerd(self):
        self.containerd = Daemon(
            self.inside("containerd", "--config",
                        self.path("containerd.toml")),
            self.path("containerd.log"), env=self.env)
        wait_until(lambda: self.ctr("version", check=False).count("Version:")
                   == 2, "containerd answers")

    def start_kubelet(self):
        self.kubelet = Daemon(
            self.inside(os.path.join(self.lab.control.bin, "kubelet"),
                        "--config", self.path("kubelet.yaml"),
                        "--kubeconfig", self.kubeconfig,
                        "--node-ip=%s,%s" % (self.ip4, self.ip6)),
            self.path("kubelet.log"), env=self.env)

    def ctr(self, *args, check=True):
        return run(*self.inside("ctr", "-n", "k8s.io", *args), check=check,
                   env=self.env)

    # What is there.

    def object(self):
        return self.lab.control.get("Node", self.name)

    def has_ranges(self):
        if not self.kubelet.running():
            raise AssertionError("kubelet has ended: see " +
                                 self.kubelet.log)
        return any(n["metadata"]["name"] == self.name and
                   len(n["spec"].get("podCIDRs", [])) == 2
                   for n in self.lab.control.list("Node"))

    def is_ready(self):
        return any(c["type"] == "Ready" and c["status"] == "True"
                   for c in self.object()["status"]["conditions"])

    def sandboxes(self):
        """Network namespaces of pods."""
        return sorted(run(*self.inside("ls", "/run/netns"),
                          check=False).split())

    def left(self):
        """Whatever is there of pods, as a dict of lists, for messages."""
        leases = [name for name in os.listdir(self.leases)
                  if name[:1] in "0123456789f"] \
            if os.path.exists(self.leases) else []
        links = re.findall(r"^\d+: (cni\w+)", self.run("ip", "-o", "link"),
                           re.M)
        return {
            "ports": [p for p in self.run("ovs-vsctl", "list-ports",
                                          "br-int").split()
                      if p.startswith("cni")],
            "links": sorted(links),
            "leases": sorted(leases),
            "sandboxes": self.sandboxes(),
        }

    def port_of(self, pod):
        """external_ids of a pod's interface."""
        text = self.run("ovs-vsctl", "--format=json",
                        "--columns=external_ids", "find", "Interface",
                        "external_ids:cni-pod=" + pod)
        rows = json.loads(text)["data"]
        assert len(rows) == 1, rows
        return dict(rows[0][0][1])

    def in_pod(self, pod):
        """A command in the network namespace of a pod."""
        return self.inside("nsenter",
                           "--net=" + self.port_of(pod)["cni-netns"])

    def container(self, pod):
        """The container of a pod of ours."""
        return self.ctr("containers", "ls", "-q",
                        'labels."io.kubernetes.pod.name"==%s,'
                        'labels."io.kubernetes.container.name"==c' %
                        pod).strip()

    def execute(self, pod, *args):
        """What a command in a pod's container prints."""
        return self.ctr("tasks", "exec", "--exec-id=test",
                        self.container(pod), *args, check=False)

    def resolv_conf(self, pod):
        """/etc/resolv.conf of a pod's container."""
        pids = dict(line.split()[:2] for line in
                    self.ctr("tasks", "ls").splitlines())
        with open("/proc/%s/root/etc/resolv.conf" %
                  pids[self.container(pod)]) as stream:
            return stream.read()

    def stop(self):
        for daemon in self.kubelet, self.containerd:
            if daemon:
                daemon.kill()
        super().stop()
        if self.hold:
            self.hold.send_signal(signal.SIGKILL)
            self.hold.wait()
            self.hold.stdout.close()


class Lab(nodes.Lab):
    """The cluster."""

    node_class = Machine

    def __init__(self, build, folder, programs, cgroup, images):
        super().__init__(build, folder)
        self.cgroup = cgroup
        self.control = Control(programs, os.path.join(folder, "control"))
        self.images = images

    def start(self):
        super().start()
        run("ip", "address", "add", ADDRESS + "/24", "dev", "wire")
        # The switches want whole packets.
        run("ethtool", "-K", "wire", "tx", "off")
        self.control.start()
        for node in self.nodes:
            node.start_kubernetes()

    def stop(self):
        super().stop()
        self.control.stop()
