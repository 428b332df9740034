# SPDX-License-Identifier: Apache-2.0

"""Objects of the tests, and what the cluster makes of them."""

import json
import os
import subprocess
import sys

from images import AGNHOST
from nodes import run, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 8080
# Starts a command outside of the cluster.
OUT = ["ip", "netns", "exec", "out"]


def container(*args, **more):
    return dict({"name": "c", "image": AGNHOST, "imagePullPolicy": "Never",
                 "args": list(args)}, **more)


def server_template(name):
    """Pods that answer by HTTP with their names, evenly on the nodes.  One
    that ends answers for some more seconds, until all know that it ends."""
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "terminationGracePeriodSeconds": 20,
            "containers": [container(
                "netexec", "--http-port=%d" % PORT, "--delay-shutdown=3",
                readinessProbe={"httpGet": {"path": "/hostname",
                                            "port": PORT},
                                "periodSeconds": 1})],
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": name}}}]}}


class Server:
    """A Deployment with a Service of type NodePort, of both families."""

    def __init__(self, control, name, replicas):
        self.control = control
        self.name = name
        selector = {"app": name}
        control.create({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": replicas,
                     "selector": {"matchLabels": selector},
                     "template": server_template(name)}})
        service = control.create({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "NodePort", "selector": selector,
                     "ipFamilyPolicy": "RequireDualStack",
                     "ports": [{"port": 80, "targetPort": PORT}]}})
        self.ips = service["spec"]["clusterIPs"]
        self.node_port = service["spec"]["ports"][0]["nodePort"]
        self.wait_replicas(replicas)

    def pods(self):
        return self.control.list("Pod", "app=" + self.name)

    def names(self):
        return {pod["metadata"]["name"] for pod in self.pods()}

    def wait_replicas(self, number):
        """Waits until there are 'number' pods, all ready, and no others."""
        wait_until(lambda: len(self.pods()) == number and
                   all(is_ready(pod) for pod in self.pods()),
                   "%s has %d pods" % (self.name, number), 180)

    def scale(self, replicas):
        self.control.merge("Deployment", self.name,
                           {"spec": {"replicas": replicas}})

    def delete(self):
        self.control.delete("Service", self.name)
        self.control.delete("Deployment", self.name)


def is_ready(pod):
    """Is this pod ready, and not about to end?"""
    return "deletionTimestamp" not in pod["metadata"] and any(
        c["type"] == "Ready" and c["status"] == "True"
        for c in pod["status"].get("conditions", []))


def create_client(control, node):
    """A pod from which tests ask.  Returns its name."""
    name = "client-" + node.name
    control.create({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"nodeName": node.name, "terminationGracePeriodSeconds": 0,
                 "containers": [container("pause")]}})
    wait_until(lambda: is_ready(control.get("Pod", name)), name + " is ready",
               60)
    return name


def start(lab):
    """Makes what the tests share, for the first of them: a server with two
    pods on each node, and a client on each."""
    if not hasattr(lab, "server"):
        lab.server = Server(lab.control, "server", 4)
        lab.clients = [node.in_pod(create_client(lab.control, node))
                       for node in lab.nodes]


class Traffic:
    """A client, started by 'command' in some namespace.  'program' is
    traffic.py or lookups.py, with its 'args'."""

    def __init__(self, command, *args, program="traffic.py"):
        self.process = subprocess.Popen(           # pylint: disable=R1732
            [*command, sys.executable, os.path.join(HERE, program),
             *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        """Ends it.  Returns its result."""
        try:
            text, _ = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return dict(json.loads(text), of=self.process.args)


def ask(command, address, port=80, path="/hostname"):
    """What a server answers to a client that is started by 'command'."""
    host = "[%s]" % address if ":" in address else address
    return run(*command, "curl", "-sS", "--max-time", "5",
               "http://%s:%d%s" % (host, port, path), check=False)


def wait_all(command, lab, address, port=80):
    """Each pod of the server answers in time."""
    names = lab.server.names()
    seen = set()

    def asked():
        seen.add(ask(command, address, port))
        return seen >= names

    wait_until(asked, "%s answers by %s, not only %s" % (
        address, names, seen), 30)
    assert seen == names, (seen, names)
