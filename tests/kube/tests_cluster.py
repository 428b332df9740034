# SPDX-License-Identifier: Apache-2.0

"""Tests of ovs-kube-proxy's readers with a real API server."""

import os
import re

import cluster as k8s
from cluster import account, wait_until
from harness import HERE, Dump, World, admin, endpoint_slice, service


def test_list_and_watch(c):
    """Objects before and after the list, changed ones, deleted ones, and
    objects of others."""
    c.create(service("lw-before"))
    c.create(service("lw-headless", labels={
        "service.kubernetes.io/headless": ""}))
    c.create(service("lw-theirs", labels={
        "service.kubernetes.io/service-proxy-name": "other"}))
    c.create({"apiVersion": "v1", "kind": "Node",
              "metadata": {"name": "lw-other"}})
    dump = Dump("--node=lw-node", admin())
    dump.wait_synced()
    dump.wait("put Service default/lw-before [0-9]+")

    c.create(service("lw-after"))
    c.create(endpoint_slice("lw-slice", "lw-after", "10.0.0.1"))
    node = c.create({"apiVersion": "v1", "kind": "Node",
                     "metadata": {"name": "lw-node"}})
    dump.wait("put Service default/lw-after [0-9]+")
    dump.wait("put EndpointSlice default/lw-slice [0-9]+")
    dump.wait("put Node /lw-node " + node["metadata"]["resourceVersion"])

    n = len(dump.lines)
    changed = c.replace(endpoint_slice("lw-slice", "lw-after", "10.0.0.2"))
    dump.wait("put EndpointSlice default/lw-slice " +
              changed["metadata"]["resourceVersion"])
    c.delete("Service", "lw-after")
    c.delete("EndpointSlice", "lw-slice")
    dump.wait("delete Service default/lw-after", n)
    dump.wait("delete EndpointSlice default/lw-slice", n)

    # With this label the object belongs to somebody else.
    c.call("PATCH", c.path("Service") + "/lw-before",
           {"metadata": {"labels": {
               "service.kubernetes.io/service-proxy-name": "other"}}},
           "application/merge-patch+json")
    dump.wait("delete Service default/lw-before", n)

    said = " ".join(dump.lines)
    for name in "lw-headless", "lw-theirs", "lw-other":
        assert name not in said, name
    assert dump.status()["services", "lists"] == 1
    assert not dump.log, dump.log
    dump.stop()


def test_pages(c):
    """More objects than fit into a page."""
    names = ["page-%d" % i for i in range(1201)]
    for name in names:
        c.create(endpoint_slice(name, "page", "10.0.0.1"))
    dump = Dump(admin())
    dump.wait_synced()
    listed = [line.split()[2] for line in dump.lines
              if line.startswith("put EndpointSlice default/page-")]
    assert sorted(listed) == sorted("default/" + name for name in names)
    assert dump.lines.count("begin EndpointSlice") == 1
    dump.stop()
    c.call("DELETE", c.path("EndpointSlice"))


def test_gone(c):
    """etcd has compacted the version away: status 410, and a list."""
    for name in "gone-stays", "gone-goes":
        c.create(service(name))
    dump = Dump(admin())
    dump.wait_synced()
    dump.wait("put Service default/gone-goes .*")
    n = len(dump.lines)
    # Away for longer than the server remembers versions.
    os.kill(dump.process.pid, 19)
    c.api.kill()
    c.start_api()
    for i in range(5):
        c.call("PATCH", c.path("Service") + "/gone-stays",
               {"metadata": {"annotations": {"i": str(i)}}},
               "application/merge-patch+json")
    c.delete("Service", "gone-goes")
    # The next server's cache begins after all of these.
    c.compact()
    c.api.kill()
    c.start_api()
    os.kill(dump.process.pid, 18)
    dump.wait("end Service", n)
    dump.wait_log("/api/v1/services: listing again")
    lines = dump.lines[n:]
    listed = lines[lines.index("begin Service"):lines.index("end Service")]
    assert any("default/gone-stays" in line for line in listed), listed
    assert not any("gone-goes" in line for line in listed), listed
    c.create(service("gone-after"))
    dump.wait("put Service default/gone-after .*")
    dump.stop()


def test_restart(c):
    """The server is killed, is away for a while, and comes back."""
    dump = Dump(admin())
    dump.wait_synced()
    n = len(dump.lines)
    c.api.kill()
    dump.wait_log("/api/v1/services", 60)
    # After some attempts it is still said once, however long each took.
    wait_until(lambda: dump.status()["services", "failures"] >= 5,
               "there are failures")
    warned = [line for line in dump.log if "|WARN|" in line
              and "/api/v1/services" in line]
    assert len(warned) <= 2, warned
    assert any("Failed to connect" in line for line in warned), warned
    assert not any(re.search(" after [0-9]+ m", line) for line in warned), \
        warned
    # It may have begun to list, and has taken nothing away.
    said = [line for line in dump.lines[n:] if not line.startswith("begin ")]
    assert not said, said
    c.start_api()
    c.create(service("restart-after"))
    dump.wait("put Service default/restart-after .*")
    dump.wait_log("/api/v1/services works again")
    dump.stop()


def test_token(c):
    """A pod's token that has expired, is renewed, and expires again."""
    for obj in manifest_objects():
        if obj["kind"] != "DaemonSet":
            c.create(obj)
    folder = os.path.join(World.folder, "account")
    write = account(c, folder)
    write(c.token("ovs-kube-proxy", -3600))
    dump = Dump("--in-cluster=" + folder,
                env={"KUBERNETES_SERVICE_HOST": k8s.HOST,
                     "KUBERNETES_SERVICE_PORT": str(k8s.PORT)})
    dump.wait_log("/api/v1/services: HTTP status 401")
    wait_until(lambda: dump.status()["services", "failures"] >= 3,
               "there are failures")
    assert dump.count_log("/api/v1/services") == 1, dump.log
    write(c.token("ovs-kube-proxy", 600))
    dump.wait_synced()
    dump.wait_log("/api/v1/nodes works again")

    # A later request uses the present content of the file.
    write("not-a-token")
    c.api.kill()
    c.start_api()
    dump.wait_log("HTTP status 401", count=4)
    n = len(dump.lines)
    write(c.token("ovs-kube-proxy", 600))
    c.create(service("token-after"))
    dump.wait("put Service default/token-after .*", n)
    dump.stop()


def test_forbidden(c):
    """An account without permission: the reason is said once."""
    c.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
        "name": "nobody", "namespace": "kube-system"}})
    dump = Dump(c.kubeconfig("nobody.conf",
                             {"token": c.token("nobody", 600)}))
    dump.wait_log("HTTP status 403: services is forbidden")
    wait_until(lambda: dump.status()["services", "failures"] >= 3,
               "there are failures")
    assert dump.count_log("services is forbidden") == 1, dump.log
    dump.stop()


def test_malformed(c):
    """An object that the store refuses: it is complained of once, and the rest
    goes on."""
    dump = Dump(admin())
    dump.wait_synced()
    bad = service("malformed", annotations={"kube-dump": "malformed"})
    c.create(bad)
    c.create(service("well-formed"))
    dump.wait("put Service default/well-formed .*")
    for i in range(3):
        c.call("PATCH", c.path("Service") + "/malformed",
               {"metadata": {"annotations": {"i": str(i)}}},
               "application/merge-patch+json")
    c.create(service("well-formed-too"))
    dump.wait("put Service default/well-formed-too .*")
    assert dump.count_log("default/malformed: malformed, says") == 1, dump.log
    dump.stop()


def manifest_objects():
    """The objects of the account's and the DaemonSet's manifests."""
    import yaml
    objects = []
    for name in ("kubernetes/accounts/ovs-kube-proxy.yaml",
                 "ovs-kube-proxy/daemonset.yaml"):
        with open(os.path.join(HERE, "../../utilities", name)) as stream:
            objects += [obj for obj in yaml.safe_load_all(stream) if obj]
    return objects


def test_manifest(c):
    """The API server accepts the DaemonSet's manifest."""
    kinds = []
    for obj in manifest_objects():
        path = c.path(obj["kind"], obj["metadata"].get("namespace",
                                                       "default"))
        try:
            c.call("POST", path + "?dryRun=All&fieldValidation=Strict", obj)
        except k8s.ApiError as error:
            # Another test may have made it.
            if error.status != 409:
                raise
            c.call("PUT", path + "/" + obj["metadata"]["name"] +
                   "?dryRun=All&fieldValidation=Strict", obj)
        kinds.append(obj["kind"])
    assert sorted(kinds) == ["ClusterRole", "ClusterRoleBinding", "ConfigMap",
                             "DaemonSet", "ServiceAccount"], kinds
