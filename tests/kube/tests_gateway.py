# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and routes of Gateway API."""

import collections
import contextlib
import glob
import os
import re
import time

from scapy.layers.inet import TCP

from cluster import ApiError, wait_until
from harness import admin
from lab import ip_layer, l4, make_service, make_slice
from tests_proxy import EXTERNAL, check, sports, with_lab
from tests_proxy_api import node, put
from tests_proxy_explain import connect, explain
from tests_proxy_weights import BURST, shares

GROUP = "gateway.networking.k8s.io"
API = GROUP + "/v1"
EXTERNAL6 = "2001:db8:100::2"
# So many connections of one address to one endpoint need as many ports.
MANY_PORTS = "--masquerade-ports=1024-65535"


def gateway_class(name="ours", controller="openvswitch-ext/ovs-kube-proxy"):
    return {"apiVersion": API, "kind": "GatewayClass",
            "metadata": {"name": name},
            "spec": {"controllerName": controller}}


def listener(name, protocol="TCP", port=80, **allowed):
    return {"name": name, "protocol": protocol, "port": port,
            "allowedRoutes": allowed or {"namespaces": {"from": "Same"}}}


def gateway(name, *listeners, addresses=(EXTERNAL,), class_name="ours",
            **metadata):
    return {"apiVersion": API, "kind": "Gateway",
            "metadata": dict({"namespace": "default"}, name=name, **metadata),
            "spec": {"gatewayClassName": class_name,
                     "addresses": [{"type": "IPAddress", "value": address}
                                   for address in addresses],
                     "listeners": list(listeners)}}


def route(name, *backends, kind="TCPRoute", parents=({"name": "g"},),
          **metadata):
    """A route to "backends", pairs of a Service's name and a weight, or
    references as they are."""
    def reference(backend):
        if isinstance(backend, dict):
            return backend
        return {"name": backend[0], "port": 80, "weight": backend[1]}

    return {"apiVersion": API, "kind": kind,
            "metadata": dict({"namespace": "default"}, name=name, **metadata),
            "spec": {"parentRefs": list(parents),
                     "rules": [{"backendRefs": [reference(b)
                                                for b in backends]}]}}


def backend(name, number, *hosts, protocol="TCP", namespace="default"):
    """A Service and its slices, with "hosts" as endpoints."""
    ips = ["10.96.1.%d" % number, "fd00:96::1%02d" % number]
    objects = [make_service(
        name, clusterIP=ips[0], clusterIPs=ips, ipFamilies=["IPv4", "IPv6"],
        ipFamilyPolicy="RequireDualStack",
        ports=[{"name": "p", "protocol": protocol, "port": 80,
                "targetPort": 8080}])]
    objects += [make_slice(name, *hosts, protocol=protocol, ipv6=ipv6)
                for ipv6 in (False, True)]
    for obj in objects:
        obj["metadata"]["namespace"] = namespace
    return objects


BASE = (gateway_class(), gateway("g", listener("l"),
                                 addresses=(EXTERNAL, EXTERNAL6)))


def send_numbered(lab, numbers, dst=EXTERNAL):
    """Opens TCP connections from these ports.  Returns where each came to:
    a host's name, or "reject"."""
    pod = lab.hosts["pod"]
    where = {}
    for i in range(0, len(numbers), BURST):
        part = numbers[i:i + BURST]
        lab.drain()
        for number in part:
            pod.send(ip_layer(pod.address(dst), dst) /
                     TCP(sport=number, dport=80, flags="S", seq=number))
        for name, packet in lab.collect(lambda got: len(got) >= len(part)):
            if name == "pod":
                assert TCP in packet and packet[TCP].flags == "RA", packet
                where[packet[TCP].dport] = "reject"
            else:
                where[l4(packet).seq] = name
        assert all(number in where for number in part), \
            set(part) - set(where)
    return where


def forget(lab):
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "dpctl/flush-conntrack")


@with_lab
def test_gateway_weights(lab, _):
    """10,000 connections come to Services by their weights, whatever the
    number of their endpoints, in both families; another weight moves only as
    many as it must."""
    backends = backend("s", 1, "a") + backend("t", 2, "b", "remote")
    lab.write(*BASE, *backends, route("r", ("s", 90), ("t", 10)))
    lab.start("--gateway-api", MANY_PORTS)
    for vip, n in (EXTERNAL, 10000), (EXTERNAL6, 2000):
        share = shares(lab, vip, n)
        print("        90 and 10, %s: %s %%" % (vip, share), flush=True)
        # 0.3 is the standard deviation of 10,000, 0.7 that of 2,000.
        assert abs(share["a"] - 90) < (1.5 if n == 10000 else 3.5), share
        assert abs(share["b"] - 5) < 3 and abs(share["remote"] - 5) < 3, share

    numbers = list(range(30000, 32000))
    before = send_numbered(lab, numbers)
    forget(lab)
    assert send_numbered(lab, numbers) == before
    forget(lab)
    lab.apply(*BASE, *backends, route("r", ("s", 80), ("t", 20)))
    after = send_numbered(lab, numbers)
    moved = sum(before[n] != after[n] for n in numbers) / len(numbers)
    back = sum(before[n] != "a" and after[n] == "a" for n in numbers)
    print("        90 to 80: %.1f %% moved, %d of %d against the change" %
          (100 * moved, back, len(numbers)), flush=True)
    assert 0.07 < moved < 0.14, moved
    assert back < 0.02 * len(numbers), back
    share = collections.Counter(after.values())
    assert abs(share["a"] / len(numbers) - 0.8) < 0.04, share

    # An endpoint goes: its Service keeps its share.
    forget(lab)
    lab.apply(*BASE, *backend("s", 1, "a"), *backend("t", 2, "remote"),
              route("r", ("s", 80), ("t", 20)))
    gone = send_numbered(lab, numbers)
    share = collections.Counter(gone.values())
    assert abs(share["a"] / len(numbers) - 0.8) < 0.04, share
    moved = sum(after[n] != gone[n] for n in numbers if after[n] != "b")
    lost = sum(after[n] == "b" for n in numbers)
    print("        an endpoint of %d goes: %d others moved" % (lost, moved),
          flush=True)
    assert moved == 0 and lost > 100, (moved, lost)

    # Weight 0 gets nothing; the default is 1.
    lab.apply(*BASE, *backends, route("r", ("s", 0), {"name": "t",
                                                      "port": 80}))
    check(lab, "ext", EXTERNAL, "b remote", True)
    lab.apply(*BASE, *backends, route("r", ("s", 0)))
    check(lab, "ext", EXTERNAL, "reject")
    lab.stop()


@with_lab
def test_gateway_udp(lab, _):
    """A UDPRoute beside a TCPRoute at the same port; its connections end when
    their endpoint serves it no more."""
    base = (gateway_class(),
            gateway("g", listener("t"), listener("u", "UDP"),
                    addresses=(EXTERNAL, EXTERNAL6)))
    objects = [*backend("s", 1, "a"),
               *backend("u", 2, "b", protocol="UDP"),
               *backend("v", 3, "remote", protocol="UDP"),
               route("r", ("s", 1))]
    lab.write(*base, *objects, route("r", ("u", 1), ("v", 1),
                                     kind="UDPRoute"))
    lab.start("--gateway-api")
    for vip in EXTERNAL, EXTERNAL6:
        check(lab, "pod", vip, "a", True)
        check(lab, "ext", vip, "b remote", True, protocol="UDP")
    shown = lab.appctl("service/list")
    assert "default/tcproute/r: 2 ports" in shown, shown
    assert "default/udproute/r: 2 ports" in shown, shown
    shown = lab.appctl("service/show", "default/udproute/r")
    assert "UDP port 80, external IP %s\n    cluster: " % EXTERNAL in shown, \
        shown
    lab.apply(*base, *objects, route("r", ("v", 1), kind="UDPRoute"))
    check(lab, "ext", EXTERNAL, "remote", True, protocol="UDP")
    lab.apply(*base, *objects)
    check(lab, "ext", EXTERNAL, "untouched", protocol="UDP")
    check(lab, "ext", EXTERNAL, "a", True)
    lab.stop()


@with_lab
def test_gateway_backend_gone(lab, _):
    """The share of a Service that cannot be used is rejected."""
    numbers = list(range(30000, 30400))

    def rejected(*objects):
        lab.apply(*BASE, *backend("s", 1, "a"), *objects)
        forget(lab)
        where = collections.Counter(send_numbered(lab, numbers).values())
        assert set(where) <= {"a", "reject"}, where
        return where["reject"] / len(numbers)

    lab.write(*BASE)
    lab.start("--gateway-api")
    r = route("r", ("s", 70), ("t", 30))
    assert rejected(r, *backend("t", 2, "a")) == 0
    for why, objects in (
            ("", backend("t", 2)),
            ("there is no Service default/t", []),
            ("Service default/t has no TCP port 80",
             backend("t", 2, "b", protocol="UDP")),
            ("", [make_service("t", clusterIP="None")]),
            ("Service default/t has no TCP port 80: it is headless",
             [make_service("t", clusterIP="None", ports=[
                 {"name": "p", "protocol": "TCP", "port": 81}])])):
        share = rejected(r, *objects)
        assert abs(share - 0.3) < 0.1, (why, share)
        assert why in lab.log(), lab.log()
        shown = lab.appctl("service/show", "default/tcproute/r")
        assert " reject(weight " in shown, shown
    other = {"name": "t", "kind": "Pod", "port": 80, "weight": 30}
    assert abs(rejected(route("r", ("s", 70), other)) - 0.3) < 0.1
    assert "backend t is not a Service" in lab.log()
    assert rejected(route("r", ("t", 30))) == 1
    assert "reject: there is no endpoint" in lab.appctl(
        "service/show", "default/tcproute/r")
    lab.stop()


def headless(name, *hosts):
    """A headless Service and its slices, as Kubernetes makes them."""
    service, *slices = backend(name, 9, *hosts)
    service["spec"].update(clusterIP="None", clusterIPs=["None"])
    for obj in slices:
        obj["metadata"]["labels"]["service.kubernetes.io/headless"] = ""
    return [service] + slices


@with_lab
def test_gateway_headless(lab, _):
    """A headless Service serves a route, in both families, and nothing
    else."""
    lab.write(*BASE, *backend("s", 1, "a"), *headless("t", "b", "remote"),
              route("r", ("s", 1), ("t", 1)))
    lab.start("--gateway-api")
    for vip in EXTERNAL, EXTERNAL6:
        check(lab, "ext", vip, "a b remote", True)
    shown = lab.appctl("service/list")
    assert "default/t:" not in shown, shown
    shown = lab.appctl("service/show", "default/t")
    assert "nothing to do, since it is headless" in shown, shown
    # Its endpoints come and go, and it becomes one with an address.
    lab.apply(*BASE, *backend("s", 1, "a"), *headless("t", "remote"),
              route("r", ("t", 1)))
    check(lab, "ext", EXTERNAL, "remote", True)
    lab.apply(*BASE, *headless("t"), route("r", ("t", 1)))
    check(lab, "ext", EXTERNAL, "reject")
    lab.apply(*BASE, *backend("t", 9, "b"), route("r", ("t", 1)))
    check(lab, "ext", EXTERNAL, "b", True)
    check(lab, "pod", "10.96.1.9", "b")
    # Slices that are labelled so are none of such a Service.
    service, *_ = backend("t", 9)
    lab.apply(*BASE, service, *headless("t", "b")[1:], route("r", ("t", 1)))
    check(lab, "ext", EXTERNAL, "reject")
    lab.stop()


@with_lab
def test_gateway_explain(lab, _):
    """service/explain follows both groups of a route, now and in the past."""
    asked = [(vip, next(sports)) for vip in [EXTERNAL] * 8 + [EXTERNAL6] * 8]
    services = backend("s", 1, "a") + backend("t", 2, "b", "remote")
    lab.write(*BASE, *services, route("r", ("s", 1), ("t", 1)))
    lab.start("--gateway-api")
    seen = []
    for vip, sport in asked:
        told = explain(lab, "pod", sport, vip)
        assert told["service"] == "default/tcproute/r", told
        assert told["state"] == "gets new connections", told
        seen.append(told["endpoint"])
        assert connect(lab, "pod", sport, vip) == told["endpoint"], told
    assert len({endpoint.rsplit(":", 2)[1] for endpoint in seen}) > 1, seen
    at = "%.3f" % (time.time() + 0.001)
    time.sleep(0.01)
    lab.apply(*BASE, *services, route("r", ("s", 1), ("v", 1)))
    for (vip, sport), endpoint in zip(asked, seen):
        told = explain(lab, "pod", sport, vip, at=at)
        assert told["endpoint"] == endpoint, (told, endpoint)
        assert told["tracked now"] == endpoint, (told, endpoint)
    forget(lab)
    where = set()
    for vip, sport in asked:
        told = explain(lab, "pod", sport, vip)
        again = explain(lab, "pod", sport, vip, at="-0s")
        assert told["endpoint"] == again["endpoint"], (told, again)
        assert (told["endpoint"] == "none") == (
            "as the share of a Service without" in told["reason"]), told
        where.add(told["endpoint"])
    assert "none" in where and len(where) > 1, where
    lab.stop()


def grant(**to):
    return {"apiVersion": API, "kind": "ReferenceGrant",
            "metadata": {"name": "g", "namespace": "other"},
            "spec": {"from": [{"group": GROUP, "kind": "TCPRoute",
                               "namespace": "default"}],
                     "to": [dict({"group": "", "kind": "Service"}, **to)]}}


@with_lab
def test_gateway_grant(lab, _):
    """A Service of another namespace needs a ReferenceGrant there."""
    objects = (*BASE, *backend("t", 2, "b", namespace="other"),
               route("r", {"name": "t", "namespace": "other", "port": 80}))
    wrong = grant()
    wrong["spec"]["from"][0]["kind"] = "UDPRoute"
    elsewhere = grant()
    elsewhere["metadata"]["namespace"] = "default"
    lab.write(*objects)
    lab.start("--gateway-api")
    check(lab, "ext", EXTERNAL, "reject")
    assert "no ReferenceGrant of namespace other permits Service t" in \
        lab.log(), lab.log()
    for refused in wrong, elsewhere, grant(name="u"), grant(kind="Secret"):
        lab.apply(*objects, refused)
        check(lab, "ext", EXTERNAL, "reject")
    for granted in grant(), grant(name="t"):
        lab.apply(*objects, granted)
        check(lab, "ext", EXTERNAL, "b", True)
    lab.apply(*objects)
    check(lab, "ext", EXTERNAL, "reject")
    lab.stop()


@with_lab
def test_gateway_attachment(lab, _):
    """Which routes get which listeners: by name, port, kind and namespace, the
    oldest first; and what serves nothing says why."""
    both = backend("s", 1, "a") + backend("t", 2, "b")

    def expect(port, hosts, *objects):
        lab.apply(gateway_class(), *both, *objects)
        check(lab, "ext", EXTERNAL, hosts, hosts not in ("untouched",
                                                         "reject"),
              dport=port)

    def why(name, text):
        shown = lab.appctl("service/show", "default/tcproute/" + name)
        assert "nothing to do, since " + text in shown, shown

    lab.write()
    lab.start("--gateway-api")
    two = gateway("g", listener("x", port=81), listener("y", port=82))
    by_name = route("r", ("s", 1), parents=[{"name": "g",
                                             "sectionName": "y"}])
    by_port = route("q", ("t", 1), parents=[{"name": "g", "port": 81}])
    expect(82, "a", two, by_name, by_port)
    check(lab, "ext", EXTERNAL, "b", True, dport=81)
    expect(81, "untouched", two, by_name)
    nowhere = route("r", ("s", 1), parents=[{"name": "g", "port": 83}])
    expect(81, "untouched", two, nowhere)
    why("r", "Gateway default/g refuses it: the Gateway has no such listener")

    # The older route gets the listener, by name among equals.
    old = route("z", ("s", 1), creationTimestamp="2026-01-01T00:00:00Z")
    new = route("a", ("t", 1), creationTimestamp="2026-01-02T00:00:00Z")
    expect(81, "a", two, new, old)
    why("a", "Gateway default/g refuses it: the listener has an older route, "
        "default/z")
    expect(81, "b", two, route("z", ("s", 1)), route("a", ("t", 1)))
    expect(81, "b", two, new)

    # So does the older Gateway its address and port.
    first = gateway("z", listener("x", port=81),
                    creationTimestamp="2026-01-01T00:00:00Z")
    second = gateway("a", listener("x", port=81), listener("y", port=82),
                     creationTimestamp="2026-01-02T00:00:00Z")
    routes = (route("r", ("s", 1), parents=[{"name": "z"}]),
              route("q", ("t", 1), parents=[{"name": "a"}]))
    expect(81, "a", first, second, *routes)
    check(lab, "ext", EXTERNAL, "b", True, dport=82)
    expect(81, "b", second, *routes)

    # Two listeners that no packet can tell apart are refused, both.
    twins = gateway("g", listener("x", port=81), listener("w", port=81),
                    listener("y", port=82))
    expect(82, "a", twins, route("r", ("s", 1)))
    check(lab, "ext", EXTERNAL, "untouched", dport=81)
    tls = gateway("g", listener("x", port=81), listener("w", "TLS", port=81))
    expect(81, "untouched", tls, route("r", ("s", 1)))

    # Namespaces and kinds.
    def allowing(**namespaces):
        return gateway("g", listener("x", port=81, namespaces=namespaces),
                       namespace="infra")

    r = route("r", ("s", 1), parents=[{"name": "g", "namespace": "infra"}])
    key = "kubernetes.io/metadata.name"
    expect(81, "untouched", allowing(**{"from": "Same"}), r)
    why("r", "Gateway infra/g refuses it: no listener allows a route of this "
        "kind and namespace")
    expect(81, "a", allowing(**{"from": "All"}), r)
    for name, hosts in ("default", "a"), ("x", "untouched"):
        selector = {"matchLabels": {key: name}}
        expect(81, hosts, allowing(**{"from": "Selector",
                                      "selector": selector}), r)
        selector = {"matchExpressions": [
            {"key": key, "operator": "In", "values": ["y", name]}]}
        expect(81, hosts, allowing(**{"from": "Selector",
                                      "selector": selector}), r)
    for selector in ({"matchLabels": {"team": "x"}}, {},
                     {"matchLabels": {key: "default", "team": "x"}},
                     {"matchExpressions": [{"key": key, "operator":
                                            "NotIn", "values": ["x"]}]}):
        expect(81, "untouched", allowing(**{"from": "Selector",
                                            "selector": selector}), r)
    kinds = [{"kind": "UDPRoute"}]
    expect(81, "untouched", gateway("g", listener(
        "x", port=81, namespaces={"from": "All"}, kinds=kinds),
        namespace="infra"), r)

    # Gateways of others, and without addresses.
    expect(81, "untouched", gateway("g", listener("x", port=81),
                                    class_name="theirs"),
           gateway_class("theirs", "example.net/other"), route("r", ("s", 1)))
    why("r", "it names no Gateway of this program")
    expect(81, "untouched", gateway("g", listener("x", port=81),
                                    addresses=()), route("r", ("s", 1)))
    why("r", "Gateway default/g serves none of its listeners")
    lab.stop()


@with_lab
def test_gateway_example(lab, _):
    """The manifests in the how-to."""
    import yaml
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../Documentation/howto/kube-proxy.md")
    with open(path) as stream:
        blocks = re.findall(r"^```text\n(apiVersion:.*?)^```", stream.read(),
                            re.M | re.S)
    objects = [obj for block in blocks for obj in yaml.safe_load_all(block)]
    assert [obj["kind"] for obj in objects] == [
        "GatewayClass", "Gateway", "TCPRoute"], objects
    lab.write(*objects, *backend("web-1", 1, "a"), *backend("web-2", 2, "b"))
    lab.start("--gateway-api")
    check(lab, "ext", "198.51.100.2", "a b", True)
    lab.stop()


@with_lab
def test_gateway_off(lab, _):
    """Without the option nothing is served."""
    lab.write(*BASE, *backend("s", 1, "a"), route("r", ("s", 1)))
    lab.start()
    check(lab, "ext", EXTERNAL, "untouched")
    assert "tcproute" not in lab.appctl("service/list")
    lab.stop()


@contextlib.contextmanager
def gateway_api(c):
    """The API server has the resources of Gateway API, for a while."""
    import yaml
    crds = []
    for name in "gatewayclasses", "gateways", "tcproutes", "udproutes", \
            "referencegrants":
        path, = glob.glob(os.path.join(c.bin, "gateway-api-*",
                                       "*_%s.yaml" % name))
        with open(path) as stream:
            crds.append(yaml.safe_load(stream))

    def served(crd):
        try:
            c.call("GET", "/apis/%s/%s" % (API, crd["spec"]["names"]
                                           ["plural"]))
            return True
        except ApiError as error:
            # "Too many requests", since its storage is not ready yet.
            assert error.status in (404, 429), error
            return False

    for crd in crds:
        c.create(crd)
    try:
        for crd in crds:
            wait_until(lambda: served(crd), "the API server has %s" %
                       crd["metadata"]["name"])
        yield
    finally:
        for crd in crds:
            c.delete(crd["kind"], crd["metadata"]["name"])
        for crd in crds:
            wait_until(lambda: not served(crd), "%s is gone" %
                       crd["metadata"]["name"])


def put_all(c, *objects):
    for obj in objects:
        put(c, obj)


@with_lab
def test_gateway_api(lab, c):
    """Routes come, change and go in the API server, which may lack Gateway
    API."""
    node(c)
    services = backend("gs", 1, "a") + backend("gt", 2, "b", "remote")
    put_all(c, *services)
    source = "--kubeconfig=" + admin()
    lab.start("--gateway-api", source=source)
    lab.wait_shown("default/gs", "10.1.0.2:8080")
    check(lab, "pod", "10.96.1.1", "a")
    wait_until(lambda: lab.log().count("; going on without") == 5,
               "all kinds are missing")
    lab.stop()

    key = "default/tcproute/r"
    with gateway_api(c):
        put_all(c, *BASE)
        lab.start("--gateway-api", source=source)
        put(c, route("r", ("gs", 1), {"name": "gt", "port": 80}))
        lab.wait_shown(key, "10.1.1.4:8080")
        check(lab, "ext", EXTERNAL, "a b remote", True)
        put(c, route("r", ("gs", 1), ("gt", 0)))
        lab.wait_shown(key, "cluster: 10.1.0.2:8080(local)(weight 65535)\n")
        check(lab, "ext", EXTERNAL, "a", True)
        put(c, route("u", {"name": "gt", "port": 80}, kind="UDPRoute"))
        c.delete("TCPRoute", "r")
        wait_until(lambda: key not in lab.appctl("service/list") and
                   lab.synced(), "the route is gone")
        lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")
        check(lab, "ext", EXTERNAL, "untouched")

        # An object that no listener wants, and back.
        put(c, route("r", ("gs", 1), parents=[{"name": "other"}]))
        lab.wait_shown(key, "it names no Gateway of this program")
        put(c, route("r", ("gs", 1)))
        lab.wait_shown(key, "10.1.0.2:8080")
        check(lab, "ext", EXTERNAL, "a", True)

        # A headless Service, whose slices the server must not leave out.
        services += headless("gh", "b")
        put_all(c, *services[-3:])
        put(c, route("r", ("gh", 1)))
        lab.wait_shown(key, "10.1.0.3:8080")
        check(lab, "ext", EXTERNAL, "b", True)
        lab.stop()
    for obj in services:
        c.delete(obj["kind"], obj["metadata"]["name"])


def conditions(entry):
    """The conditions of a status or of a part of one, "STATUS REASON" by
    type."""
    return {c["type"]: "%s %s" % (c["status"], c["reason"])
            for c in entry.get("conditions", [])}


class Status:
    """The status of objects, as the API server has it."""

    def __init__(self, c):
        self.c = c

    def get(self, kind, name):
        return self.c.call("GET", "%s/%s" % (self.c.path(kind), name))

    def of_route(self, name, kind="TCPRoute"):
        parents = self.get(kind, name).get("status", {}).get("parents", [])
        return [conditions(p) for p in parents if p["controllerName"] ==
                "openvswitch-ext/ovs-kube-proxy"]

    def of_listener(self, name, gateway_name="g"):
        status = self.get("Gateway", gateway_name).get("status", {})
        for entry in status.get("listeners", []):
            if entry["name"] == name:
                return dict(conditions(entry), n=entry["attachedRoutes"],
                            kinds=[k["kind"]
                                   for k in entry["supportedKinds"]])
        return None

    def wait(self, what, expected, *args):
        """Waits until the status has all of "expected"."""
        def reached():
            got = what(*args)
            if got == [] or got is None:
                return got == expected
            got = got[0] if isinstance(got, list) else got
            return expected != [] and all(got.get(k) == v
                                          for k, v in expected.items())

        try:
            wait_until(reached, "the status is right", 30)
        except AssertionError:
            raise AssertionError("%r instead of %r" %
                                 (what(*args), expected)) from None


@with_lab
def test_gateway_status(lab, c):
    """The status that the API server has: conditions, attached routes,
    supported kinds, addresses; it is written once, by one program."""
    node(c)
    status = Status(c)
    services = backend("gs", 1, "a")
    put_all(c, *services)
    args = ["--gateway-api", "--gateway-status=n1"]
    good = {"Accepted": "True Accepted", "ResolvedRefs": "True ResolvedRefs"}
    with gateway_api(c):
        put_all(c, gateway_class(), gateway(
            "g", listener("l"), listener("h", "HTTP", 81),
            addresses=(EXTERNAL, EXTERNAL6)))
        lab.start(*args, source="--kubeconfig=" + admin())
        status.wait(lambda: conditions(status.get("GatewayClass", "ours")
                                       ["status"]),
                    {"Accepted": "True Accepted"})
        status.wait(status.of_listener, {
            "Accepted": "True Accepted", "Programmed": "True Programmed",
            "ResolvedRefs": "True ResolvedRefs",
            "Conflicted": "False NoConflicts", "n": 0,
            "kinds": ["TCPRoute"]}, "l")
        status.wait(status.of_listener, {
            "Accepted": "False UnsupportedProtocol",
            "Programmed": "False Invalid", "kinds": []}, "h")
        got = status.get("Gateway", "g")["status"]
        assert conditions(got) == {"Accepted": "True ListenersNotValid",
                                   "Programmed": "True Programmed"}, got
        assert [a["value"] for a in got["addresses"]] == [
            EXTERNAL, EXTERNAL6], got

        # References: each fault, and its repair.
        put(c, route("r", ("gs", 1)))
        status.wait(status.of_route, good, "r")
        status.wait(status.of_listener, {"n": 1}, "l")
        for reason, backend_ref in (
                ("BackendNotFound", ("missing", 1)),
                ("InvalidKind", {"name": "gs", "kind": "Pod", "group": "",
                                 "port": 80}),
                ("RefNotPermitted", {"name": "gs", "namespace": "kube-system",
                                     "port": 80})):
            put(c, route("r", ("gs", 1), backend_ref))
            status.wait(status.of_route, {
                "Accepted": "True Accepted",
                "ResolvedRefs": "False " + reason}, "r")
        put(c, route("r", ("gs", 1)))
        status.wait(status.of_route, good, "r")

        # Attachment: each fault.
        put(c, route("s", ("gs", 1)))
        status.wait(status.of_route, {"Accepted": "False Conflicted"}, "s")
        put(c, route("s", ("gs", 1), parents=[
            {"name": "g", "sectionName": "none"}]))
        status.wait(status.of_route,
                    {"Accepted": "False NoMatchingParent"}, "s")
        put(c, route("u", ("gs", 1), kind="UDPRoute"))
        status.wait(status.of_route,
                    {"Accepted": "False NotAllowedByListeners"}, "u",
                    "UDPRoute")
        # Another Gateway's route is left alone; our entry goes.
        put(c, route("s", ("gs", 1), parents=[{"name": "other"}]))
        status.wait(status.of_route, [], "s")
        put(c, gateway("other", listener("l"), class_name="ours"))
        status.wait(status.of_listener, {"Accepted": "False PortUnavailable",
                                         "Programmed": "False Invalid"},
                    "l", "other")

        # When nothing changes, nothing is written.
        def versions():
            return [status.get(kind, name)["metadata"]["resourceVersion"]
                    for kind, name in (("GatewayClass", "ours"),
                                       ("Gateway", "g"), ("TCPRoute", "r"),
                                       ("UDPRoute", "u"))]

        def written():
            return int(re.search(
                r'status_patches_total{result="written"} (\d+)',
                lab.metrics())[1])

        # A patch that changes nothing leaves the version alone, but counts.
        # The last one's answer may still be under way.
        before, n = versions(), written()
        put(c, route("t", ("gs", 1), parents=[{"name": "g", "port": 99}]))
        status.wait(status.of_route,
                    {"Accepted": "False NoMatchingParent"}, "t")
        assert versions() == before
        assert written() <= n + 2, (n, written())

        # Nor by a program that starts anew, or by that of another node.
        lab.stop()
        lab.start(*args, source="--kubeconfig=" + admin())
        put(c, route("v", ("gs", 1)))
        status.wait(status.of_route, {"Accepted": "False Conflicted"}, "v")
        assert versions() == before
        # "v" alone, perhaps once more when all older routes are known.
        assert written() <= 2, written()
        lab.stop()
        lab.start(*args, "--gateway-status=n2",
                  source="--kubeconfig=" + admin())
        put(c, route("w", ("gs", 1)))
        lab.wait_shown("default/tcproute/w", "older route")
        assert versions() == before and status.of_route("w") == []
        lab.stop()
    for obj in services:
        c.delete(obj["kind"], obj["metadata"]["name"])


@with_lab
def test_gateway_status_taken(lab, c):
    """A listener's status says that a Service has its address and port, which
    it had before; and that it has gone."""
    node(c)
    status = Status(c)
    services = backend("gs", 1, "a")
    other = backend("go", 2, "b")
    other[0]["spec"]["externalIPs"] = [EXTERNAL]
    put_all(c, *services, *other)
    good = {"Accepted": "True Accepted", "Programmed": "True Programmed"}
    taken = {"Accepted": "False PortUnavailable"}
    with gateway_api(c):
        put_all(c, gateway_class(), gateway(
            "g", listener("l"), addresses=(EXTERNAL, EXTERNAL6)))
        lab.start("--gateway-api", "--gateway-status=n1",
                  source="--kubeconfig=" + admin())
        status.wait(status.of_listener, good, "l")
        put(c, route("r", ("gs", 1)))
        # At the other address it serves.
        status.wait(status.of_listener,
                    dict(taken, Programmed="True Programmed"), "l")
        got = status.get("Gateway", "g")["status"]
        assert conditions(got) == {"Accepted": "True ListenersNotValid",
                                   "Programmed": "True Programmed"}, got
        message, = [entry["message"]
                    for entry in got["listeners"][0]["conditions"]
                    if entry["type"] == "Accepted"]
        assert message == "Service default/go has port 80 of address %s" % \
            EXTERNAL, message
        check(lab, "ext", EXTERNAL, "b", True)
        check(lab, "ext", EXTERNAL6, "a", True)
        put(c, gateway("g", listener("l")))
        status.wait(status.of_listener,
                    dict(taken, Programmed="False Invalid"), "l")
        wait_until(lambda: conditions(status.get("Gateway", "g")["status"]) ==
                   {"Accepted": "False ListenersNotValid",
                    "Programmed": "False Invalid"}, "no listener is served")
        c.delete("Service", "go")
        status.wait(status.of_listener, good, "l")
        lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")
        check(lab, "ext", EXTERNAL, "a", True)
        lab.stop()
    for obj in services + other[1:]:
        c.delete(obj["kind"], obj["metadata"]["name"])
