# SPDX-License-Identifier: Apache-2.0

"""A switch with pods: network namespaces in which web.py serves and asks.

    s0 10.1.0.0/18 ──┐
    s1 10.1.64.0/18 ─┤                        "n1", 192.0.2.1,
    s2 10.1.128.0/18 ┤                        pods 10.1.0.0/16, 10.2.0.0/16
    s3 10.1.192.0/18 ┼── br0, userspace datapath
    c0 10.2.0.1 ─────┤
    c1 10.2.0.2 ─────┘   table 0:  ip -> table 60 (Services)
                         table 20: routes

A pod "s0" stands for as many as are wanted: it has all addresses of its
prefix.  With KUBE_DPDK in the environment the ports are DPDK's (net_af_packet)
and have a PMD thread, which takes a processor; without, ovs-vswitchd's main
thread does all.
"""

import os
import re
import subprocess
import sys

from cluster import wait_until
from harness import HERE
from lab import GW_MAC, Lab

SERVERS, CLIENTS = 4, 2
PORT = 8080
CIDR = "10.1.0.0/16,10.2.0.0/16"
# The gateway is the switch; nobody asks for its address.
GATEWAY = "169.254.1.1"


def endpoint(number):
    """The address of endpoint "number", of up to 64,000."""
    pod, host = number % SERVERS, 256 + number // SERVERS
    return "10.1.%d.%d" % (64 * pod + host // 256, host % 256)


class Pod:
    """A network namespace that has all addresses of "prefix"."""

    def __init__(self, name, number, prefix):
        self.name = name
        self.port = number
        self.prefix = prefix
        self.mac = "02:00:00:00:02:%02x" % number
        # It ends with us.
        self.holder = subprocess.Popen(["unshare", "--net", "cat"],
                                       stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL)
        self.net = "/proc/%d/ns/net" % self.holder.pid
        wait_until(lambda: os.readlink(self.net) !=
                   os.readlink("/proc/self/ns/net"), "there is a namespace")
        subprocess.run(["ip", "link", "add", "v" + name, "type", "veth",
                        "peer", "name", "eth0", "netns",
                        str(self.holder.pid)], check=True)
        subprocess.run(["ip", "link", "set", "v" + name, "up"], check=True)
        self.run("ip", "-batch", "-", input="""
            link set lo up
            link set eth0 address %s up
            route add local %s dev lo
            route add %s dev eth0
            route add default via %s dev eth0 src %s
            neigh add %s lladdr %s dev eth0 nud permanent
            """ % (self.mac, prefix, GATEWAY, GATEWAY,
                   prefix.split("/", 1)[0], GATEWAY, GW_MAC))
        for command in ["ethtool"], self.inside("ethtool"):
            device = "eth0" if len(command) > 1 else "v" + name
            subprocess.run(command + ["-K", device, "tx", "off", "gro",
                                      "off"], check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def inside(self, *args):
        return ["nsenter", "--net=" + self.net] + list(args)

    def run(self, *args, **kwargs):
        return subprocess.run(self.inside(*args), check=True, text=True,
                              stdout=subprocess.PIPE, timeout=60,
                              **kwargs).stdout

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        subprocess.run(["ip", "link", "delete", "v" + self.name],
                       check=False, stderr=subprocess.DEVNULL)


class Web:
    """web.py in a pod, or on the node."""

    def __init__(self, pod, *args):
        self.pod = pod
        command = [sys.executable, os.path.join(HERE, "web.py"),
                   *map(str, args)]
        self.process = subprocess.Popen(
            pod.inside(*command) if pod else command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.stdin.close()

    def result(self):
        """Its events until it was stopped: the words of each line."""
        text = self.process.stdout.read()
        assert self.process.wait(60) == 0, self.process.returncode
        return [line.split() for line in text.splitlines() if line]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class PodLab(Lab):
    def __init__(self):
        self.webs = []
        self.dpdk = bool(os.environ.get("KUBE_DPDK"))
        super().__init__()

    def configure(self):
        if self.dpdk:
            with open("/proc/meminfo") as stream:
                free = re.search(r"HugePages_Free: +(\d+)", stream.read())
            huge = free and int(free[1]) >= 256
            memory = "--in-memory" if huge else \
                "--no-huge --legacy-mem --no-shconf -m 1024"
            cpu = max(os.sched_getaffinity(0))
            self.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".",
                     "other_config:dpdk-init=true",
                     'other_config:dpdk-extra="--no-pci --no-telemetry %s"' %
                     memory, "other_config:dpdk-socket-mem=256",
                     "other_config:pmd-cpu-mask=%#x" % (1 << cpu))
            self.expected += [
                "EAL: ", "mempool", "MTU", "checksum offload", "flow control",
                "statistics", "affinity", "failed to enumerate system"]

    def add_port(self, name, number):
        super().add_port(name, number)
        if self.dpdk:
            self.run("ovs-vsctl", "set", "Interface", name, "type=dpdk",
                     "options:dpdk-devargs=net_af_packet_%s,iface=%s" %
                     (name, name))

    def add_hosts(self):
        prefixes = [("s%d" % i, "10.1.%d.0/18" % (64 * i))
                    for i in range(SERVERS)]
        prefixes += [("c%d" % i, "10.2.0.%d/32" % (i + 1))
                     for i in range(CLIENTS)]
        for number, (name, prefix) in enumerate(prefixes, 1):
            self.hosts[name] = Pod(name, number, prefix)
            self.add_port("v" + name, number)

    def program(self):
        flows = ["table=0,ip,actions=resubmit(,60)"]
        for pod in self.hosts.values():
            flows.append(
                "table=20,priority=1,ip,nw_dst=%s,actions="
                "load:0->NXM_OF_IN_PORT[],mod_dl_src:%s,mod_dl_dst:%s,"
                "output:%d" % (pod.prefix, GW_MAC, pod.mac, pod.port))
        self.add_flows(flows)

    def start(self, *args, source=None):
        super().start("--cluster-cidr=" + CIDR, *args, source=source)

    def web(self, pod, *args):
        web = Web(self.hosts[pod], *args)
        self.webs.append(web)
        return web

    def here(self, *args):
        """Starts web.py in the test's own network namespace, the node's."""
        web = Web(None, *args)
        self.webs.append(web)
        wait_until(lambda: ":%s" % args[1] in self.run("ss", "-Hltn"),
                   "there is a server")
        return web

    def serve(self):
        """Starts a server in each server pod."""
        servers = [self.web("s%d" % i, "serve", PORT)
                   for i in range(SERVERS)]
        for server in servers:
            wait_until(lambda s=server: ":%d" % PORT in s.pod.run(
                "ss", "-Hltn"), "there is a server")
        return servers

    def clients(self, what, number, *hosts):
        """Starts web.py in each client pod, with "number" for all of them
        together."""
        urls = ["http://%s/" % host for host in hosts]
        return [self.web("c%d" % i, what, number // CLIENTS, *urls)
                for i in range(CLIENTS)]

    def close(self):
        for web in self.webs:
            web.kill()
        super().close()


def requests(clients):
    """The results of the requests of "clients", which it ends: tuples (begin,
    end, host, answered by), and the failed ones."""
    done, failed = [], []
    for client in clients:
        client.stop()
    for client in clients:
        for begin, end, host, who in client.result():
            entry = float(begin), float(end), host, who
            (failed if who.startswith("!") else done).append(entry)
    return sorted(done), sorted(failed)


def with_pods(test):
    def wrapper(c):
        lab = PodLab()
        try:
            test(lab, c)
        finally:
            lab.close()
    return wrapper
