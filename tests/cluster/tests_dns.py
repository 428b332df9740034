# SPDX-License-Identifier: Apache-2.0

"""Names of the cluster, by CoreDNS, from pods."""

import os

import coredns
from nodes import run, wait_until
from objects import PORT, Traffic, start

# Options of the C library's resolver.
UDP, TCP = "ndots:5", "ndots:5 use-vc"
# Starts a command with "$0" as its /etc/resolv.conf.
BIND = """
f=$(readlink -m /etc/resolv.conf)
test -e "$f" || { mkdir -p "${f%/*}" && : > "$f"; }
mount --bind "$0" "$f"
exec "$@"
"""


class Resolver:
    """How a client pod of 'node' asks one server, by UDP or TCP."""

    def __init__(self, node, client, server, options):
        self.name = "%s, %s, %s" % (node.name, server, options)
        lines = [line for line in node.resolv_conf("client-" + node.name)
                 .splitlines() if line.startswith("search")]
        path = os.path.join(node.dir, "resolv.conf.%s.%s" % (
            server.replace(":", "-"), options.replace(" ", "-")))
        with open(path, "w") as stream:
            stream.write("\n".join(lines + ["nameserver " + server,
                                            "options " + options, ""]))
        self.command = [*client, "unshare", "--mount", "sh", "-ec", BIND,
                        path]

    def addresses(self, name):
        """Addresses of a name, sorted: none if there is no such name."""
        lines = run(*self.command, "getent", "ahosts", name,
                    check=False).splitlines()
        return sorted({line.split()[0] for line in lines})

    def traffic(self, name, addresses):
        return Traffic(self.command, name, *addresses, program="lookups.py")


def resolvers(lab):
    """All ways from pods of both nodes to CoreDNS."""
    start(lab)
    coredns.start(lab)
    return [Resolver(node, client, server, options)
            for node, client in zip(lab.nodes, lab.clients)
            for server in coredns.IPS for options in (UDP, TCP)]


def pod_ips(lab):
    return sorted(ip["ip"] for pod in lab.server.pods()
                  for ip in pod["status"]["podIPs"])


def test_dns_resolv_conf(lab):
    """A pod's own file names both addresses, and its own program finds a
    Service by them, not one that is not there."""
    resolvers(lab)
    for node in lab.nodes:
        words = [line.split() for line in
                 node.resolv_conf("client-" + node.name).splitlines()]
        assert [w[1] for w in words if w[0] == "nameserver"] == coredns.IPS
        assert [w[1:4] for w in words if w[0] == "search"] == [
            ["default.svc.cluster.local", "svc.cluster.local",
             "cluster.local"]]
        client = "client-" + node.name
        assert node.execute(client, "/agnhost", "connect", "server:80") == ""
        assert "DNS" in node.execute(client, "/agnhost", "connect",
                                     "nobody:80")


def test_dns_services(lab):
    """Names of Services, short and long, by UDP and TCP, both families."""
    api = lab.control.get("Service", "kubernetes")["spec"]["clusterIPs"]
    for resolver in resolvers(lab):
        for name, expected in (
                ("server", lab.server.ips),
                ("server.default", lab.server.ips),
                ("server.default.svc.cluster.local.", lab.server.ips),
                ("kubernetes", api),
                ("kube-dns.kube-system", coredns.IPS),
                ("kube-dns", [])):
            assert resolver.addresses(name) == sorted(expected), (
                resolver.name, name, resolver.addresses(name))


def test_dns_headless(lab):
    """The name of a headless Service stands for its pods, as they come and
    go."""
    ways = resolvers(lab)
    lab.control.create({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "pods"},
        "spec": {"clusterIP": "None", "selector": {"app": lab.server.name},
                 "ipFamilyPolicy": "RequireDualStack",
                 "ports": [{"port": PORT}]}})
    try:
        for replicas in 4, 6, 4:
            lab.server.scale(replicas)
            lab.server.wait_replicas(replicas)
            for way in ways:
                wait_until(lambda: way.addresses("pods") == pod_ips(lab),
                           way.name + ": the name has all pods", 60)
    finally:
        lab.control.delete("Service", "pods")


def test_dns_pods_deleted(lab):
    """No lookup fails while CoreDNS pods are deleted and replaced."""
    running = [way.traffic("server", lab.server.ips)
               for way in resolvers(lab)]
    for name in lab.dns.names():
        lab.control.delete("Pod", name, coredns.NAMESPACE)
        wait_until(lambda: name not in lab.dns.names(), name + " is gone", 90)
        lab.dns.wait_ready()
    for result in [traffic.stop() for traffic in running]:
        assert result["answers"] and not result["faults"], result
