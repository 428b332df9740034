# SPDX-License-Identifier: Apache-2.0

"""Two nodes for the tests of ovs-ext-node, their pods, and a host outside.

    pods ── br-int ── Geneve ── br-phy ── eth0 ──┐
      node n1, a network namespace: 192.0.2.1    │
                                                 ├── wire, a Linux bridge
    pods ── br-int ── Geneve ── br-phy ── eth0 ──┤
      node n2, a network namespace: 192.0.2.2    │
                                                 │
      host out, a network namespace: 192.0.2.9 ──┘

Each node has an ovsdb-server, an ovs-vswitchd with the userspace datapath,
ovs-ext-node and, where a test wants Services, ovs-kube-proxy.
"""

import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cni"))

import world                                                     # noqa: E402
from world import run, wait_until                                # noqa: E402

SERVICES4 = "10.96.0.0/16"
SERVICES6 = "fd00:10:96::/112"
HEALTH_PORT = 10260


def node_object(number):
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "n%d" % number},
        "spec": {"podCIDR": "10.244.%d.0/24" % number,
                 "podCIDRs": ["10.244.%d.0/24" % number,
                              "fd00:10:244:%d::/64" % number]},
        "status": {"addresses": [
            {"type": "InternalIP", "address": "192.0.2.%d" % number},
            {"type": "InternalIP", "address": "fd00:2::%d" % number}]},
    }


class Pod(world.Pod):
    """A container's network namespace, on a node once it is attached."""

    def attach(self, node, **changes):
        self.node = node
        self.result = node.call("ADD", self, node.config(**changes))
        self.ip4, self.ip6 = [ip["address"].split("/")[0]
                              for ip in self.result["ips"]]
        self.port = self.result["interfaces"][0]["name"]
        return self

    def ping(self, address, wait=3, options=()):
        return ping(self.name, address, wait, options)

    def serve(self, port=8080):
        self.server = Server(self.name, port)

    def ask(self, address, port=8080):
        return ask(self.name, address, port)

    def delete(self):
        if hasattr(self, "server"):
            self.server.stop()
        super().delete()


class Server:
    """Answers each connection with the name of its network namespace and the
    client's address."""

    def __init__(self, netns, port):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", netns, sys.executable, "-c",
             "import socket\n"
             "s = socket.create_server(('::', %d), family=socket.AF_INET6,"
             " dualstack_ipv6=True)\n"
             "print('ready', flush=True)\n"
             "while True:\n"
             "    c, a = s.accept()\n"
             "    c.sendall(('%s ' + a[0] + '\\n').encode())\n"
             "    c.close()\n" % (port, netns)],
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ping(netns, address, wait=3, options=()):
    """Does 'address' answer within 'wait' seconds?"""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        # It gives up when it hears that there is no such host.
        if "bytes from" in run("ip", "netns", "exec", netns, "ping", "-n",
                               "-c", "1", "-W", "0.3", *options, address,
                               check=False):
            return True
    return False


def ask(netns, address, port):
    """What a server says to a client in 'netns', as a list of words."""
    return run("ip", "netns", "exec", netns, sys.executable, "-c",
               "import socket, sys\n"
               "c = socket.create_connection((sys.argv[1], int(sys.argv[2])),"
               " 5)\n"
               "print(c.makefile().read(), end='')", address, str(port),
               check=False).split("\n")[-2:][0].split()


class Node(world.Switch):
    """A node: its network namespace, switch and programs."""

    def __init__(self, lab, number):
        folder = os.path.join(lab.dir, "n%d" % number)
        os.mkdir(folder)
        super().__init__(lab.build, folder)
        self.env["PATH"] = ":".join(
            [os.path.join(lab.build, "utilities", name)
             for name in ("ovs-ext-node", "ovs-kube-proxy")] +
            [self.env["PATH"]])
        self.lab = lab
        self.number = number
        self.name = "n%d" % number
        self.ip4 = "192.0.2.%d" % number
        self.ip6 = "fd00:2::%d" % number
        self.gateway4 = "10.244.%d.1" % number
        self.gateway6 = "fd00:10:244:%d::1" % number
        self.args = ["--from-file=" + lab.manifests, "--node=" + self.name]
        self.leases = os.path.join(folder, "leases")
        self.server = None

    def run(self, *args, **kwargs):
        return run("ip", "netns", "exec", self.name, *args, env=self.env,
                   **kwargs)

    # The switch.

    def start(self):
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1",
                 "net.ipv6.conf.all.forwarding=1")
        self.create_database()
        self.start_database()
        self.run("ovs-vsctl", "--no-wait", "init")
        self.start_daemon()
        self.run("ovs-vsctl", "add-br", "br-phy", "--", "set", "Bridge",
                 "br-phy", "datapath_type=netdev", "--", "add-port", "br-phy",
                 "eth0")
        self.run("ovs-vsctl", "add-br", "br-int", "--", "set", "Bridge",
                 "br-int", "datapath_type=netdev")
        self.set_network()

    def set_network(self):
        """What a machine's network configuration does, and again when its
        interface comes back."""
        self.run("ip", "address", "replace", self.ip4 + "/24", "dev",
                 "br-phy")
        self.run("ip", "address", "replace", self.ip6 + "/64", "dev",
                 "br-phy", "nodad")
        self.run("ip", "link", "set", "br-phy", "up")

    def restart_switch(self):
        self.kill("ovs-vswitchd")
        self.start_daemon()
        self.set_network()

    def ping(self, address, wait=10):
        return ping(self.name, address, wait)

    # Programs.

    def start_agent(self, *args, wait=True):
        self.daemon("ovs-ext-node", *self.args,
                    "--host-routes=%s,%s" % (SERVICES4, SERVICES6),
                    "--node-ports=30000-32767",
                    "--healthz-address=127.0.0.1:%d" % HEALTH_PORT,
                    "--metrics-address=127.0.0.1:%d" % (HEALTH_PORT + 1),
                    *args, "br-int")
        if wait:
            self.wait_synced()

    def start_proxy(self, *args):
        self.daemon("ovs-kube-proxy", *self.args, "--next-table=4",
                    "--service-cidr=%s,%s" % (SERVICES4, SERVICES6),
                    "--node-masquerade-address=podCIDRs", *args, "br-int")
        wait_until(lambda: self.appctl("sync/status", "ovs-kube-proxy")
                   .startswith("synced"), "the Services are synced")

    def rules(self):
        """The kernel's policy rules, of both families, sorted."""
        return sorted(
            line.replace("\t", " ").strip() for family in ("-4", "-6")
            for line in self.run("ip", family, "rule").splitlines())

    def appctl(self, command, target="ovs-ext-node"):
        return self.run("ovs-appctl", "-t", target, command, check=False)

    def is_synced(self):
        return self.appctl("sync/status").startswith("synced")

    def wait_synced(self):
        try:
            wait_until(self.is_synced, "%s is synced" % self.name)
        except AssertionError:
            print(self.appctl("sync/status"), self.appctl("node/show"))
            raise

    def show(self):
        return self.appctl("node/show")

    def log(self):
        with open(os.path.join(self.dir, "ovs-ext-node.log")) as stream:
            return stream.read()

    def http(self, path, port=HEALTH_PORT):
        """Body of the response, also of an error."""
        return self.run(sys.executable, "-c",
                        "import sys, urllib.request, urllib.error\n"
                        "try:\n"
                        "    r = urllib.request.urlopen(sys.argv[1])\n"
                        "except urllib.error.HTTPError as e:\n"
                        "    r = e\n"
                        "print(r.read().decode(), end='')",
                        "http://127.0.0.1:%d%s" % (port, path))

    def metric(self, name):
        for line in self.http("/metrics", HEALTH_PORT + 1).splitlines():
            if line.split(" ")[0] == "ovs_ext_node_" + name:
                return int(line.split()[1])
        raise AssertionError("no metric " + name)

    def cleanup(self, *args):
        self.run("ovs-ext-node", "--cleanup", *args, "br-int")

    def flows(self, *args):
        """Flows of br-int without statistics, sorted."""
        text = self.run("ovs-ofctl", "-OOpenFlow14", "--no-stats",
                        "dump-flows", "br-int", *args)
        return sorted(line.strip() for line in text.splitlines()
                      if "actions=" in line)

    def n_packets(self, match):
        """Packets of the flow of 'match', as ovs-ofctl prints it."""
        text = self.run("ovs-ofctl", "-OOpenFlow14", "--no-names",
                        "dump-flows", "br-int")
        for line in text.splitlines():
            if match in line.replace(", ", ",") + " ":
                return int(line.split("n_packets=")[1].split(",")[0])
        raise AssertionError("no flow %s in\n%s" % (match, text))

    def serve(self, port):
        self.server = Server(self.name, port)

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None
        super().stop()

    # Pods.

    def config(self, **changes):
        """A network configuration.  A value None removes a key."""
        config = {
            "cniVersion": "1.0.0", "name": "pods", "type": "ovs-ext-cni",
            "bridge": "br-int", "mtu": 1450, "timeout": 10,
            "node-agent": True,
            "ipam": {
                "type": "host-local", "dataDir": self.leases,
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
            },
        }
        config.update(changes)
        return {k: v for k, v in config.items() if v is not None}

    def call(self, command, pod=None, config=None):
        env = {"PATH": os.environ["PATH"], "OVS_RUNDIR": self.dir,
               "CNI_COMMAND": command, "CNI_PATH": world.PLUGINS}
        if pod:
            env.update(CNI_CONTAINERID=pod.id, CNI_NETNS=pod.netns,
                       CNI_IFNAME="eth0", CNI_ARGS="IgnoreUnknown=1;"
                       "K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + pod.name)
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name,
             os.path.join(self.lab.build,
                          "utilities/ovs-ext-cni/ovs-ext-cni")],
            env=env, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(json.dumps(config or self.config()))
        process.stdin.close()
        return world.World.result(process)

    def pod(self, **changes):
        pod = self.lab.pod()
        pod.attach(self, **changes)
        return pod


class Lab:
    """What the tests share."""

    node_class = Node

    def __init__(self, build, folder):
        self.build = build
        self.dir = folder
        self.manifests = os.path.join(folder, "manifests")
        os.mkdir(self.manifests)
        self.pods = []
        self.nodes = []

    def start(self):
        run("ip", "link", "add", "wire", "type", "bridge")
        run("ip", "link", "set", "wire", "up")
        self.connect("out")
        run("ip", "-n", "out", "address", "add", "192.0.2.9/24", "dev",
            "eth0")
        run("ip", "-n", "out", "address", "add", "fd00:2::9/64", "dev",
            "eth0", "nodad")
        self.n1 = self.add_node(1)
        self.n2 = self.add_node(2)

    def connect(self, name):
        """Makes a host: a network namespace with eth0 on the wire."""
        run("ip", "netns", "add", name)
        run("ip", "link", "add", "w-" + name, "type", "veth", "peer",
            "name", "eth0", "netns", name)
        run("ip", "link", "set", "w-" + name, "master", "wire", "up")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "netns", "exec", name, "ethtool", "-K", "eth0", "tx", "off")

    def add_node(self, number):
        name = "n%d" % number
        self.connect(name)
        # Or the kernel answers beside the bridge that has it.
        run("ip", "-n", name, "link", "set", "eth0", "arp", "off")
        run("ip", "netns", "exec", name, "sysctl", "-qw",
            "net.ipv6.conf.eth0.disable_ipv6=1")
        self.write(name, node_object(number))
        node = self.node_class(self, number)
        self.nodes.append(node)
        node.start()
        return node

    def remove_node(self, node):
        self.nodes.remove(node)
        node.stop()
        run("ip", "netns", "delete", node.name)

    def write(self, name, *objects):
        """Writes manifests, or removes them if there are no objects."""
        path = os.path.join(self.manifests, name + ".json")
        if not objects:
            os.unlink(path)
            return
        with open(path + ".new", "w") as stream:
            json.dump({"apiVersion": "v1", "kind": "List",
                       "items": list(objects)}, stream)
        os.rename(path + ".new", path)

    def pod(self):
        pod = Pod()
        self.pods.append(pod)
        return pod

    def reset(self):
        """After a test: as start() has left it."""
        for pod in self.pods:
            pod.delete()
        self.pods = []
        for node in self.nodes:
            node.stop()
            for link in node.run("ip", "-o", "link").split("\n"):
                name = (link.split(": ") + [""])[1].split("@")[0]
                # A switch that was killed leaves its own, too.
                if name.startswith(("cni", "br-", "ovs-")):
                    node.run("ip", "link", "delete", name)
            for name in "conf.db", ".conf.db.~lock~":
                path = os.path.join(node.dir, name)
                if os.path.exists(path):
                    os.unlink(path)
            subprocess.run(["rm", "-rf", node.leases], check=True)
        # The next bridges have other MAC addresses.
        for family in "-4", "-6":
            run("ip", "-n", "out", family, "neigh", "flush", "all")
        for name in os.listdir(self.manifests):
            os.unlink(os.path.join(self.manifests, name))
        for number in 1, 2:
            self.write("n%d" % number, node_object(number))
            self.nodes[number - 1].start()

    def stop(self):
        for pod in self.pods:
            pod.delete()
        for node in self.nodes:
            node.stop()
