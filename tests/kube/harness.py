# SPDX-License-Identifier: Apache-2.0

"""Shared by the tests of ovs-kube-proxy's readers."""

import os
import re
import subprocess
import tempfile
import threading

from cluster import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))


class World:
    """Shared by the tests."""

    build = folder = None
    fuse_shown = None           # File for "fuse/show" of each switch, or None.
    cluster = None
    dumps = []


class Skip(Exception):
    """What a test needs is missing."""


class Dump:
    """kube-dump, and its output."""

    def __init__(self, *args, env=None):
        self.lines = []
        self.log = []
        self.ctl = tempfile.mktemp(prefix="dump.", suffix=".ctl",
                                   dir=World.folder)
        self.process = subprocess.Popen(
            [os.path.join(World.build, "tests/kube/kube-dump"),
             "--unixctl=" + self.ctl] + list(args),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, OVS_RUNDIR=World.folder, **(env or {})))
        for stream, lines in ((self.process.stdout, self.lines),
                              (self.process.stderr, self.log)):
            threading.Thread(target=self.read, args=(stream, lines),
                             daemon=True).start()
        World.dumps.append(self)
        wait_until(lambda: self.alive() or os.path.exists(self.ctl),
                   "kube-dump has started")

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def wait(self, line, since=0, seconds=60):
        """Waits for a line that matches the regular expression "line" as a
        whole."""
        regex = re.compile(line)

        def found():
            self.alive()
            return any(regex.fullmatch(s) for s in self.lines[since:])

        wait_until(found, "kube-dump says '%s'" % line, seconds)

    def wait_log(self, text, seconds=60, count=1):
        def found():
            self.alive()
            return self.count_log(text) >= count

        wait_until(found, "kube-dump logs '%s'" % text, seconds)

    def wait_synced(self, since=0):
        for kind in "Service", "EndpointSlice", "Node":
            self.wait("end " + kind, since)

    def count_log(self, text):
        return sum(text in line for line in self.log)

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError("kube-dump has ended with status %d" %
                                 self.process.returncode)

    def appctl(self, *args):
        """Runs a command.  Returns its output."""
        return subprocess.run(
            [os.path.join(World.build,
                          "openvswitch/extended/utilities/ovs-appctl"),
             "-t", self.ctl] + list(args), check=True,
            stdout=subprocess.PIPE, text=True).stdout

    def status(self):
        """A counter of the resource, such as failures or lists."""
        text = self.appctl("status")
        return {(kind, name): int(value) for name, kind, value in re.findall(
            r"^ovs_kube_proxy_api_(\w+)_total{resource=\"(\w+)\"} (\d+)$",
            text, re.M)}

    def memory(self):
        """The most memory that it has used, in MB."""
        with open("/proc/%d/status" % self.process.pid) as stream:
            return int(re.search(r"VmHWM:\s*(\d+)", stream.read())[1]) / 1024

    def stop(self):
        """Ends it, without an error."""
        self.alive()
        self.appctl("exit")
        assert self.process.wait(20) == 0


def service(name, **metadata):
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": dict(metadata, name=name),
            "spec": {"ports": [{"port": 80}]}}


def endpoint_slice(name, service_name, *addresses):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": name, "labels": {
                "kubernetes.io/service-name": service_name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [a]} for a in addresses],
            "ports": [{"port": 8080}]}


def admin():
    return World.cluster.kubeconfig("admin.conf", {
        "client-certificate": "pki/admin.crt",
        "client-key": "pki/admin.key"})
