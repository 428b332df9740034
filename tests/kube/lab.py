# SPDX-License-Identifier: Apache-2.0

"""A switch with hosts, and ovs-kube-proxy, for packets of any making.

         a    10.1.0.2 ─┐
         b    10.1.0.3 ─┤                      "n1", 192.0.2.1, pods
       pod   10.1.0.9 ──┤                      10.1.0.0/24, fd01::/64
    remote   10.1.1.4 ──┼── br0, userspace datapath, no PMD thread
       ext 203.0.113.5 ─┤
      node   192.0.2.1 ─┤   table 0:  ip, ipv6 -> table 60 (Services)
     other   the rest ──┘   table 20: routes

Each host is a veth pair of the test's network namespace; the test writes and
reads frames at its end.
"""

import copy
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP

from cluster import wait_until
from harness import Skip, World

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
from ovs_daemons import Daemons  # noqa: E402

METRICS_PORT = 10249
GW_MAC = "02:00:00:00:00:01"
HOSTS = {
    "a": ("10.1.0.2", "fd01::2"),
    "b": ("10.1.0.3", "fd01::3"),
    "pod": ("10.1.0.9", "fd01::9"),
    "remote": ("10.1.1.4", "fd02::4"),
    "ext": ("203.0.113.5", "2001:db8:f::5"),
    "node": ("192.0.2.1", "2001:db8::1"),
    "other": ("198.18.0.1", "2001:db8:e::1"),
}
NODE = {
    "apiVersion": "v1", "kind": "Node",
    "metadata": {"name": "n1",
                 "labels": {"topology.kubernetes.io/zone": "z1"}},
    "spec": {"podCIDR": "10.1.0.0/24",
             "podCIDRs": ["10.1.0.0/24", "fd01::/64"]},
    "status": {"addresses": [
        {"type": "InternalIP", "address": "192.0.2.1"},
        {"type": "InternalIP", "address": "2001:db8::1"}]},
}


class Host:
    def __init__(self, name, number, mac=None):
        self.name = name
        self.port = number
        self.ip4, self.ip6 = HOSTS[name]
        self.mac = mac or "02:00:00:00:01:%02x" % number
        # The hosts send nothing unasked.
        for folder in "all", "default":
            with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % folder,
                      "w") as stream:
                stream.write("1")
        for command in (
                ["add", "v" + name, "type", "veth", "peer", "name",
                 "h" + name],
                ["set", "h" + name, "address", self.mac, "up"],
                ["set", "v" + name, "up"]):
            subprocess.run(["ip", "link"] + command, check=True)
        for end in "vh":
            subprocess.run(["ethtool", "-K", end + name, "tx", "off", "gro",
                            "off"], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(3))
        self.socket.bind(("h" + name, 0))
        self.socket.setblocking(False)

    def address(self, like):
        return self.ip6 if ":" in like else self.ip4

    def send(self, packet):
        self.socket.send(bytes(Ether(src=self.mac, dst=GW_MAC) / packet))

    def receive(self):
        """The IP packets that have come."""
        packets = []
        while True:
            try:
                data, address = self.socket.recvfrom(65535)
            except BlockingIOError:
                return packets
            if address[2] != socket.PACKET_OUTGOING:
                frame = Ether(data)
                if frame.dst == self.mac and (IP in frame or IPv6 in frame):
                    packets.append(frame.payload)

    def close(self):
        self.socket.close()
        subprocess.run(["ip", "link", "delete", "h" + self.name], check=True)


class Lab(Daemons):
    """The switch; start() a proxy when its objects are there.

    With "stock", it is the unmodified Open vSwitch.  With "normal", it does
    not route but has the action NORMAL, and host "other" is the router."""

    def __init__(self, stock=False, normal=False):
        root = os.path.join(World.build, "openvswitch",
                            "stock" if stock else "extended")
        if not os.path.exists(root):
            raise Skip("'make stock' has not been run")
        super().__init__(
            root, os.path.join(World.build, "openvswitch", "pristine"
                               if stock else "extended-source"),
            os.path.join(World.folder, "lab"))
        if World.fuse_shown:
            self.env["PATH"] = ":".join([
                os.path.join(os.path.dirname(HERE), "fuse-on"),
                self.env["PATH"]])
        self.manifests = os.path.join(self.dir, "manifests")
        os.makedirs(self.manifests)
        self.proxy = None
        self.target = "ovs-kube-proxy"  # For ovs-appctl.
        self.normal = normal
        # Warnings in the log of the switch.
        self.expected = ["selection method 'maglev'"] if stock else []
        self.processes = []     # To be killed at the end, if they run.
        self.node = copy.deepcopy(NODE)
        self.n_writes = 0
        self.hosts = {}
        self.start_switch()
        self.add_hosts()
        self.program()

    def add_hosts(self):
        for number, name in enumerate(HOSTS, 1):
            self.hosts[name] = Host(
                name, number,
                GW_MAC if self.normal and name == "other" else None)
            self.add_port("v" + name, number)

    def add_port(self, name, number):
        self.run("ovs-vsctl", "add-port", "br0", name, "--", "set",
                 "Interface", name, "ofport_request=%d" % number)

    def run(self, *args, check=True, **kwargs):
        return subprocess.run(
            args, env=self.env, check=check, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=kwargs.pop("stdin", subprocess.DEVNULL), **kwargs).stdout

    def start_switch(self):
        self.create_database()
        self.start_database()
        self.run("ovs-vsctl", "--no-wait", "init")
        self.configure()
        self.daemon("ovs-vswitchd", "--disable-system")
        self.run("ovs-vsctl", "add-br", "br0", "--", "set", "Bridge", "br0",
                 "datapath_type=netdev", "fail-mode=secure")

    def configure(self):
        """Called before the switch starts."""

    def program(self):
        """Adds the flows of the switch's owner."""
        flows = ["table=0,ip,actions=resubmit(,60)",
                 "table=0,ipv6,actions=resubmit(,60)",
                 "table=20,priority=0,actions=mod_dl_dst:%s,output:%d" %
                 (self.hosts["other"].mac, self.hosts["other"].port)]
        if self.normal:
            flows[2:] = ["table=0,priority=0,actions=NORMAL"]
        for host in [] if self.normal else self.hosts.values():
            for field, address in (("ip,nw_dst", host.ip4),
                                   ("ipv6,ipv6_dst", host.ip6)):
                flows.append(
                    "table=20,priority=1,%s=%s,actions="
                    "load:0->NXM_OF_IN_PORT[],mod_dl_src:%s,mod_dl_dst:%s,"
                    "output:%d" % (field, address, GW_MAC, host.mac,
                                   host.port))
        self.add_flows(flows)

    def add_flows(self, flows):
        path = os.path.join(self.dir, "flows.txt")
        with open(path, "w") as stream:
            stream.write("\n".join(flows) + "\n")
        self.run("ovs-ofctl", "-O", "OpenFlow15", "add-flows", "br0", path)

    def flows(self):
        return [line for line in self.run(
            "ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows",
            "br0").splitlines() if "actions=" in line]

    def groups(self):
        return [line for line in self.run(
            "ovs-ofctl", "-O", "OpenFlow15", "dump-groups",
            "br0").splitlines() if "group_id=" in line]

    # ovs-kube-proxy.

    def write(self, *objects):
        """Writes the objects of now, besides the Node."""
        path = os.path.join(self.manifests, "objects.json")
        with open(path + ".tmp", "w") as stream:
            json.dump({"apiVersion": "v1", "kind": "List",
                       "items": [self.node] + list(objects)}, stream)
        os.rename(path + ".tmp", path)

    def apply(self, *objects):
        """Writes the objects, and waits until the running proxy has them in
        the switch."""
        self.n_writes += 1
        mark = make_service("mark-%d" % self.n_writes,
                            clusterIP="10.96.255.254")
        self.write(mark, *objects)
        wait_until(lambda: "default/mark-%d:" % self.n_writes in
                   self.appctl("service/list") and self.synced(),
                   "the objects are in the switch")
        # The datapath follows the tables at its own pace.
        self.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")

    def start(self, *args, source=None, switch=None, wait=True, env=None):
        """Starts the proxy, waits until it is synced."""
        with open(os.path.join(self.dir, "proxy.log"), "a") as log:
            self.proxy = subprocess.Popen(
                [self.program_path(),
                 source or "--from-file=" + self.manifests,
                 "--node=n1", "--next-table=20",
                 "--service-cidr=10.96.0.0/16,fd00:96::/112",
                 "--metrics-address=127.0.0.1:%d" % METRICS_PORT,
                 "--pidfile", "--no-chdir", "-vconsole:info",
                 "-vsyslog:off"] +
                list(args) + [switch or "br0"],
                env=dict(self.env, **(env or {})),
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        if wait:
            wait_until(self.synced, "ovs-kube-proxy is synced")
            # The datapath follows the tables at its own pace.
            self.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")

    @staticmethod
    def program_path():
        return os.path.join(World.build,
                            "utilities/ovs-kube-proxy/ovs-kube-proxy")

    def mgmt(self):
        return os.path.join(self.dir, "br0.mgmt")

    def log(self):
        with open(os.path.join(self.dir, "proxy.log")) as stream:
            return stream.read()

    def appctl(self, *args, check=True):
        return self.run("ovs-appctl", "-t", self.target, *args, check=check)

    def synced(self):
        if self.proxy.poll() is not None:
            raise AssertionError("ovs-kube-proxy has ended:\n" + self.log())
        return self.appctl("sync/status", check=False).startswith("synced\n")

    def metrics(self):
        """The text of /metrics."""
        url = "http://127.0.0.1:%d/metrics" % METRICS_PORT
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.read().decode()

    def slow_changes(self):
        """The number of changes that took the switch more than half a
        second."""
        values = dict(re.findall(
            r"sync_latency_seconds_bucket{le=\"([^\"]+)\"} (\d+)",
            self.metrics()))
        return int(values["+Inf"]) - int(values["0.512"])

    def groups_sent(self):
        """The number of changes of groups that the program has sent."""
        return sum(int(n) for n in re.findall(
            r"changes_total{type=\"group-\w+\"} (\d+)", self.metrics()))

    def wait_shown(self, service, text):
        """Waits until "service/show" says "text" and the switch has it."""
        wait_until(lambda: text in self.appctl("service/show", service,
                                               check=False) and
                   self.synced(), "%s has '%s'" % (service, text))
        # The datapath follows the tables at its own pace.
        self.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")

    def kill_switch(self):
        """Kills ovs-vswitchd; daemon() starts it again."""
        self.end_daemon("ovs-vswitchd", signal.SIGKILL)

    def kill(self):
        self.proxy.kill()
        self.proxy.wait()

    def stop(self):
        self.appctl("exit")
        assert self.proxy.wait(20) == 0

    def close(self):
        if self.proxy and self.proxy.poll() is None:
            self.kill()
        for process in self.processes:
            process.kill()
            process.wait()
        if World.fuse_shown:
            with open(World.fuse_shown, "a") as stream:
                stream.write("switch\n" + self.run(
                    "ovs-appctl", "-t", "ovs-vswitchd", "fuse/show",
                    check=False))
        self.end_daemons(signal.SIGKILL)
        for host in self.hosts.values():
            host.close()
        with open(os.path.join(self.dir, "ovs-vswitchd.log")) as stream:
            bad = [line for line in stream if re.search(
                r"\|(WARN|ERR|EMER)\|", line) and
                # At its end.
                "left allocated when ofproto" not in line and
                # On a busy machine.
                not re.search(r"\|timeval\||blocked [123]\d{3} ms", line) and
                # It had more to say when the program ended.
                not re.search(r"(dropped \(|send: )Broken pipe", line) and
                not any(text in line for text in self.expected)]
        os.rename(self.dir, self.dir + ".%d" % time.monotonic_ns())
        assert not bad, "ovs-vswitchd says: " + "".join(bad[:5])

    # Packets.

    def collect(self, enough, seconds=10):
        """Receives (host, packet) pairs until "enough" of them is true, or
        nothing has come for "seconds", as wait_until() counts."""
        got, silent = [], 0
        while not enough(got) and silent < seconds / 0.2:
            ready = select.select([h.socket for h in self.hosts.values()],
                                  [], [], 0.2)[0]
            silent += not ready
            for host in self.hosts.values():
                if host.socket in ready:
                    got += [(host.name, p) for p in host.receive()
                            if not self.route(host, p)]
        return got

    def route(self, host, packet):
        """Routes a packet that came to the router.  Returns true if it did."""
        if not self.normal or host.name != "other":
            return False
        for to in self.hosts.values():
            if to != host and network(packet)[1] in (to.ip4, to.ip6):
                host.socket.send(bytes(Ether(src=GW_MAC, dst=to.mac) /
                                       packet))
                return True
        return False

    def drain(self):
        for host in self.hosts.values():
            host.receive()


def ip_layer(src, dst, **kwargs):
    if ":" in dst:
        return IPv6(src=src, dst=dst, **kwargs)
    return IP(src=src, dst=dst, **kwargs)


def network(packet):
    """The addresses of a packet, source and destination."""
    layer = packet[IPv6] if IPv6 in packet else packet[IP]
    return layer.src, layer.dst


def l4(packet):
    """Its TCP, UDP or SCTP header, or None.  A header within an ICMP error
    does not count."""
    if ICMP in packet or packet.lastlayer().name.startswith("ICMPv6"):
        return None
    for layer in TCP, UDP, SCTP:
        if layer in packet:
            return packet[layer]
    return None


# Objects.

def make_service(name, **spec):
    """A Service with ClusterIP 10.96.0.10 and TCP port 80, unless "spec" says
    otherwise."""
    base = {"type": "ClusterIP", "clusterIP": "10.96.0.10",
            "ipFamilies": ["IPv4"],
            "ports": [{"name": "p", "protocol": "TCP", "port": 80,
                       "targetPort": 8080}]}
    status = spec.pop("status", {})
    base.update(spec)
    base["clusterIPs"] = spec.get("clusterIPs", [base["clusterIP"]])
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": "default"},
            "spec": base, "status": status}


def make_slice(service, *hosts, protocol="TCP", port=8080, ipv6=False,
               **conditions):
    """A slice with these hosts as endpoints."""
    def node(name):
        return "n2" if name == "remote" else "n1"

    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "%s-%s%d" % (service, protocol.lower(),
                                              6 if ipv6 else 4),
                         "namespace": "default",
                         "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv6" if ipv6 else "IPv4",
            "ports": [{"name": "p", "protocol": protocol, "port": port}],
            "endpoints": [
                {"addresses": [HOSTS[h][1 if ipv6 else 0]],
                 "nodeName": node(h),
                 "conditions": conditions or {"ready": True}}
                for h in hosts]}
