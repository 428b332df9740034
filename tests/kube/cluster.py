# SPDX-License-Identifier: Apache-2.0

"""A Kubernetes control plane on the loopback of this network namespace.

etcd and kube-apiserver, as tests/kube/build made them, with certificates made
here.  There are no controllers and no kubelet: objects are what the test
writes, and pods are what it says they are.
"""

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

HOST = "127.0.0.1"
PORT = 6443
ETCD_PORT = 2379
# Seconds after which a connection is not used again.
IDLE = 20

GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"

COMMON_ARGS = [
    "--allow-privileged=true",
    "--etcd-servers=http://%s:%d" % (HOST, ETCD_PORT),
    "--profiling=false",
    "--secure-port=%d" % PORT,
    "--service-account-issuer=https://kubernetes.default.svc",
    # etcd is compacted by the test, when it wants.
    "--etcd-compaction-interval=0",
]


def wait_until(condition, what, seconds=60):
    """Returns the result of "condition()" once that is true.  Gives up after a
    number of attempts, not by the clock: a machine that stands still for a
    minute has not had the time."""
    for _ in range(int(seconds / 0.02)):
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError("timed out waiting until " + what)


class Daemon:
    """A process that runs until stop() or kill()."""

    def __init__(self, args, log, **kwargs):
        self.log = log
        with open(log, "ab") as stream:
            self.process = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, **kwargs)

    def running(self):
        return self.process.poll() is None

    def end(self, number):
        if self.running():
            self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)


class Pki:
    """A certificate authority in a folder."""

    def __init__(self, folder, name="test-ca"):
        folder = os.path.abspath(folder)
        self.dir = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = self.path("ca.crt")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                 "/CN=" + name, "-keyout", self.path("ca.key"), "-out",
                 self.ca)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, *args):
        subprocess.run(("openssl",) + args, check=True, cwd=self.dir,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def issue(self, name, subject, san=None):
        """Returns the names of a certificate's and its key's file."""
        crt, key = self.path(name + ".crt"), self.path(name + ".key")
        csr, ext = self.path(name + ".csr"), self.path(name + ".ext")
        self.run("req", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                 "-keyout", key, "-out", csr)
        with open(ext, "w") as stream:
            stream.write("keyUsage=digitalSignature\n"
                         "extendedKeyUsage=serverAuth,clientAuth\n")
            if san:
                stream.write("subjectAltName=%s\n" % san)
        self.run("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey",
                 self.path("ca.key"), "-CAcreateserial", "-days", "2",
                 "-extfile", ext, "-out", crt)
        return crt, key


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__("HTTP status %d: %s" % (status, body[:500]))
        self.status = status


def account(cluster, folder):
    """Makes 'folder' one of a service account, as in a pod.  Returns a
    function that writes its token, as a kubelet does."""
    os.mkdir(folder)
    shutil.copy(cluster.pki.ca, os.path.join(folder, "ca.crt"))

    def write(token):
        path = os.path.join(folder, "token")
        with open(path + ".new", "w") as stream:
            stream.write(token + "\n")
        os.rename(path + ".new", path)
    return write


class Cluster:
    """etcd and kube-apiserver from folder "bin", with state in "folder"."""

    # Arguments of kube-apiserver, and the names in its certificate.
    api_args = COMMON_ARGS + [
        "--advertise-address=" + HOST,
        "--authorization-mode=RBAC",
        "--bind-address=" + HOST,
        "--disable-admission-plugins=ServiceAccount",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
    ]
    names = "IP:127.0.0.1,DNS:localhost,DNS:api.test"

    def __init__(self, bin_dir, folder):
        self.bin = bin_dir
        self.dir = folder
        self.pki = Pki(os.path.join(folder, "pki"))
        self.server_cert = self.pki.issue(
            "apiserver", "/CN=kube-apiserver", self.names)
        self.admin_cert = self.pki.issue(
            "admin", "/O=system:masters/CN=admin")
        self.pki.run("genrsa", "-out", self.pki.path("sa.key"), "2048")
        self.etcd = self.api = None
        self.connection = None
        self.used = 0

    def start(self):
        self.start_etcd()
        self.start_api()

    def start_etcd(self):
        url = "http://%s:%d" % (HOST, ETCD_PORT)
        peer = "http://%s:%d" % (HOST, ETCD_PORT + 1)
        self.etcd = Daemon(
            [os.path.join(self.bin, "etcd"), "--name=test",
             "--data-dir=" + os.path.join(self.dir, "etcd"),
             "--listen-client-urls=" + url, "--advertise-client-urls=" + url,
             "--listen-peer-urls=" + peer,
             "--initial-advertise-peer-urls=" + peer,
             "--initial-cluster=test=" + peer, "--unsafe-no-fsync"],
            os.path.join(self.dir, "etcd.log"))

    def start_api(self, wait=True):
        key = self.pki.path("sa.key")
        self.api = Daemon(
            [os.path.join(self.bin, "kube-apiserver")] + self.api_args +
            ["--cert-dir=" + self.dir,
             "--client-ca-file=" + self.pki.ca,
             "--service-account-key-file=" + key,
             "--service-account-signing-key-file=" + key,
             "--tls-cert-file=" + self.server_cert[0],
             "--tls-private-key-file=" + self.server_cert[1]],
            os.path.join(self.dir, "kube-apiserver.log"))
        if wait:
            wait_until(self.is_ready, "kube-apiserver is ready", 180)

    def stop(self):
        for daemon in self.api, self.etcd:
            if daemon:
                daemon.kill()

    def is_ready(self):
        if not self.api.running() or not self.etcd.running():
            raise AssertionError("%s has ended" % (
                "kube-apiserver" if self.etcd.running() else "etcd"))
        try:
            self.call("GET", "/readyz")
            # Made by a hook that runs after the server is ready.
            self.call("GET", "/api/v1/namespaces/default")
            return True
        except (ApiError, OSError, http.client.HTTPException):
            return False

    def call(self, method, path, body=None, kind="application/json"):
        """Sends an HTTP request as administrator.  Returns the decoded
        reply."""
        # The server closes idle connections.
        if self.connection and time.monotonic() > self.used + IDLE:
            self.connection.close()
            self.connection = None
        self.used = time.monotonic()
        if self.connection is None:
            context = ssl.create_default_context(cafile=self.pki.ca)
            context.load_cert_chain(*self.admin_cert)
            self.connection = http.client.HTTPSConnection(
                HOST, PORT, timeout=30, context=context)
        try:
            self.connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": kind})
            response = self.connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if response.status >= 300:
            raise ApiError(response.status, text)
        return json.loads(text) if text.startswith("{") else text

    # Objects.

    PATHS = {
        "Service": "/api/v1/namespaces/%s/services",
        "EndpointSlice":
            "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices",
        "Node": "/api/v1/nodes",
        "Namespace": "/api/v1/namespaces",
        "ServiceAccount": "/api/v1/namespaces/%s/serviceaccounts",
        "ConfigMap": "/api/v1/namespaces/%s/configmaps",
        "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "ClusterRoleBinding":
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "DaemonSet": "/apis/apps/v1/namespaces/%s/daemonsets",
        "ServiceCIDR": "/apis/networking.k8s.io/v1/servicecidrs",
        "CustomResourceDefinition":
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "GatewayClass": GATEWAY_API + "/gatewayclasses",
        "Gateway": GATEWAY_API + "/namespaces/%s/gateways",
        "TCPRoute": GATEWAY_API + "/namespaces/%s/tcproutes",
        "UDPRoute": GATEWAY_API + "/namespaces/%s/udproutes",
        "ReferenceGrant": GATEWAY_API + "/namespaces/%s/referencegrants",
    }

    def path(self, kind, namespace="default"):
        path = self.PATHS[kind]
        return path % namespace if "%s" in path else path

    def create(self, obj):
        namespace = obj["metadata"].get("namespace", "default")
        return self.call("POST", self.path(obj["kind"], namespace), obj)

    def replace(self, obj):
        meta = obj["metadata"]
        path = self.path(obj["kind"], meta.get("namespace", "default"))
        return self.call("PUT", path + "/" + meta["name"], obj)

    def delete(self, kind, name, namespace="default"):
        return self.call("DELETE", self.path(kind, namespace) + "/" + name)

    def compact(self):
        """Makes etcd forget all versions but the present ones."""
        connection = http.client.HTTPConnection(HOST, ETCD_PORT, timeout=30)

        def etcd(path, body):
            connection.request("POST", "/v3/" + path, json.dumps(body))
            return json.loads(connection.getresponse().read())

        key = base64.b64encode(b"/").decode()
        revision = etcd("kv/range", {"key": key})["header"]["revision"]
        etcd("kv/compaction", {"revision": revision, "physical": True})
        connection.close()

    # Ways in.

    def kubeconfig(self, name, user, **cluster):
        """Writes a kubeconfig with user entry "user", returns its name."""
        cluster.setdefault("server", "https://%s:%d" % (HOST, PORT))
        cluster.setdefault("certificate-authority", "pki/ca.crt")
        path = os.path.join(self.dir, name)
        with open(path, "w") as stream:
            json.dump({
                "apiVersion": "v1", "kind": "Config",
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "x", "context": {"cluster": "c",
                                                       "user": "u"}}],
                "current-context": "x"}, stream)
        return path

    def token(self, account, seconds, namespace="kube-system"):
        """Signs a token for the ServiceAccount "account"."""
        uid = self.call("GET", self.path("ServiceAccount", namespace) + "/" +
                        account)["metadata"]["uid"]
        issuer = "https://kubernetes.default.svc"
        now = int(time.time())
        claims = {
            "iss": issuer, "aud": [issuer], "iat": min(now, now + seconds),
            "exp": now + seconds,
            "sub": "system:serviceaccount:%s:%s" % (namespace, account),
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": account, "uid": uid}}}

        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        text = b".".join(encode(json.dumps(part).encode()) for part in
                         ({"alg": "RS256", "typ": "JWT"}, claims))
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.pki.path("sa.key")],
            input=text, stdout=subprocess.PIPE, check=True).stdout
        return (text + b"." + encode(signature)).decode()


def port_is_open(port):
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0
