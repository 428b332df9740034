# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy as its operators see it: the DaemonSet, commands, HTTP."""

import contextlib
import copy
import http.client
import json
import os
import re
import socket
import subprocess
import time

from scapy.layers.inet import TCP

import cluster as k8s
from cluster import account, wait_until
from lab import (GW_MAC, HOSTS, METRICS_PORT, NODE, ip_layer, l4,
                 make_service, make_slice)
from pods import GATEWAY, PORT, endpoint, with_pods
from tests_cluster import manifest_objects
from tests_proxy import NODE as NODE_IP
from tests_proxy import VIP, check, nodeport, with_lab
from tests_proxy_api import api_slice, node, open_connection, put
from tests_proxy_rules import DRAINS, READY, both, dual

HEALTHZ_PORT = 10256


def get(path, port=HEALTHZ_PORT, host="127.0.0.1"):
    """The status and text of a page."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


# HTTP.

def parse_metrics(text):
    """Metrics by name and labels.  The text must be as Prometheus wants it: a
    family's help and type before its samples."""
    values, types, helped = {}, {}, set()
    for line in text.splitlines():
        comment = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line)
        if comment:
            kind, name, rest = comment.groups()
            if kind == "HELP":
                assert name not in helped, line
                helped.add(name)
            else:
                assert rest in ("counter", "gauge", "histogram"), line
                types[name] = rest
            continue
        sample = re.fullmatch(
            r"(\w+)(\{LABEL(?:,LABEL)*\})? (\S+)".replace(
                "LABEL", r"\w+=\"(?:[^\"\\]|\\.)*\""), line)
        assert sample, line
        name, labels, value = sample.groups()
        family = name if name in types else re.sub(
            "_(bucket|sum|count)$", "", name)
        assert family in types and family in helped, line
        assert (types[family] == "counter") == name.endswith("_total"), line
        assert name + (labels or "") not in values, line
        values[name + (labels or "")] = float(value)
    return values


@with_lab
def test_admin_http(lab, _):
    """/healthz, /livez and /metrics, with and without the switch."""
    prefix = "ovs_kube_proxy_"
    options = ["--healthz-address=127.0.0.1:%d" % HEALTHZ_PORT]
    lab.write(make_service("s"), make_slice("s", "a", "b"))
    lab.start(*options, switch="unix:" + os.path.join(lab.dir, "nothing"),
              wait=False)

    def open_ports():
        assert lab.proxy.poll() is None, lab.log()
        return k8s.port_is_open(HEALTHZ_PORT) and \
            k8s.port_is_open(METRICS_PORT)

    wait_until(open_ports, "it serves HTTP")
    assert get("/livez") == (200, "ok\n")
    assert get("/healthz") == (503, "the first sync is not done\n")
    assert get("/metrics")[0] == 404
    metrics = parse_metrics(lab.metrics())
    assert metrics[prefix + "healthy"] == 0
    assert metrics[prefix + "settled"] == 0
    lab.kill()

    lab.start(*options)
    assert get("/livez")[0] == 200 and get("/healthz") == (200, "ok\n")
    first = parse_metrics(lab.metrics())
    ours = [line for line in lab.flows() if "cookie=0x6b70" in line]
    for name, value in (
            ("healthy", 1), ("settled", 1), ("services", 1),
            ("switch_items{type=\"flow\"}", len(ours)),
            ("switch_items{type=\"group\"}", 1),
            ("changes_total{type=\"flow-put\"}", len(ours)),
            ("changes_total{type=\"group-add\"}", 1),
            ("bundles_failed_total", 0), ("refused_total", 0),
            ("switch_connections_total", 1)):
        assert first[prefix + name] == value, (name, first)
    check(lab, "pod", VIP, "reject", dport=81)
    lab.apply(make_service("s"), make_slice("s", "a"))
    second = parse_metrics(lab.metrics())
    for name in ("changes_total{type=\"group-modify\"}", "bundles_total",
                 "rejects_total{result=\"answered\"}",
                 "sync_latency_seconds_count", "service_updates_total"):
        assert second[prefix + name] > first[prefix + name], (name, second)
    assert second[prefix + "sync_latency_seconds_count"] == \
        second[prefix + "sync_latency_seconds_bucket{le=\"+Inf\"}"]

    # The same, under kube-proxy's names.
    prefix_k = "kubeproxy_sync_proxy_rules_"
    assert second[prefix_k + "duration_seconds_count"] == \
        second[prefix + "sync_latency_seconds_count"]
    now = time.time()
    assert now - 60 < second[prefix_k + "last_queued_timestamp_seconds"] <= \
        second[prefix_k + "last_timestamp_seconds"] <= now
    for kind, changed in ("service", 2), ("endpoint", 1):
        assert second[prefix_k + kind + "_changes_total"] >= \
            first[prefix_k + kind + "_changes_total"] + changed, second
        assert second[prefix_k + kind + "_changes_pending"] == 0
    assert get("/proxyMode", METRICS_PORT) == (200, "openvswitch")
    for path, code in ("healthz", 200), ("livez", 200):
        name = "kubeproxy_proxy_%s_total{code=\"%d\"}" % (path, code)
        assert get("/" + path)[0] == code
        assert parse_metrics(lab.metrics())[name] == second[name] + 1

    # The switch is away for too long.
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "exit")
    lab.daemons.remove("ovs-vswitchd")
    wait_until(lambda: get("/healthz") == (503, "the switch is behind\n"),
               "it is not healthy")
    assert get("/livez")[0] == 200
    assert parse_metrics(lab.metrics())[prefix + "settled"] == 0
    lab.daemon("ovs-vswitchd", "--disable-system")
    wait_until(lambda: get("/healthz")[0] == 200, "it is healthy again")
    lab.stop()


def configz():
    """What /configz says."""
    status, body = get("/configz", METRICS_PORT)
    assert status == 200, body
    config, = json.loads(body).items()
    assert config[0] == "ovs-kube-proxy", config
    return config[1]


@with_lab
def test_admin_configz(lab, _):
    """/configz has what is in force: given, of the Node, and of the switch."""
    lab.write()
    lab.start("--seed=4711", "--node-masquerade-address=podCIDRs")
    first = configz()
    assert "4711" not in get("/configz", METRICS_PORT)[1]
    expected = {
        "switch": "unix:" + lab.mgmt(), "kubeconfig": None, "node": "n1",
        "from-file": lab.manifests,
        "metrics-address": "127.0.0.1:%d" % METRICS_PORT,
        "page-address": None, "cluster-cidr": NODE["spec"]["podCIDRs"],
        "service-cidr": ["10.96.0.0/16", "fd00:96::/112"],
        "nodeport-addresses": list(HOSTS["node"]),
        "masquerade-address": list(HOSTS["node"]),
        "node-masquerade-address": ["10.1.0.0", "fd01::"], "first-table": 60,
        "next-table": 20, "zone": 60000, "register": 8, "meter": 27504,
        "groups": "1802502144-1803550719", "seed": True, "stock": False,
        "cookie": "0x6b70000000000000/0xffff000000000000"}
    assert {k: first[k] for k in expected} == expected, first
    # No option is left out, but those that configure nothing.
    options = re.findall(r"^ +--([a-z-]+)", lab.run(
        lab.program_path(), "--help").split("Source of Services")[1], re.M)
    assert set(options) - set(first) == {"cleanup", "unixctl"}, first

    lab.node = copy.deepcopy(NODE)
    lab.node["spec"] = {"podCIDR": "10.9.0.0/24",
                        "podCIDRs": ["10.9.0.0/24"]}
    lab.node["status"]["addresses"].pop()
    lab.apply()
    changed = {"cluster-cidr": ["10.9.0.0/24"],
               "nodeport-addresses": [HOSTS["node"][0]],
               "masquerade-address": [HOSTS["node"][0]],
               "node-masquerade-address": ["10.9.0.0"]}
    assert configz() == dict(first, **changed), configz()
    lab.kill()
    lab.start("--stock", "--cluster-cidr=10.7.0.0/16",
              "--nodeport-addresses=192.0.2.77", "--masquerade-ports=900-999")
    changed = {"cluster-cidr": ["10.7.0.0/16"], "seed": False, "stock": True,
               "nodeport-addresses": ["192.0.2.77"],
               "masquerade-ports": "900-999"}
    second = configz()
    assert {k: second[k] for k in changed} == changed, second
    lab.stop()


@with_lab
def test_admin_leaving_node(lab, _):
    """/healthz tells load balancers to leave a Node that will be deleted.
    Packets to it are served until then."""
    objects = make_service("s"), make_slice("s", "a")
    lab.write(*objects)
    lab.start("--healthz-address=127.0.0.1:%d" % HEALTHZ_PORT)
    leaving = 503, "the Node is being deleted\n"
    flows = lab.flows()
    for change, expected in (
            ({"spec": {"taints": [
                {"key": "node.kubernetes.io/x", "effect": "NoSchedule"},
                {"key": "ToBeDeletedByClusterAutoscaler", "value": "1",
                 "effect": "NoSchedule"}]}}, leaving),
            ({"spec": {"taints": [
                {"key": "DeletionCandidateOfClusterAutoscaler",
                 "effect": "PreferNoSchedule"}]}}, (200, "ok\n")),
            ({"metadata": {"deletionTimestamp": "2026-11-01T00:00:00Z"}},
             leaving),
            ({}, (200, "ok\n")), (None, leaving)):
        node = copy.deepcopy(NODE)
        for part, values in (change or {}).items():
            node[part].update(values)
        if change is None:
            node["metadata"]["name"] = "n2"
        lab.node = node
        lab.apply(*objects)
        wait_until(lambda e=expected: get("/healthz") == e,
                   "%s for %s" % (expected, change))
        assert get("/livez") == (200, "ok\n")
        assert parse_metrics(lab.metrics())["ovs_kube_proxy_healthy"] == \
            (expected[0] == 200)
    check(lab, "pod", VIP, "a")
    check(lab, "ext", VIP, "a", masquerade=True)
    lab.write(*objects)
    lab.wait_shown("default/s", "cluster")
    wait_until(lambda: set(lab.flows()) == set(flows), "no flow changed")
    lab.stop()


# In place of kube-proxy.

def migration(old, *ours):
    """The flows of Documentation/howto/kube-proxy.md in front of table 60:
    "ours" are the matches of new connections that go there, "old" are the
    actions for connections of kube-proxy."""
    return (["table=0,ip,actions=ct(zone=60001,table=58)",
             "table=58,priority=2,ip,ct_mark=1/1,actions=resubmit(,60)",
             "table=58,priority=1,ip,actions=ct(zone=60000,table=59)",
             "table=59,priority=2,ip,ct_mark=1/1,actions=resubmit(,60)"] +
            ["table=59,priority=2,%s,actions=resubmit(,60)" % match
             for match in ours] +
            ["table=59,priority=1,ip,actions=" + old])


@with_lab
def test_admin_migration(lab, _):
    """From kube-proxy to ovs-kube-proxy and back.  Host "other" stands for
    the node's kernel, where kube-proxy's rules are."""
    old = "mod_dl_dst:%s,output:%d" % (lab.hosts["other"].mac,
                                       lab.hosts["other"].port)
    pod = lab.hosts["pod"]

    def steer(*flows):
        lab.run("ovs-ofctl", "del-flows", "br0", "table=59")
        lab.add_flows(flows)
        lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")

    def middle_goes_to(sport):
        """The host that gets a packet from the middle of a connection."""
        lab.drain()
        data = ip_layer(pod.ip4, VIP) / TCP(sport=sport, dport=80, flags="A",
                                            seq=7, ack=9) / b"data"
        pod.send(data)
        return [name for name, _ in lab.collect(len, 3)]

    lab.write(make_service("s", **nodeport()), make_slice("s", "a", "b"))
    steer("table=0,ip,actions=" + old)
    assert middle_goes_to(5000) == ["other"]

    # kube-proxy has the ports.  Nothing goes to table 60 yet.
    with socket.create_server(("127.0.0.1", METRICS_PORT)), \
            socket.create_server(("", HEALTHZ_PORT)):
        lab.start("--healthz-address=:%d" % HEALTHZ_PORT)
        for port in METRICS_PORT, HEALTHZ_PORT:
            assert ":%d: Address already in use; trying again" % port in \
                lab.log(), lab.log()
        check(lab, "pod", VIP, "untouched")
        steer(*migration(old, "tcp,tcp_flags=+syn-ack", "udp", "sctp"))
        assert middle_goes_to(5000) == ["other"]
        check(lab, "pod", VIP, "a b")
        check(lab, "ext", NODE_IP, "a b", masquerade=True, dport=30080)
        name, send = open_connection(lab, "pod")
        # kube-proxy ends.
    wait_until(lambda: k8s.port_is_open(HEALTHZ_PORT) and
               k8s.port_is_open(METRICS_PORT), "the ports are ours")
    assert get("/healthz") == (200, "ok\n")
    steer("table=0,ip,actions=resubmit(,60)")
    assert send() == [name]
    check(lab, "pod", VIP, "a b")
    check(lab, "ext", NODE_IP, "a b", masquerade=True, dport=30080)

    # Back.
    steer(*migration(old))
    assert send() == [name]
    check(lab, "pod", VIP, "untouched")
    assert middle_goes_to(5001) == ["other"]
    steer("table=0,ip,actions=" + old)
    lab.stop()


# Commands.

def shown_flows(text):
    """The flows in the output of "service/show"."""
    return {re.sub(" +", " ", line.strip()) for line in text.splitlines()
            if line.strip().startswith("table=")}


def flows_of(lab):
    """Our flows in the switch, in the same form."""
    return {re.sub(" +", " ", re.sub(r"cookie=0x6b70\w+, ", "", line).strip())
            for line in lab.flows() if "cookie=0x6b70" in line}


@with_lab
def test_admin_commands(lab, _):
    """service/list, service/show, service/show-base and sync/status tell what
    the switch has."""
    name = make_service("x", type="ExternalName", externalName="x.example")
    del name["spec"]["clusterIP"], name["spec"]["clusterIPs"]
    empty = make_service("e", clusterIP="10.96.0.20")
    lab.write(dual(), *both(("a", READY), ("b", DRAINS)), empty, name)
    lab.start()
    assert lab.appctl("service/list") == (
        "default/e: 1 ports, 2 flows, 0 groups\n"
        "default/s: 2 ports, 10 flows, 2 groups\n"), \
        lab.appctl("service/list")
    shown = lab.appctl("service/show", "default/s")
    assert shown.splitlines()[:7] == [
        "default/s",
        "  TCP port 80 \"p\", cluster IP 10.96.0.10, external IP "
        "198.51.100.2, load balancer 198.51.100.1, node port 30080",
        "    cluster: 10.1.0.2:8080(local)",
        "    old connections: 10.1.0.3:8080(local)(draining)",
        "  TCP port 80 \"p\", cluster IP fd00:96::10, external IP "
        "2001:db8:a::2, load balancer 2001:db8:a::1, node port 30080",
        "    cluster: [fd01::2]:8080(local)",
        "    old connections: [fd01::3]:8080(local)(draining)"], shown
    assert "cluster: reject: there is no endpoint" in \
        lab.appctl("service/show", "default/e")
    assert lab.appctl("service/show", "default/x").startswith(
        "default/x: nothing to do, since ")
    error = lab.appctl("service/show", "default/y", check=False)
    assert "no such Service; give it as NAMESPACE/NAME" in error, error

    flows = shown_flows(shown) | shown_flows(
        lab.appctl("service/show", "default/e"))
    base = shown_flows(lab.appctl("service/show-base"))
    assert len(flows) == 12 and len(base) > 30 and not flows & base
    # The flows of the two endpoints to themselves remain.
    rest = flows_of(lab) - flows - base
    assert not (flows | base) - flows_of(lab)
    assert len(rest) == 4 and all("table=65," in line for line in rest), rest
    groups = {re.search(r"group_id=(\d+)", g)[1] for g in lab.groups()}
    assert set(re.findall(r"group_id=(\d+)", shown)) == groups

    lines = lab.appctl("sync/status").splitlines()
    assert lines[0] == "synced"
    n = len(flows_of(lab))
    for line in ("switch unix:%s: settled" % lab.mgmt(),
                 "selection method: maglev",
                 "has %d flows, 2 groups; 0 to be changed, 0 under way" % n):
        assert line in lines, lines
    lab.stop()


# As a daemon.

@with_lab
def test_admin_daemon(lab, _):
    """--detach, with names relative to the present folder."""
    def start(*args, **kwargs):
        return lab.run(lab.program_path(), "--detach", "--pidfile",
                       "-vsyslog:off", *args, cwd=lab.dir, **kwargs)

    def shown():
        return lab.appctl("service/show", "default/s", check=False)

    # Wrong options are reported before it goes to the background.
    for args, error in ((["--kubeconfig=none", "br0"], "No such file"),
                        (["--from-file=none", "br0"], "No such file"),
                        (["--from-file=manifests", "punix:x"],
                         "neither a bridge nor")):
        said = start(*args, check=False)
        assert error in said, said
    assert not os.path.exists(os.path.join(lab.dir, "ovs-kube-proxy.pid"))

    lab.write(make_service("s"), make_slice("s", "a"))
    lab.daemons.append("ovs-kube-proxy")
    start("--from-file=manifests", "--node=n1", "--next-table=20", "br0")
    wait_until(lambda: lab.appctl("sync/status").startswith("synced\n"),
               "it is synced")
    assert "cluster: 10.1.0.2:8080(local)\n" in shown(), shown()
    # The directory is followed.
    lab.write(make_service("s"), make_slice("s", "b"))
    wait_until(lambda: "cluster: 10.1.0.3:8080(local)\n" in shown(),
               "the change is read")
    lab.appctl("exit")
    wait_until(lambda: not os.path.exists(
        os.path.join(lab.dir, "ovs-kube-proxy.pid")), "it has ended")
    lab.daemons.remove("ovs-kube-proxy")


# Beside the node's own connections.

@contextlib.contextmanager
def sysctls(**values):
    """Sets net.ipv4.NAME of this network namespace for a while."""
    def put(name, value):
        path = "/proc/sys/net/ipv4/" + name
        with open(path) as stream:
            old = stream.read()
        with open(path, "w") as stream:
            stream.write(value or "\n")
        return old.strip()

    before = {name: put(name, value) for name, value in values.items()}
    try:
        yield
    finally:
        for name, value in before.items():
            put(name, value)


@with_lab
def test_admin_masquerade_ports(lab, _):
    """The node's kernel gives its own connections no port of masqueraded
    packets."""
    lab.write(make_service("s", **nodeport()), make_slice("s", "a"))
    for kernel, reserved, first, last in (
            ("32768 60999", "", 61000, 65535),
            ("45000 65535", "", 32768, 44999),
            ("10240 65535", "8080,50000-51999", 50000, 51999)):
        with sysctls(ip_local_port_range=kernel,
                     ip_local_reserved_ports=reserved):
            lab.start()
            got = check(lab, "ext", NODE_IP, "a", masquerade=True,
                        dport=30080)
            ports = {l4(packet).sport for _, packet in got}
            assert len(ports) == len(got), ports
            assert min(ports) >= first and max(ports) <= last, ports
            lab.stop()
    # No port is left.
    with sysctls(ip_local_port_range="10240 65535",
                 ip_local_reserved_ports="8080,50000-50999"):
        lab.start(wait=False)
        assert lab.proxy.wait(20) == 1
        assert "ip_local_reserved_ports" in lab.log()
        lab.start("--masquerade-ports=50000-50999")
        lab.stop()


# The DaemonSet.

def pod_command(lab, c, folder):
    """The command and environment of the manifest's pod on node n1, with the
    mounts in "folder" and in that of the lab."""
    objects = {obj["kind"]: obj for obj in manifest_objects()}
    config = dict(objects["ConfigMap"]["data"], **{
        "api-server-host": k8s.HOST, "api-server-port": str(k8s.PORT),
        "bridge": "br0", "next-table": "20",
        "service-cidr": "10.96.0.0/16,fd00:96::/112",
        "cluster-cidr": "10.1.0.0/16"})
    container, = objects["DaemonSet"]["spec"]["template"]["spec"][
        "containers"]
    env = {}
    for var in container["env"]:
        if "value" in var:
            env[var["name"]] = var["value"].replace("/var/run/openvswitch",
                                                    lab.dir)
            continue
        source = var["valueFrom"]
        if "fieldRef" in source:
            assert source["fieldRef"]["fieldPath"] == "spec.nodeName"
            env[var["name"]] = "n1"
        else:
            env[var["name"]] = config[source["configMapKeyRef"]["key"]]
    assert container["command"] == ["ovs-kube-proxy"]
    args = [re.sub(r"\$\((\w+)\)", lambda m: env[m[1]], arg)
            for arg in container["args"]]
    args = [("--in-cluster=" + folder if arg == "--in-cluster" else
             arg.replace("/var/run/openvswitch", lab.dir)) for arg in args]
    probes = [(probe["httpGet"]["path"], probe["httpGet"]["port"])
              for probe in (container["livenessProbe"],
                            container["readinessProbe"])]
    return [lab.program_path()] + args, env, probes


@with_lab
def test_admin_in_cluster(lab, c):
    """The DaemonSet's pod: its account, its token, its options, its
    probes."""
    for obj in manifest_objects():
        if obj["kind"] not in ("DaemonSet", "ConfigMap"):
            put(c, obj)
    node(c)
    put(c, make_service("s"))
    put(c, api_slice("s", "a"))
    folder = os.path.join(lab.dir, "account")
    write = account(c, folder)
    # The account's token has expired.
    write(c.token("ovs-kube-proxy", -3600))
    before = lab.flows()
    command, env, probes = pod_command(lab, c, folder)
    # A pod has no other variables of this program.
    ours = {k: v for k, v in lab.env.items() if not k.startswith("OVS_")}
    with open(os.path.join(lab.dir, "proxy.log"), "w") as log:
        # A pod has its own process ids, and the host asks it.
        lab.proxy = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child"] + command,
            env=dict(ours, **env), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
    lab.target = os.path.join(lab.dir, "ovs-kube-proxy.ctl")
    wait_until(lambda: "HTTP status 401" in lab.log(), "it is refused")
    assert lab.flows() == before
    assert get(*probes[0])[0] == 200 and get(*probes[1])[0] == 503
    # It is renewed.
    write(c.token("ovs-kube-proxy", 600))
    wait_until(lab.synced, "ovs-kube-proxy is synced")
    assert get(*probes[0])[0] == 200 and get(*probes[1])[0] == 200
    check(lab, "pod", VIP, "a")
    check(lab, "remote", VIP, "a")
    check(lab, "ext", VIP, "a", masquerade=True)
    check(lab, "pod", "10.96.0.11", "drop")
    # Later requests use the new token.
    write(c.token("ovs-kube-proxy", 600))
    c.api.kill()
    c.start_api()
    put(c, api_slice("s", "b"))
    lab.wait_shown("default/s", "cluster: 10.1.0.3:8080(local)\n")
    check(lab, "pod", VIP, "b")
    lab.stop()
    c.delete("Service", "s")
    c.delete("EndpointSlice", "s-tcp4")
    c.delete("Node", "n1")


# The how-to.

@with_pods
def test_admin_node_traffic(lab, _):
    """The node's own packets to Services go by the bridge's own port, set up
    as in Documentation/howto/kube-proxy.md."""
    node_ip = NODE["status"]["addresses"][0]["address"]
    port = [{"name": "p", "protocol": "TCP", "port": 80, "targetPort": PORT}]
    pods = [endpoint(number) for number in range(4)]
    slice_ = make_slice("s", port=PORT)
    slice_["endpoints"] = [{"addresses": [a], "conditions": {"ready": True}}
                           for a in pods]
    lab.write(make_service("s", ports=port), slice_)
    lab.serve()
    lab.start("--node-masquerade-address=169.254.1.2")
    mac = re.search(r"link/ether (\S+)", lab.run(
        "ip", "-o", "link", "show", "br0"))[1]
    for command in ("link set br0 up",
                    "addr add %s/32 dev br0" % node_ip,
                    "route add 10.96.0.0/16 via %s dev br0 onlink src %s" % (
                        GATEWAY, node_ip),
                    "route add 169.254.1.2 via %s dev br0 onlink src %s" % (
                        GATEWAY, node_ip),
                    "neigh replace %s lladdr %s dev br0 nud permanent" % (
                        GATEWAY, GW_MAC)):
        lab.run("ip", *command.split())
    lab.add_flows([
        "table=0,priority=10,ip,in_port=LOCAL,actions=resubmit(,60)",
        "table=20,priority=10,ip,nw_dst=%s,actions=load:0->NXM_OF_IN_PORT[],"
        "mod_dl_src:%s,mod_dl_dst:%s,LOCAL" % (node_ip, GW_MAC, mac)])
    answered = {get("/", 80, VIP) for _ in range(40)}
    assert {text.split()[0] for _, text in answered} == set(pods), answered
    assert {status for status, _ in answered} == {200}
    # Without endpoints it is rejected at once.
    try:
        get("/", 81, VIP)
        raise AssertionError("port 81 has no Service")
    except ConnectionRefusedError:
        pass

    # An endpoint on the node itself, in the host's network, and pods.
    server = lab.here("serve", PORT)
    host = make_service("h", clusterIP="10.96.0.20", ports=port)
    slice_h = make_slice("h", port=PORT)
    slice_h["endpoints"] = [{"addresses": [a], "nodeName": "n1",
                             "conditions": {"ready": True}}
                            for a in (node_ip, pods[0])]
    lab.write(make_service("s", ports=port), slice_, host, slice_h)
    lab.wait_shown("default/h", "%s:%d" % (node_ip, PORT))
    answered = {get("/", 80, "10.96.0.20")[1].split()[0] for _ in range(40)}
    assert answered == {node_ip, pods[0]}, answered
    server.kill()
    lab.stop()
