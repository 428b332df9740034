# SPDX-License-Identifier: Apache-2.0

"""The control plane of the cluster, in the network namespace of the test."""

import os

import yaml

from cluster import COMMON_ARGS, PORT, Cluster, Daemon, wait_until
from nodes import SERVICES4, SERVICES6

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
# Where nodes and pods find the API server.
ADDRESS = "192.0.2.254"
PODS = "10.244.0.0/16,fd00:10:244::/48"
# Manifests that give the programs of the network their permissions.
MANIFESTS = ("utilities/kubernetes/accounts/ovs-ext-node.yaml",
             "utilities/kubernetes/accounts/ovs-kube-proxy.yaml")


class Control(Cluster):
    """etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

    names = Cluster.names + ",IP:%s,IP:10.96.0.1" % ADDRESS
    PATHS = dict(
        Cluster.PATHS,
        Deployment="/apis/apps/v1/namespaces/%s/deployments",
        Pod="/api/v1/namespaces/%s/pods")

    def __init__(self, programs, folder):
        os.mkdir(folder)
        super().__init__(programs, folder)
        kubelet = self.pki.issue("kubelet-client",
                                 "/O=system:masters/CN=kubelet-client")
        self.api_args = COMMON_ARGS + [
            "--advertise-address=" + ADDRESS,
            "--authorization-mode=Node,RBAC",
            "--bind-address=0.0.0.0",
            "--kubelet-client-certificate=" + kubelet[0],
            "--kubelet-client-key=" + kubelet[1],
            # There is no DNS for nodes.
            "--kubelet-preferred-address-types=InternalIP",
            "--service-cluster-ip-range=%s,%s" % (SERVICES4, SERVICES6),
        ]
        self.daemons = []

    def start(self):
        super().start()
        config = self.client("controllers", "/O=system:masters/CN=controllers")
        common = ["--kubeconfig=" + config, "--leader-elect=false",
                  "--bind-address=127.0.0.1", "--cert-dir=" + self.dir]
        self.daemon("kube-scheduler", *common)
        self.daemon("kube-controller-manager", *common,
                    "--allocate-node-cidrs", "--cluster-cidr=" + PODS,
                    "--service-cluster-ip-range=%s,%s" %
                    (SERVICES4, SERVICES6),
                    "--root-ca-file=" + self.pki.ca,
                    "--service-account-private-key-file=" +
                    self.pki.path("sa.key"))
        wait_until(lambda: any(
            n["metadata"]["name"] == "kube-system"
            for n in self.list("Namespace")), "there is kube-system")
        for name in MANIFESTS:
            with open(os.path.join(TOP, name)) as stream:
                for obj in yaml.safe_load_all(stream):
                    self.create(obj)

    def daemon(self, name, *args):
        self.daemons.append(Daemon(
            [os.path.join(self.bin, name), *args],
            os.path.join(self.dir, name + ".log")))

    def stop(self):
        for daemon in self.daemons:
            daemon.kill()
        super().stop()

    # Ways in, for the nodes.

    def client(self, name, subject):
        """A kubeconfig with a certificate for 'subject'."""
        crt, key = self.pki.issue(name, subject)
        return self.kubeconfig(name + ".conf", {
            "client-certificate": crt, "client-key": key}, **self.server())

    def account(self, name):
        """A kubeconfig of a service account, whose token lasts a day."""
        return self.kubeconfig(name + ".conf", {
            "token": self.token(name, 86400)}, **self.server())

    def server(self):
        return {"server": "https://%s:%d" % (ADDRESS, PORT),
                "certificate-authority": self.pki.ca}

    # Objects.

    def get(self, kind, name, namespace="default"):
        return self.call("GET", self.path(kind, namespace) + "/" + name)

    def list(self, kind, selector=None, namespace="default"):
        path = self.path(kind, namespace)
        if selector:
            path += "?labelSelector=" + selector
        return self.call("GET", path)["items"]

    def merge(self, kind, name, change, namespace="default"):
        return self.call("PATCH", self.path(kind, namespace) + "/" + name,
                         change, "application/merge-patch+json")
