# SPDX-License-Identifier: Apache-2.0

"""Failures while pods do HTTP: of the program, the API server, the switch, and
their input."""

import json
import os
import re
import time

import cluster as k8s
from cluster import account, wait_until
from harness import World, admin
from lab import NODE, make_service, make_slice
from pods import PORT, endpoint, requests, with_pods
from server import BadServer, begin as begin_response, respond
from tests_cluster import manifest_objects
from tests_proxy import VIP, VIP6, check, with_lab
from tests_proxy_api import put
from tests_servers import bad_config

SERVICES, ENDPOINTS = 4, 8
# New connections a second, and connections that stay.
LOAD, HOLD = 60, 12

VIPS = ["10.96.4.%d" % (i + 1) for i in range(SERVICES)]


def addresses(number, first=0, n=ENDPOINTS):
    """"n" endpoints of Service "number"."""
    return [endpoint(1000 * number + i) for i in range(first, first + n)]


def write_slice(c, number, endpoints):
    put(c, {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "f%d-x" % number, "labels": {
                "kubernetes.io/service-name": "f%d" % number}},
            "addressType": "IPv4",
            "ports": [{"name": "p", "protocol": "TCP", "port": PORT}],
            "endpoints": [{"addresses": [a], "conditions": {"ready": True}}
                          for a in endpoints]})


def wait_endpoints(lab, number, endpoints):
    """Waits until the switch has exactly these endpoints for Service
    "number"."""
    def has():
        text = lab.appctl("service/show", "default/f%d" % number, check=False)
        found = re.search(r"^ *cluster: (.*)$", text, re.M)
        return found and lab.synced() and \
            sorted(re.findall(r"([0-9.]+):%d" % PORT, found[1])) == \
            sorted(endpoints)

    wait_until(has, "f%d has %s" % (number, endpoints))


class Traffic:
    """New connections, and connections that stay, to all Services."""

    def __init__(self, lab):
        lab.serve()
        self.hold = lab.clients("hold", HOLD, *VIPS)
        self.load = lab.clients("load", LOAD, *VIPS)

    def finish(self):
        """Returns all answered and all failed requests, those on connections
        that stay apart."""
        return requests(self.load), requests(self.hold)

    def finish_well(self):
        """The same, if nothing may have failed."""
        (new, new_failed), (kept, kept_failed) = self.finish()
        assert not new_failed, (len(new_failed), new_failed[:5])
        assert not kept_failed, (len(kept_failed), kept_failed[:5])
        assert len(new) > LOAD and len(kept) > HOLD
        print("        %d connections, the slowest %.0f ms; %d requests over "
              "%d that stay, the slowest %.0f ms" % (
                  len(new), 1000 * max(e - b for b, e, _, _ in new),
                  len(kept), HOLD,
                  1000 * max(e - b for b, e, _, _ in kept)), flush=True)
        return new, kept


def remove_objects(c):
    """Removes the objects, those of a failed test too."""
    names = [("Node", "n1")]
    for i in range(SERVICES):
        names += [("Service", "f%d" % i), ("EndpointSlice", "f%d-x" % i)]
    for kind, name in names:
        try:
            c.delete(kind, name)
        except k8s.ApiError as error:
            if error.status != 404:
                raise


def begin(lab, c, *args, **kwargs):
    """Objects, the program, and traffic."""
    # A warning about connections to killed programs.
    lab.expected.append("connection dropped")
    remove_objects(c)
    put(c, {k: v for k, v in NODE.items() if k != "status"})
    for i in range(SERVICES):
        put(c, make_service("f%d" % i, clusterIP=VIPS[i]))
        write_slice(c, i, addresses(i))
    lab.start(*args, **kwargs)
    for i in range(SERVICES):
        wait_endpoints(lab, i, addresses(i))
    return Traffic(lab)


def end(lab, c):
    remove_objects(c)
    lab.stop()


def failures(lab, resource="services"):
    return int(re.search(
        r'^ovs_kube_proxy_api_failures_total\{resource="%s"\} (\d+)' %
        resource, lab.metrics(), re.M)[1])


def changes(lab):
    return sum(int(n) for n in re.findall(
        r"^ovs_kube_proxy_changes_total\{.*\} (\d+)", lab.metrics(), re.M))


def warnings(lab, since):
    """Warnings about Services in the log after character "since"."""
    return [line for line in lab.log()[since:].splitlines()
            if "|WARN|" in line and "/api/v1/services: " in line]


def with_cluster_kubeconfig():
    return "--kubeconfig=" + admin()


@with_pods
def test_failure_program(lab, c):
    """The program is killed three times, and once more within many changes: no
    connection is lost."""
    source = with_cluster_kubeconfig()
    traffic = begin(lab, c, source=source)
    for _ in range(2):
        time.sleep(0.5)
        lab.kill()
        time.sleep(0.5)
        lab.start(source=source)
        assert changes(lab) == 0, lab.metrics()
    # Endpoints go while the program is away: their connections stay.
    lab.kill()
    for i in range(SERVICES):
        write_slice(c, i, addresses(i, 4))
    lab.start(source=source)
    for i in range(SERVICES):
        wait_endpoints(lab, i, addresses(i, 4))
    late = time.monotonic() + 1
    for _ in range(3):
        for first in range(12):
            write_slice(c, first % SERVICES,
                        addresses(first % SERVICES, 4 + first))
        lab.kill()
        lab.start(source=source)
    wait_until(lambda: time.monotonic() > late + 1, "there are connections")
    new, kept = traffic.finish_well()
    # No new connection went to them.
    gone = {a for i in range(SERVICES) for a in addresses(i, 0, 4)}
    assert not [e for e in new if e[0] > late and e[3] in gone]
    assert {e[3] for e in kept if e[0] > late} & gone
    end(lab, c)


@with_pods
def test_failure_api_server(lab, c):
    """The API server is killed.  Others take its place: they cannot prove
    their identity, or send garbage or nothing.  Each is complained of once,
    traffic goes on, and at last everything follows the real server."""
    traffic = begin(lab, c, source=with_cluster_kubeconfig())
    sent = changes(lab)
    c.api.kill()
    other = k8s.Pki(os.path.join(World.folder, "impostor"), "other-ca")
    cert = other.issue("s", "/CN=127.0.0.1", "IP:127.0.0.1")
    for what, cert, behave in (
            ("silence", None, None),
            ("certificate", cert, lambda _, sock: respond(sock, "{}")),
            ("nonsense", c.server_cert,
             lambda _, sock: sock.sendall(bytes(range(256))))):
        since, before = len(lab.log()), failures(lab)
        server = BadServer(cert, behave, k8s.PORT)
        wait_until(lambda b=before: failures(lab) > b, "there are failures")
        server.close()
        said = warnings(lab, since)
        # An earlier complaint, about no server at all, is not repeated.
        assert len(said) <= 2, (what, said)
        assert what != "certificate" or not server.requests, server.requests
    assert changes(lab) == sent
    c.start_api()
    for i in range(SERVICES):
        write_slice(c, i, addresses(i, 2))
        wait_endpoints(lab, i, addresses(i, 2))
    wait_until(lambda: "/api/v1/services works again" in lab.log(),
               "Services are watched again")
    traffic.finish_well()
    end(lab, c)


@with_pods
def test_failure_token(lab, c):
    """A token that expires while the program runs, and is renewed."""
    for obj in manifest_objects():
        if obj["kind"] != "DaemonSet":
            put(c, obj)
    folder = os.path.join(World.folder, "expiring")
    write = account(c, folder)
    # A token is valid for another minute, in case clocks differ.
    expires = time.time() + 6
    write(c.token("ovs-kube-proxy", 6 - 60))
    lab.env.update(KUBERNETES_SERVICE_HOST=k8s.HOST,
                   KUBERNETES_SERVICE_PORT=str(k8s.PORT))
    traffic = begin(lab, c, source="--in-cluster=" + folder)
    sent = changes(lab)
    # A watch that has begun goes on.
    while time.time() < expires + 1:
        time.sleep(0.1)
    write_slice(c, 0, addresses(0, 1))
    wait_endpoints(lab, 0, addresses(0, 1))
    assert failures(lab) == 0 and changes(lab) > sent
    since, sent = len(lab.log()), changes(lab)
    c.api.kill()
    c.start_api()
    wait_until(lambda: "HTTP status 401" in lab.log(), "it is refused")
    before = failures(lab)
    wait_until(lambda: failures(lab) > before, "it has tried again")
    assert sum("HTTP status 401" in line for line in warnings(lab, since)) \
        == 1, lab.log()[since:]
    assert changes(lab) == sent
    # Like a kubelet.
    write(c.call("POST", c.path("ServiceAccount", "kube-system") +
                 "/ovs-kube-proxy/token", {
                     "apiVersion": "authentication.k8s.io/v1",
                     "kind": "TokenRequest",
                     "spec": {"expirationSeconds": 600}})["status"]["token"])
    write_slice(c, 0, addresses(0, 2))
    wait_endpoints(lab, 0, addresses(0, 2))
    traffic.finish_well()
    end(lab, c)


def own_flows(lab):
    """The program's flows, in a fixed order."""
    return sorted(line for line in lab.flows() if "0x6b70" in line)


def configuration(lab):
    """The configuration in the switch's database."""
    columns = {
        "Bridge": "name,controller,datapath_type,fail_mode,external_ids,"
                  "other_config,flow_tables,ports,protocols,mirrors",
        "Port": "name,interfaces,tag,trunks,other_config,external_ids",
        "Interface": "name,type,options,ofport_request,other_config",
        "Controller": "target", "Manager": "target",
        "Open_vSwitch": "bridges,manager_options,other_config,external_ids"}
    return {table: json.loads(lab.run(
        "ovs-vsctl", "--format=json", "--columns=" + names, "list", table))
        for table, names in columns.items()}


@with_pods
def test_failure_switch(lab, c):
    """The switch is killed: our flows come back by themselves, and connections
    work again.  With --seed, most connections survive: their packets reach the
    same endpoint as before.  One whose reply was lost with the switch may not.
    The switch's database is not touched."""
    traffic = begin(lab, c, "--seed=77", source=with_cluster_kubeconfig())
    before = configuration(lab)
    ours, groups = own_flows(lab), lab.groups()
    time.sleep(1)
    killed = time.monotonic()
    lab.kill_switch()
    assert not lab.synced()
    # Changes meanwhile are not lost.
    write_slice(c, 0, addresses(0, 1))
    lab.daemon("ovs-vswitchd", "--disable-system")
    wait_until(lambda: own_flows(lab) == ours and lab.synced(),
               "the flows are back")
    assert len(lab.groups()) == len(groups)
    wait_endpoints(lab, 0, addresses(0, 1))
    lab.program()
    back = time.monotonic()
    time.sleep(3)
    (new, failed), (kept, kept_failed) = traffic.finish()
    assert not [e for e in failed if e[0] > back], failed
    late = [e for e in new if e[0] > back]
    assert len(late) > LOAD
    assert len(kept_failed) < HOLD / 2, kept_failed
    print("        away for %.1f s; %d of %d connections begun then failed; "
          "of %d that stayed, %d went on" % (
              back - killed, len(failed),
              len([e for e in new + failed if killed < e[0] < back]),
              HOLD, HOLD - len(kept_failed)), flush=True)
    assert configuration(lab) == before
    end(lab, c)


@with_pods
def test_failure_others(lab, c):
    """Somebody removes all our flows and groups: they come back.  Old
    connections stay.  New ones may be refused until then."""
    traffic = begin(lab, c, source=with_cluster_kubeconfig())
    ours = own_flows(lab)
    gone = []

    def ofctl(*args):
        time.sleep(0.5)
        since = time.monotonic()
        lab.run("ovs-ofctl", "-O", "OpenFlow15", *args)
        wait_until(lambda: lab.synced() and len(lab.groups()) == SERVICES and
                   own_flows(lab) == ours,
                   "all is back")
        gone.append((since, time.monotonic()))

    ofctl("del-flows", "br0", "cookie=0x6b70000000000000/0xffff000000000000")
    ofctl("del-groups", "br0")
    ofctl("del-meters", "br0")
    for table in 62, 64:
        ofctl("add-flow", "br0", "table=%d,priority=0,actions=drop" % table)
    time.sleep(0.5)
    (new, failed), (kept, kept_failed) = traffic.finish()
    assert not kept_failed and kept, kept_failed
    bad = [f for f in failed if not any(
        start < f[1] and f[0] < stop for start, stop in gone)]
    assert not bad, bad
    print("        %d of %d connections were refused, in %.2f s without all "
          "flows" % (len(failed), len(new),
                     sum(stop - start for start, stop in gone)), flush=True)
    end(lab, c)


# Objects that no API server of today would send.  One of tomorrow may, or an
# attacker.
GOOD = make_service(
    "good", clusterIPs=[VIP, VIP6], ipFamilies=["IPv4", "IPv6"],
    type="NodePort", future={"field": [1, {"x": None}]}, ports=[
        {"name": "p", "protocol": "TCP", "port": 80, "targetPort": 8080,
         "nodePort": 30080, "appProtocol": "x", "future": 7}])
SIX = make_service("six", clusterIP="fd00:96::77", ipFamilies=["IPv6"])
MANY = make_service("many", clusterIP="10.96.1.1", ports=[
    {"name": "p%d" % n, "protocol": "TCP", "port": n}
    for n in range(1, 5001)])
MALFORMED = [
    make_service("bad-port", clusterIP="10.96.2.1", ports=[{"port": 70000}]),
    make_service("bad-address", clusterIP="10.96.2.1.1"),
    make_service("bad-type", clusterIP="10.96.2.3", ports={"port": 80}),
    dict(make_service("bad-spec"), spec=[1]),
]
WAS_GOOD = make_service("bad-spec", clusterIP="10.96.2.4")
SLICES = [
    make_slice("good", "a"),
    make_slice("good", "a", ipv6=True),
    make_slice("six", "b", ipv6=True),
]
BAD_SLICES = [
    dict(make_slice("good", "b"), metadata={
        "name": "bad-endpoints", "namespace": "default",
        "labels": {"kubernetes.io/service-name": "good"}}, endpoints=7),
    dict(make_slice("good"), metadata={
        "name": "fqdn", "namespace": "default",
        "labels": {"kubernetes.io/service-name": "good"}},
        addressType="FQDN", endpoints=[{"addresses": ["a.example"]}]),
]
# A node and a cluster with IPv4 alone.
NODE4 = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
         "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"]},
         "status": {"addresses": [
             {"type": "InternalIP", "address": "192.0.2.1"}]}}


class Store:
    """Answers like an API server with these objects, and then sends events by
    send()."""

    def __init__(self, **objects):
        self.objects = objects
        self.version = 1
        self.watches = {}

    def versioned(self, obj):
        return dict(obj, metadata=dict(obj["metadata"],
                                       resourceVersion=str(self.version)))

    def behave(self, request, sock):
        path = request.split(" ", 2)[1]
        kind = path.partition("?")[0].rpartition("/")[2]
        if "watch=1" in path:
            begin_response(sock)
            self.watches[kind] = sock
            time.sleep(3600)
        respond(sock, json.dumps({
            "kind": "List", "apiVersion": "v1",
            "metadata": {"resourceVersion": str(self.version)},
            "items": [self.versioned(o) for o in self.objects[kind]]}))
        return True

    def send(self, kind, *objects):
        wait_until(lambda: kind in self.watches, kind + " are watched")
        for obj in objects:
            self.version += 1
            self.watches[kind].sendall((json.dumps({
                "type": "MODIFIED", "object": self.versioned(obj)}) +
                "\n").encode())


@with_lab
def test_failure_objects(lab, c):
    """Objects that are malformed, of another version or family, or large: each
    is complained of once, and the others work."""
    store = Store(services=[GOOD, SIX, MANY] + MALFORMED,
                  endpointslices=SLICES + BAD_SLICES, nodes=[NODE4])
    server = BadServer(c.server_cert, store.behave)
    lab.start(source="--kubeconfig=" + bad_config(c, server))

    def works(*endpoints):
        names = " ".join(endpoints)
        check(lab, "pod", VIP, names)
        check(lab, "pod", VIP6, "a")
        check(lab, "ext", lab.hosts["node"].ip4, names, True, dport=30080)
        check(lab, "pod", "10.96.1.1", "reject", dport=5000)
        check(lab, "pod", "fd00:96::77", "b")
        # The addresses of IPv6 node ports are not told.
        check(lab, "ext", lab.hosts["node"].ip6, "untouched", dport=30080)

    works("a")
    # The same again and again.
    for _ in range(3):
        store.send("services", *MALFORMED, SIX, GOOD, MANY)
        store.send("endpointslices", *BAD_SLICES)
    # Without a spec the last good object stays.
    store.send("services", WAS_GOOD, *MALFORMED)
    store.send("endpointslices", make_slice("bad-spec", "b"))
    store.send("endpointslices", make_slice("good", "a", "b"))
    lab.wait_shown("default/good", "10.1.0.3:8080")
    works("a", "b")
    check(lab, "pod", "10.96.2.4", "b")
    said = [line for line in lab.log().splitlines() if "|WARN|" in line]
    for obj in MALFORMED + BAD_SLICES[:1]:
        about = [line for line in said if "default/%s: " %
                 obj["metadata"]["name"] in line]
        assert len(about) == 1, said
    assert len(said) == len(MALFORMED) + 1, said
    server.close()
    lab.stop()
