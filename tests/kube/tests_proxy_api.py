# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy between a real kube-apiserver and a switch."""

import os
import subprocess

from cluster import ApiError, wait_until
from harness import World, admin
from lab import NODE, make_service, make_slice
from tests_cluster import manifest_objects
from tests_proxy import (VIP, answer, check, ip_layer, l4, network, segment,
                         sports, try_connections, with_lab)


def put(c, obj):
    """Creates or replaces an object."""
    try:
        return c.create(obj)
    except ApiError as error:
        if error.status != 409:
            raise
    meta = obj["metadata"]
    old = c.call("GET", c.path(obj["kind"], meta.get("namespace", "default"))
                 + "/" + meta["name"])
    meta = dict(meta, resourceVersion=old["metadata"]["resourceVersion"])
    return c.replace(dict(obj, metadata=meta))


def api_slice(service, *hosts):
    """A slice for the API server."""
    obj = make_slice(service, *hosts)
    obj["endpoints"] = obj["endpoints"] or []
    return obj


def node(c):
    put(c, {k: v for k, v in NODE.items() if k != "status"})
    c.call("PATCH", c.path("Node") + "/n1/status",
           {"status": NODE["status"]}, "application/merge-patch+json")
    # Lists come from a cache of the server, which may be late.
    wait_until(lambda: c.call(
        "GET", c.path("Node") + "/n1?resourceVersion=0")["status"].get(
            "addresses"), "the server knows the node")


def open_connection(lab, source):
    """Opens a TCP connection to the Service.  Returns a function that sends a
    segment on it and returns the name of the host that receives it."""
    host = lab.hosts[source]
    sport = next(sports)
    lab.drain()
    host.send(ip_layer(host.ip4, VIP) / segment("TCP", sport, 80))
    (name, packet), = lab.collect(len)
    lab.hosts[name].send(answer(packet))
    (_, back), = lab.collect(len)
    assert network(back) == (VIP, host.ip4), back

    def send():
        lab.drain()
        data = ip_layer(host.ip4, VIP) / segment("TCP", sport, 80)
        header = l4(data)
        header.flags, header.seq, header.ack = "PA", 1001, 5001
        host.send(data / b"data")
        return [name for name, _ in lab.collect(len, 3)]

    assert send() == [name]
    return name, send


@with_lab
def test_proxy_api(lab, c):
    """Services come, change and go; each program is killed once."""
    node(c)
    lab.start(source="--kubeconfig=" + admin())
    put(c, make_service("s"))
    lab.wait_shown("default/s", "reject")
    check(lab, "pod", VIP, "reject")
    put(c, api_slice("s", "a"))
    lab.wait_shown("default/s", "10.1.0.2:8080")
    check(lab, "pod", VIP, "a")
    put(c, api_slice("s", "a", "b", "remote"))
    lab.wait_shown("default/s", "10.1.1.4:8080")
    check(lab, "pod", VIP, "a b remote")
    check(lab, "ext", VIP, "a b remote", True)

    # The program is killed: connections go on, and new ones work.  The next
    # program changes nothing.
    name, send = open_connection(lab, "pod")
    before = lab.flows(), lab.groups()
    lab.kill()
    assert send() == [name]
    check(lab, "pod", VIP, "a b remote")
    lab.start(source="--kubeconfig=" + admin())
    after = lab.flows(), lab.groups()
    assert after == before, "gone: %s; new: %s" % tuple(
        [sorted(set(x[0] + x[1]) - set(y[0] + y[1]))
         for x, y in ((before, after), (after, before))])
    assert send() == [name]

    # Changes meanwhile are caught up with.
    lab.kill()
    put(c, api_slice("s", "b"))
    put(c, make_service("t", clusterIP="10.96.0.30"))
    lab.start(source="--kubeconfig=" + admin())
    lab.wait_shown("default/s", "cluster: 10.1.0.3:8080(local)\n")
    check(lab, "pod", VIP, "b")
    check(lab, "pod", "10.96.0.30", "reject")
    assert send() == [name], "an old TCP connection was cut"

    # The API server is killed and comes back.
    c.api.kill()
    check(lab, "pod", VIP, "b")
    c.start_api()
    put(c, api_slice("s", "a"))
    lab.wait_shown("default/s", "cluster: 10.1.0.2:8080(local)\n")
    check(lab, "pod", VIP, "a")
    c.delete("Service", "s")
    c.delete("Service", "t")
    lab.wait_shown("default/s", "no such Service")
    check(lab, "pod", VIP, "drop")
    lab.stop()
    c.delete("EndpointSlice", "s-tcp4")
    c.delete("Node", "n1")


@with_lab
def test_proxy_cleanup(lab, _):
    """--cleanup removes all our flows, groups and meters, and nothing else."""
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "add-group", "br0",
            "group_id=1,type=all,bucket=actions=drop")
    before = lab.flows(), lab.groups()
    lab.write(make_service("s"), make_slice("s", "a", "b"))
    lab.start()
    assert len(lab.flows()) > len(before[0]) and \
        len(lab.groups()) > len(before[1])
    lab.stop()
    lab.run(lab.program_path(), "--cleanup", "unix:" + lab.mgmt())
    assert (lab.flows(), lab.groups()) == before


@with_lab
def test_proxy_switch_restart(lab, _):
    lab.write(make_service("s"), make_slice("s", "a", "b"))
    lab.start()
    ours = [line for line in lab.flows() if "0x6b70" in line]
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "del-flows", "br0",
            "cookie=0x6b70000000000000/0xffff000000000000")
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "del-groups", "br0")
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "exit")
    lab.daemons.remove("ovs-vswitchd")
    wait_until(lambda: not os.path.exists(os.path.join(
        lab.dir, "ovs-vswitchd.pid")), "the switch has ended")
    lab.daemon("ovs-vswitchd", "--disable-system")
    wait_until(lambda: [line for line in lab.flows() if "0x6b70" in line] ==
               ours and len(lab.groups()) == 1 and lab.synced(),
               "the flows are back")
    lab.program()
    check(lab, "pod", VIP, "a b")
    lab.stop()


@with_lab
def test_proxy_bad_input(lab, _):
    """Good and bad objects: the good ones work."""
    good = make_service("s"), make_slice("s", "a")
    many = make_service("many", clusterIP="10.96.1.1", ports=[
        {"name": "p%d" % n, "protocol": "TCP", "port": n}
        for n in range(1, 2001)])
    other_family = make_service("six", clusterIP="fd00:96::77",
                                ipFamilies=["IPv6"])
    bad = [
        {"apiVersion": "v1", "kind": "Service", "metadata": "none"},
        {"apiVersion": "v1", "kind": "Service",
         "metadata": {"name": "x", "namespace": "default"}, "spec": [1]},
        make_service("y", clusterIP="1.2.3.4.5"),
        make_service("z", clusterIP="10.96.0.99", ports=[
            {"port": 70000}, {"port": "80"}, {"port": 80,
                                              "protocol": "CARP"}]),
        make_service("again", clusterIP=VIP),
    ]
    lab.write(*good, many, other_family, *bad)
    lab.start()
    check(lab, "pod", VIP, "a")
    assert "2000 ports" in lab.appctl("service/list")
    check(lab, "pod", "10.96.1.1", "reject", dport=2000)
    lab.write(*good)
    lab.wait_shown("default/many", "no such Service")
    check(lab, "pod", VIP, "a")
    assert len(try_connections(lab, "pod", "10.96.1.1", n=3)) == 0
    lab.stop()


def test_proxy_command_line(_):
    """Wrong command lines are reported at once, in one line."""
    program = os.path.join(World.build,
                           "utilities/ovs-kube-proxy/ovs-kube-proxy")
    switch = "unix:/nowhere"
    for args, text in (
            ([], "one SWITCH is needed"),
            ([switch], "one of --kubeconfig"),
            (["--from-file=/nowhere", switch], "/nowhere"),
            (["--from-file=x", "--kubeconfig=y", switch], "one of"),
            (["--cookie=5/0", "--from-file=x", switch], "--cookie"),
            (["--first-table=250", "--from-file=x", switch],
             "--first-table"),
            (["--next-table=61", "--from-file=x", switch], "--next-table"),
            (["--cluster-cidr=10.0.0.0/33", "--from-file=x", switch],
             "--cluster-cidr"),
            (["--masquerade-address=1.2.3.4,5.6.7.8", "--from-file=x",
              switch], "--masquerade-address"),
            (["--ca-cert=none", "--from-file=.", "ssl:127.0.0.1:6653"],
             "--ca-cert"),
            (["--healthz-address=nowhere:port", "--from-file=.", switch],
             "nowhere")):
        result = subprocess.run(
            [program, "--no-chdir", "--unixctl=none", "-vconsole:off"] +
            args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert result.returncode == 1, (args, result)
        assert text in result.stderr, (args, result)
        assert len(result.stderr.splitlines()) == 1, (args, result)


def base_has(lab, cidr):
    return any("=%s " % cidr in line or "=%s," % cidr in line
               for line in lab.appctl("service/show-base").splitlines()
               if line.endswith("actions=drop"))


@with_lab
def test_proxy_service_cidr(lab, c):
    """Ranges of ClusterIPs follow the cluster's ServiceCIDR objects."""
    node(c)
    lab.start("--service-cidr=", source="--kubeconfig=" + admin())
    # The server makes one object by itself.
    wait_until(lambda: base_has(lab, "10.96.0.0/16")
               and base_has(lab, "fd00:96::/112"), "its ranges are known")
    check(lab, "pod", "10.96.0.11", "drop")
    check(lab, "pod", "10.99.0.11", "untouched")
    put(c, {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
            "metadata": {"name": "more"}, "spec": {"cidrs": ["10.99.0.0/24"]}})
    wait_until(lambda: base_has(lab, "10.99.0.0/24") and lab.synced(),
               "the new range is known")
    check(lab, "pod", "10.99.0.11", "drop")
    c.delete("ServiceCIDR", "more")
    wait_until(lambda: not base_has(lab, "10.99.0.0/24") and lab.synced(),
               "it is gone")
    check(lab, "pod", "10.99.0.11", "untouched")
    lab.stop()
    c.delete("Node", "n1")


@with_lab
def test_proxy_service_cidr_forbidden(lab, c):
    """An account that may not read ServiceCIDRs, such as that of an older
    manifest, goes on without."""
    node(c)
    put(c, make_service("s"))
    put(c, api_slice("s", "a"))
    for obj in manifest_objects():
        if obj["kind"] == "ClusterRole":
            obj["rules"] = [rule for rule in obj["rules"]
                            if rule["resources"] != ["servicecidrs"]]
        if obj["kind"] not in ("DaemonSet", "ConfigMap"):
            put(c, obj)
    lab.start("--service-cidr=", source="--kubeconfig=" + c.kubeconfig(
        "older.conf", {"token": c.token("ovs-kube-proxy", 600)}))
    wait_until(lambda: "/servicecidrs: " in lab.log()
               and "going on without" in lab.log(), "it says so")
    check(lab, "pod", VIP, "a")
    check(lab, "pod", "10.96.0.11", "untouched")
    lab.stop()
    c.delete("Service", "s")
    c.delete("EndpointSlice", "s-tcp4")
    c.delete("Node", "n1")
