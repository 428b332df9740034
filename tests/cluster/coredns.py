# SPDX-License-Identifier: Apache-2.0

"""CoreDNS, as the DNS of the cluster."""

from images import COREDNS
from nodes import wait_until
from objects import is_ready

NAMESPACE = "kube-system"
NAME = "coredns"
SELECTOR = {"k8s-app": "kube-dns"}
DOMAIN = "cluster.local"
# ClusterIPs, which kubelets tell to pods.
IPS = ["10.96.0.10", "fd00:10:96::a"]
PORT = 53
REPLICAS = 2

COREFILE = """
.:53 {
    errors
    health {
        lameduck 10s
    }
    ready
    kubernetes %s in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    cache 30
    loadbalance
    reload
}
""" % DOMAIN


def meta(name=NAME, **more):
    return dict({"name": name, "namespace": NAMESPACE, "labels": SELECTOR},
                **more)


def account():
    """A service account that may see what has names."""
    role = {"name": "system:coredns"}
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta()},
        {"apiVersion": group + "/v1", "kind": "ClusterRole", "metadata": role,
         "rules": [
             {"apiGroups": [""], "verbs": ["list", "watch"],
              "resources": ["endpoints", "services", "pods", "namespaces"]},
             {"apiGroups": ["discovery.k8s.io"], "verbs": ["list", "watch"],
              "resources": ["endpointslices"]}]},
        {"apiVersion": group + "/v1", "kind": "ClusterRoleBinding",
         "metadata": role,
         "roleRef": dict(role, apiGroup=group, kind="ClusterRole"),
         "subjects": [{"kind": "ServiceAccount", "name": NAME,
                       "namespace": NAMESPACE}]}]


def probe(path, port):
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1}


def template():
    return {
        "metadata": {"labels": SELECTOR},
        "spec": {
            "serviceAccountName": NAME,
            "dnsPolicy": "Default",
            "containers": [{
                "name": NAME, "image": COREDNS, "imagePullPolicy": "Never",
                "args": ["-conf", "/etc/coredns/Corefile"],
                "volumeMounts": [{"name": "config", "readOnly": True,
                                  "mountPath": "/etc/coredns"}],
                "readinessProbe": probe("/ready", 8181)}],
            "volumes": [{"name": "config", "configMap": {"name": NAME}}],
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": SELECTOR}}]}}


def deployment():
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(),
         "data": {"Corefile": COREFILE}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(),
         "spec": {"replicas": REPLICAS, "template": template(),
                  "selector": {"matchLabels": SELECTOR}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("kube-dns"),
         "spec": {"selector": SELECTOR, "clusterIP": IPS[0],
                  "clusterIPs": IPS, "ipFamilyPolicy": "RequireDualStack",
                  "ports": [{"name": "dns", "port": PORT, "protocol": "UDP"},
                            {"name": "dns-tcp", "port": PORT,
                             "protocol": "TCP"}]}}]


class CoreDns:
    """Runs until delete()."""

    def __init__(self, control):
        self.control = control
        for obj in account() + deployment():
            control.create(obj)
        self.wait_ready()

    def pods(self):
        return self.control.list("Pod", "k8s-app=kube-dns", NAMESPACE)

    def names(self):
        return {pod["metadata"]["name"] for pod in self.pods()}

    def wait_ready(self):
        """Waits until all pods are ready, and there are no others."""
        wait_until(lambda: len(self.pods()) == REPLICAS and
                   all(is_ready(pod) for pod in self.pods()),
                   "CoreDNS is ready", 180)

    def delete(self):
        self.control.delete("Deployment", NAME, NAMESPACE)
        self.control.delete("Service", "kube-dns", NAMESPACE)


def start(lab):
    """Makes it, for the first of the tests that need it."""
    if not hasattr(lab, "dns"):
        lab.dns = CoreDns(lab.control)
