# SPDX-License-Identifier: Apache-2.0
"""The daemons of one Open vSwitch, with all their files in one folder.

Benches and tests derive their switches from this class.
"""

import os
import signal
import subprocess
import time


class Failed(Exception):
    """A program of Open vSwitch has failed."""


def runs(pid):
    """Is there this process?  One that ended may wait to be reaped."""
    try:
        with open("/proc/%d/stat" % pid) as stream:
            state = stream.read().rsplit(")", 1)[1].split()[0]
        return state not in "ZX" or len(os.listdir("/proc/%d/task" % pid)) > 1
    except OSError:
        return False


class Daemons:
    """'build' is a build folder of Open vSwitch, 'source' that of its source,
    'folder' where files go, 'env' more of the programs' environment."""

    def __init__(self, build, source, folder, **env):
        self.dir = folder
        self.schema = os.path.join(source, "vswitchd", "vswitch.ovsschema")
        self.daemons = []
        self.env = dict(
            os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder,
            OVS_DBDIR=folder, OVS_SYSCONFDIR=folder,
            OVS_PKGDATADIR=os.path.join(source, "vswitchd"),
            PATH=":".join([os.path.join(build, d) for d in
                           ("utilities", "vswitchd", "ovsdb")]
                          + [os.environ["PATH"]]), **env)

    def run(self, *args, stdin=None):
        """Returns what a program prints, or raises Failed."""
        p = subprocess.run(args, env=self.env, input=stdin, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if p.returncode:
            raise Failed("%s: %s: %s" % (self.dir, " ".join(args)[:300],
                                         p.stderr.strip()))
        return p.stdout

    def daemon(self, name, *args, before=()):
        """Starts a daemon, by the command 'before' if there is one."""
        self.run(*before, name, *args, "--pidfile", "--detach", "--no-chdir",
                 "--log-file", "-vconsole:off")
        self.daemons.append(name)

    def create_database(self):
        self.run("ovsdb-tool", "create", self._database(), self.schema)

    def start_database(self, *args):
        self.daemon("ovsdb-server", self._database(), "--remote=punix:"
                    + os.path.join(self.dir, "db.sock"), *args)

    def _database(self):
        return os.path.join(self.dir, "conf.db")

    def pid_of(self, daemon):
        with open(os.path.join(self.dir, daemon + ".pid")) as stream:
            return int(stream.read())

    def end_daemon(self, name, number=signal.SIGTERM):
        """Ends a daemon, by SIGKILL if it does not within 10 s."""
        self.daemons.remove(name)
        try:
            pid = self.pid_of(name)
            for number in number, signal.SIGKILL:
                os.kill(pid, number)
                for _ in range(1000):
                    if not runs(pid):
                        return
                    time.sleep(0.01)
        except (FileNotFoundError, ProcessLookupError):
            pass                # It has ended.

    def end_daemons(self, number=signal.SIGTERM):
        for name in self.daemons[::-1]:
            self.end_daemon(name, number)
