# SPDX-License-Identifier: Apache-2.0

"""The systemd unit, run by a systemd in namespaces of its own."""

import os
import re
import signal
import subprocess

from cluster import wait_until
from harness import Skip, World
from lab import make_service, make_slice
from tests_proxy import VIP, check, with_lab

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEMD = "/lib/systemd/systemd"
DEFAULTS = "/etc/default/ovs-kube-proxy"


class Systemd:
    """A systemd with the unit, the program, and the folder of the lab where
    the program has its own."""

    def __init__(self, lab):
        if not os.path.exists(SYSTEMD):
            raise Skip("there is no systemd")
        self.folder = os.path.join(World.folder, "systemd")
        self.cgroup = "ovs-kube-proxy-test-%d" % os.getpid()
        self.pid = None
        self.log = os.path.join(self.folder, "log")
        os.mkdir(self.folder)
        for name in "console", "defaults":
            with open(os.path.join(self.folder, name), "w"):
                pass
        unit = os.path.join(World.build, "utilities/ovs-kube-proxy",
                            "ovs-kube-proxy.service")
        with open(unit) as stream:
            text = stream.read()
        self.lab = lab
        self.rundir = os.path.dirname(re.search("PIDFile=(.*)", text)[1])
        program = re.search(r"ExecStart=(\S+)", text)[1]
        tools = os.path.join(World.build, "openvswitch/extended/utilities")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child", "--mount",
                 "--uts", "--ipc", "--net",
                 os.path.join(HERE, "systemd-boot"), self.folder, self.cgroup,
                 "%s:/etc/systemd/system/ovs-kube-proxy.service" % unit,
                 "%s:%s" % (lab.program_path(), program),
                 "%s/ovs-appctl:%s/ovs-appctl" % (tools,
                                                  os.path.dirname(program)),
                 "%s:%s" % (lab.dir, self.rundir),
                 "%s:/srv/manifests" % lab.manifests,
                 "%s/defaults:%s" % (self.folder, DEFAULTS)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def boot(self):
        def is_up():
            if self.process.poll() is not None:
                with open(self.log) as stream:
                    raise Skip("no systemd of its own: " + stream.read())
            return self.find_pid() and "running" in self.run(
                "systemctl", "is-system-running", check=False)

        wait_until(is_up, "systemd is up")

    def find_pid(self):
        """The host's process id of its process 1."""
        path = "/proc/%d/task/%d/children" % (self.process.pid,
                                              self.process.pid)
        with open(path) as stream:
            children = stream.read().split()
        if children and os.readlink("/proc/%s/exe" % children[0]).endswith(
                "/systemd"):
            self.pid = int(children[0])
        return self.pid

    def run(self, *args, check=True):
        """The output of a command in it."""
        return subprocess.run(
            ["nsenter", "--target=%d" % self.pid, "--mount", "--pid", "--uts",
             "--ipc", "--net", "--root", "--wd", "env", "-i",
             "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] +
            list(args), check=check, text=True, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT).stdout

    def systemctl(self, *args, check=True):
        return self.run("systemctl", "--no-pager", *args, "ovs-kube-proxy",
                        check=check)

    def show(self, name):
        return self.systemctl("show", "--value", "--property=" + name).strip()

    def appctl(self, *args, check=True):
        return self.run("ovs-appctl", "-t", "ovs-kube-proxy", *args,
                        check=check)

    def wait_synced(self):
        wait_until(lambda: self.appctl(
            "sync/status", check=False).startswith("synced\n"), "it is synced")
        # The datapath follows the tables at its own pace.
        self.lab.run("ovs-appctl", "-t", "ovs-vswitchd", "revalidator/wait")

    def arguments(self, text):
        with open(os.path.join(self.folder, "defaults"), "w") as stream:
            stream.write("ARGS=%s\n" % text)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        # All of it ends with its process 1.
        wait_until(lambda: not self.pid or
                   not os.path.exists("/proc/%d" % self.pid),
                   "systemd has ended")
        remove_cgroup(self.folder, self.cgroup)


def remove_cgroup(folder, name):
    """Its cgroups, which are visible everywhere only in a mount of our own."""
    script = ('mount --make-rprivate / && mount -t cgroup2 cgroup2 "$1" && '
              'test ! -d "$1/$2" || find "$1/$2" -depth -type d -delete')
    subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                    os.path.join(folder, "cgroup"), name], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@with_lab
def test_systemd_unit(lab, _):
    """Wrong options, right ones, a crash, a restart, and the end."""
    good = "--from-file=/srv/manifests --node=n1 --next-table=20 br0"
    systemd = Systemd(lab)
    try:
        systemd.boot()
        said = systemd.run("systemd-analyze", "verify", "--man=no",
                           "ovs-kube-proxy.service")
        assert not said, said

        # "start" fails; more attempts follow, and do not end.
        systemd.arguments("--from-file=/none --node=n1 br0")
        said = systemd.systemctl("start", check=False)
        assert "failed" in said, said
        assert "/none: No such file" in systemd.run(
            "journalctl", "--no-pager", "--unit=ovs-kube-proxy")
        wait_until(lambda: int(systemd.show("NRestarts")) >= 2,
                   "it was tried again")

        # A repaired configuration is used.
        lab.write(make_service("s"), make_slice("s", "a"))
        systemd.arguments(good)
        systemd.wait_synced()
        check(lab, "pod", VIP, "a")
        assert systemd.systemctl("is-active").strip() == "active"

        # Killed: it starts again by itself, and the flows stay.
        flows = lab.flows()
        pid = systemd.show("MainPID")
        systemd.run("kill", "-9", pid)
        wait_until(lambda: systemd.show("MainPID") not in ("0", pid),
                   "another one runs")
        systemd.wait_synced()
        assert lab.flows() == flows
        # It follows the manifests.
        lab.write(make_service("s"), make_slice("s", "b"))
        wait_until(lambda: "10.1.0.3:8080" in systemd.appctl(
            "service/show", "default/s"), "the change is read")
        systemd.wait_synced()
        check(lab, "pod", VIP, "b")

        # Other arguments.
        systemd.arguments(good.replace("br0", "--seed=7 br0"))
        systemd.systemctl("restart")
        systemd.wait_synced()
        check(lab, "pod", VIP, "b")
        flows = lab.flows()
        systemd.systemctl("stop")
        assert systemd.show("ActiveState") == "inactive"
        assert systemd.show("Result") == "success"
        assert lab.flows() == flows
        check(lab, "pod", VIP, "b")
    finally:
        systemd.close()
