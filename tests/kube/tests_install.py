# SPDX-License-Identifier: Apache-2.0

"""utilities/kubernetes: what "kubectl apply -k" puts on the nodes."""

import glob
import json
import os
import re
import shutil
import subprocess

import cluster as k8s
from cluster import account, wait_until
from harness import World, admin
from lab import Daemons
from manifests import TREE, Kubectl, write_overlay
from tests_agent import create_node
from tests_proxy_admin import get

NODE = "install-1"
KINDS = 2 * ["ClusterRole"] + 3 * ["ClusterRoleBinding"] + \
    4 * ["ConfigMap"] + 2 * ["DaemonSet"] + 2 * ["ServiceAccount"]
# What each service account must be able to read.
READS = {"ovs-ext-node": ("nodes", "services", "endpointslices"),
         "ovs-kube-proxy": ("nodes", "services", "endpointslices")}


def kubectl(c):
    return Kubectl(c.bin, admin())


def overlay(name, components=(), **values):
    return write_overlay(os.path.join(World.folder, name),
                         ("registry.test/openvswitch-ext", "1"), values,
                         components)


def by_name(objects, kind):
    return {obj["metadata"]["name"]: obj for obj in objects
            if obj["kind"] == kind}


def containers(objects, name):
    pod = by_name(objects, "DaemonSet")[name]["spec"]["template"]["spec"]
    return {container["name"]: container for container in
            pod["initContainers"] + pod["containers"]}


def config_map(objects, name):
    """The ConfigMap that kustomize has given a suffix of this name."""
    found, = [obj for key, obj in by_name(objects, "ConfigMap").items()
              if re.fullmatch(name + "-[a-z0-9]{10}", key)]
    return found


def test_install_manifests(c):
    """The API server accepts them, with hugepages and without."""
    for components in (), ("hugepages",):
        objects = kubectl(c).apply(
            overlay("manifests%d" % len(components), components),
            "--dry-run=server")
        assert sorted(obj["kind"] for obj in objects) == KINDS
        for name in "ovs-ext-switch", "ovs-ext-node":
            for container in containers(objects, name).values():
                assert container["image"] == \
                    "registry.test/openvswitch-ext:1", container
        limits = containers(objects, "ovs-ext-switch")[
            "ovs-vswitchd"]["resources"].get("limits", {})
        options = config_map(objects, "ovs-ext-switch")["data"]["OPTIONS"]
        assert ("hugepages-2Mi" in limits) == bool(components)
        assert options == "other_config:dpdk-init=" + (
            "true" if components else "false")


def test_install_roll_out(c):
    """A change of the configuration is one of the pods that have it."""
    before, after = [
        kubectl(c).apply(overlay("roll-out-" + value, NODE_PORTS=value),
                         "--dry-run=server")
        for value in ("30000-30009", "30000-30019")]
    for objects, value in (before, "30000-30009"), (after, "30000-30019"):
        config = config_map(objects, "ovs-ext-node")
        assert config["data"]["NODE_PORTS"] == value
        for name in "ovs-ext-node", "ovs-kube-proxy":
            container = containers(objects, "ovs-ext-node")[name]
            assert container["envFrom"] == [{"configMapRef": {
                "name": config["metadata"]["name"]}}], container
    assert config_map(before, "ovs-ext-node")["metadata"]["name"] != \
        config_map(after, "ovs-ext-node")["metadata"]["name"]
    assert containers(before, "ovs-ext-switch") == \
        containers(after, "ovs-ext-switch")


def may_list(c, name, resource):
    """May the service account 'name' list a resource?"""
    group = "discovery.k8s.io" if resource == "endpointslices" else ""
    return c.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                  {"apiVersion": "authorization.k8s.io/v1",
                   "kind": "SubjectAccessReview",
                   "spec": {
                       "user": "system:serviceaccount:kube-system:" + name,
                       "resourceAttributes": {"verb": "list", "group": group,
                                              "resource": resource}}}
                  )["status"]["allowed"]


def test_install_mixed(c):
    """All manifests may be applied, in any order: no account loses what its
    programs need."""
    top = os.path.dirname(TREE)
    installations = [["-k", overlay("mixed")]] + [
        ["-f", path] for path in sorted(glob.glob(top + "/ovs-*/*.yaml") +
                                        glob.glob(TREE + "/accounts/ovs-*"))]
    assert len(installations) > 2
    k = kubectl(c)
    try:
        for order in installations, installations[::-1]:
            for what in order:
                k.run("apply", "--server-side", "--force-conflicts", *what)
            refused = [(name, resource) for name, resources in READS.items()
                       for resource in resources
                       if not may_list(c, name, resource)]
            assert not refused, (refused, order)
    finally:
        for what in installations:
            k.run("delete", "--ignore-not-found", *what)


class Machine(Daemons):
    """A node, whose folders are in one of ours."""

    def __init__(self, objects, c):
        super().__init__(
            os.path.join(World.build, "openvswitch/extended"),
            os.path.join(World.build, "openvswitch/extended-source"),
            os.path.join(World.folder, "install"))
        for name in "run", "etc", "bin", "net.d", "cni", "scripts":
            os.makedirs(self.path(name))
        self.env = dict(
            {k: v for k, v in self.env.items() if not k.startswith("OVS_")},
            OVS_RUNDIR=self.path("run"), OVS_DBDIR=self.path("etc"),
            OVS_PKGDATADIR=self.env["OVS_PKGDATADIR"])
        for name in "ovs-ext-node", "ovs-kube-proxy":
            self.env["PATH"] = ":".join([
                os.path.join(World.build, "utilities", name),
                self.env["PATH"]])
        self.objects = objects
        self.account = self.path("account")
        self.write_token = account(c, self.account)
        self.processes = []
        for name in "ovs-ext-switch-scripts", "ovs-ext-cni":
            for key, text in config_map(objects, name)["data"].items():
                with open(self.path("scripts/" + key), "w") as stream:
                    stream.write(self.here(text))
                os.chmod(self.path("scripts/" + key), 0o755)
        # Of the image.  No pod is attached, so those of others need not
        # work.
        shutil.copy(os.path.join(
            World.build, "utilities/ovs-ext-cni/ovs-ext-cni"),
            self.path("cni"))
        for name in "host-local", "loopback", "portmap":
            self.write("cni/" + name, "#!/bin/sh\n")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as stream:
            stream.write(text)
        os.chmod(self.path(name), 0o755)

    def read(self, name):
        with open(self.path(name)) as stream:
            return stream.read()

    def here(self, text):
        """Folders of the containers are ours."""
        for theirs, ours in (
                ("/var/run/openvswitch", self.path("run")),
                ("/etc/openvswitch", self.path("etc")),
                ("/usr/share/openvswitch/vswitch.ovsschema", self.schema),
                ("/usr/lib/cni", self.path("cni")),
                ("/scripts/", self.path("scripts/")),
                ("/config/", self.path("scripts/")),
                ("/host/", self.path(""))):
            text = text.replace(theirs, ours)
        return text

    def command(self, container):
        """The command of a container, and its environment."""
        env = {}
        for source in container.get("envFrom", []):
            env.update(by_name(self.objects, "ConfigMap")[
                source["configMapRef"]["name"]]["data"])
        for var in container.get("env", []):
            env[var["name"]] = var.get("value", NODE)
        args = container["command"] + container.get("args", [])
        args = [re.sub(r"\$\((\w+)\)", lambda m: env[m[1]], arg)
                for arg in args]
        return [self.here("--in-cluster=" + self.account
                          if arg == "--in-cluster" else arg)
                for arg in args], dict(
                    self.env, **{k: self.here(v) for k, v in env.items()})

    def run_to_end(self, container):
        command, env = self.command(container)
        subprocess.run(command, env=env, check=True, timeout=120)

    def start(self, container):
        """It has its own process ids, as in a pod."""
        command, env = self.command(container)
        with open(self.path(container["name"] + ".log"), "w") as log:
            self.processes.append(subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child"] + command,
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def is_well(self, probe):
        if "exec" in probe:
            command = [self.here(arg) for arg in probe["exec"]["command"]]
            return subprocess.run(
                command, env=self.env, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL).returncode == 0
        try:
            return get(probe["httpGet"]["path"],
                       probe["httpGet"]["port"])[0] == 200
        except ConnectionRefusedError:
            return False

    def wait_well(self, container):
        for name in "startupProbe", "livenessProbe", "readinessProbe":
            if name in container:
                wait_until(lambda n=name: self.is_well(container[n]),
                           "%s of %s says so" % (name, container["name"]))

    def status(self):
        """What the installed plugin answers to STATUS."""
        config = json.loads(self.read("net.d/10-ovs-ext.conflist"))
        plugin = dict(config["plugins"][0], name=config["name"],
                      cniVersion="1.1.0")
        return subprocess.run(
            [self.path("bin/ovs-ext-cni")], input=json.dumps(plugin),
            text=True, stdout=subprocess.PIPE, env=dict(
                self.env, CNI_COMMAND="STATUS",
                CNI_PATH=self.path("bin"))).stdout

    def stop(self):
        for process in self.processes[::-1]:
            process.kill()
            process.wait()
        for name in "br-int", "ovs-host0", "ovs-netdev":
            subprocess.run(["ip", "link", "delete", name], check=False,
                           stderr=subprocess.DEVNULL)


def check_database(m, prepare):
    """It is made, stays, and is converted from that of another release."""
    m.run_to_end(prepare)
    m.run_to_end(prepare)
    assert sorted(os.listdir(m.path("etc"))) == [".conf.db.~lock~",
                                                 "conf.db"]
    with open(m.schema) as stream:
        old = json.load(stream)
    version = old["version"]
    old["version"] = "7.0.0"
    del old["tables"]["Port"]["columns"]["cvlans"]
    m.write("old.ovsschema", json.dumps(old))
    os.unlink(m.path("etc/conf.db"))
    m.run("ovsdb-tool", "create", m.path("etc/conf.db"),
          m.path("old.ovsschema"))
    m.run_to_end(prepare)
    for name, version in ("conf.db", version), ("conf.db.7.0.0", "7.0.0"):
        assert m.run("ovsdb-tool", "db-version",
                     m.path("etc/" + name)).strip() == version


def check_plugins(m, install):
    """Ours replaces an old one that is in use; those of others stay."""
    m.write("bin/ovs-ext-cni", "old")
    m.write("bin/portmap", "theirs")
    with open(m.path("bin/ovs-ext-cni")) as old:
        m.run_to_end(install)
        assert old.read() == "old"
    with open(m.path("bin/ovs-ext-cni"), "rb") as ours, \
            open(m.path("cni/ovs-ext-cni"), "rb") as image:
        assert ours.read() == image.read()
    assert m.read("bin/portmap") == "theirs"
    assert sorted(os.listdir(m.path("bin"))) == [
        "host-local", "loopback", "ovs-ext-cni", "portmap"]
    assert os.listdir(m.path("net.d")) == ["10-ovs-ext.conflist"]


def test_install_runs(c):
    """Each container's command runs, with its permissions at the API server,
    until its probes say that it is well."""
    folder = overlay("runs", KUBERNETES_SERVICE_HOST=k8s.HOST,
                     KUBERNETES_SERVICE_PORT=k8s.PORT,
                     SERVICE_CIDR="10.96.0.0/16")
    create_node(c, NODE, 1)
    m = Machine(kubectl(c).apply(folder), c)
    m.write_token(c.token("ovs-ext-node", 3600))
    subprocess.run(["ip", "link", "add", "uplink", "type", "veth", "peer",
                    "name", "network"], check=True)
    subprocess.run(["ip", "address", "add", "192.0.2.1/24", "dev", "uplink"],
                   check=True)
    try:
        switch = containers(m.objects, "ovs-ext-switch")
        node = containers(m.objects, "ovs-ext-node")
        check_plugins(m, node["install-cni"])
        assert "cannot be reached" in m.status()
        check_database(m, switch["prepare-database"])
        for container in (switch["ovsdb-server"], switch["ovs-vswitchd"],
                          node["ovs-ext-node"], node["ovs-kube-proxy"]):
            m.start(container)
            m.wait_well(container)
        assert m.status() == ""
        assert "node-agent=" + NODE in m.run(
            "ovs-vsctl", "get", "Bridge", "br-int", "external_ids")
    finally:
        m.stop()
        subprocess.run(["ip", "link", "delete", "uplink"], check=True)
        kubectl(c).delete(folder)
        c.delete("Node", NODE)
