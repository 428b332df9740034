# SPDX-License-Identifier: Apache-2.0
"""What many connections do to the main thread, and their memory.

Each figure is of a switch of its own: stock, extended, extended with the cache
on, one after the other.  The connections are those of a Service, answered, so
that the cache has an entry for each direction.  No packets come meanwhile."""

import json
import os
import select
import socket
import statistics
import struct
import time

from packets import Wrong
from switch import FUSE, Switch
from workloads import Service

# Variant: (switch, setting).
VARIANTS = {"stock": ("stock", "default"), "off": ("extended", "default"),
            "on": ("extended", FUSE)}
EVENTS = "idle", "dump", "flush", "expire"
# Seconds until connections expire, for each million of them.
EXPIRE = 20
# Passes of all packets in which the cache must have learned the connections.
LEARN = 30
# Rounds at most: they take minutes.
MAX_ROUNDS = 3
OFPT_HELLO, OFPT_ECHO_REQUEST, OFPT_ECHO_REPLY = 0, 2, 3
OPENFLOW15 = 6


class Unixctl:
    """Commands to the daemon, one at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def send(self, command):
        self.last = b""
        self.socket.sendall(json.dumps({
            "method": command, "params": [], "id": 0}).encode())

    def receive(self):
        """Reads what is there.  Returns true if the answer is complete."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise Wrong("the switch has closed a connection")
        # An answer is one object, whose strings have no braces.
        self.last = self.last[-1000:] + data
        return data.endswith(b"}")

    def text(self):
        """The answer, if it is a short one."""
        answer = json.loads(self.last)
        if answer["error"]:
            raise Wrong(answer["error"])
        return answer["result"]


class Version(Unixctl):
    """Asks for the version."""

    def ask(self):
        self.send("version")


class Echo:
    """Asks for an OpenFlow echo."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self._send(OFPT_HELLO)
        self._data = b""

    def _send(self, kind):
        self.socket.sendall(struct.pack("!BBHI", OPENFLOW15, kind, 8, 0))

    def ask(self):
        self._send(OFPT_ECHO_REQUEST)

    def receive(self):
        self._data += self.socket.recv(1 << 16)
        found = False
        while len(self._data) >= 8:
            _, kind, size, _ = struct.unpack_from("!BBHI", self._data)
            if len(self._data) < size:
                break
            found = found or kind == OFPT_ECHO_REPLY
            self._data = self._data[size:]
        return found


class Watch:
    """Asks the main thread of 'switch' by both ways, a millisecond after each
    answer.  'longest' has the longest times between two answers, in ms."""
    PAUSE = 0.001

    def __init__(self, switch):
        path = os.path.join(switch.dir, "ovs-vswitchd.%d.ctl"
                            % switch.pid_of("ovs-vswitchd"))
        self.command = Unixctl(path)
        self.askers = {"version": Version(path), "echo": Echo(
            os.path.join(switch.dir, "br0.mgmt"))}

    def during(self, command, until, again=False, limit=600):
        """Asks while 'command' is executed, again and again with 'again', and
        until 'until', which is given its answer, has been true for a
        second."""
        now = start = time.monotonic()
        self.longest = dict.fromkeys(self.askers, 0)
        last = dict.fromkeys(self.askers, now)
        due = dict.fromkeys(self.askers, now)
        command_due, over = now, None
        sockets = {a.socket: name for name, a in self.askers.items()}
        sockets[self.command.socket] = None
        while over is None or now < over + 1:
            for name, at in due.items():
                if at is not None and at <= now:
                    self.askers[name].ask()
                    due[name] = None
            if command_due is not None and command_due <= now:
                self.command.send(command)
                command_due = None
            ready, _, _ = select.select(list(sockets), [], [], self.PAUSE)
            now = time.monotonic()
            for one in ready:
                name = sockets[one]
                if name is None:
                    if self.command.receive():
                        if over is None and until(self.command):
                            over = now
                        elif again:
                            command_due = now + 0.5
                elif self.askers[name].receive():
                    self.longest[name] = max(self.longest[name],
                                             1000 * (now - last[name]))
                    last[name], due[name] = now, now + self.PAUSE
            if now > start + limit:
                raise Wrong("%s: not over in %d s" % (command, limit))
        return dict(self.longest, seconds=over - start)


class MainThread(Service):
    name = "main"
    page = 4
    cases = [{"flows": 1000000}, {"flows": 3000000}]
    bytes_per_flow = 3000

    @staticmethod
    def goal(case):
        return None

    def expire_in(self, seconds):
        self.switch.vsctl("del-zone-tp", "netdev", "zone=7")
        self.switch.vsctl("add-zone-tp", "netdev", "zone=7",
                          *("udp_%s=%d" % (state, seconds) for state in (
                              "first", "single", "multiple")))

    def again(self):
        """Makes the connections once more."""
        for source in self.source, self.reply_source, self.source:
            self.traffic.rewind(source)
            self.traffic.send(source, self.n)
        self.learn()

    def learn(self):
        """Sends packets until the cache, if it is on, has entries for 98 % of
        both directions.  Returns the number of entries."""
        for _ in range(LEARN):
            fuse = self.switch.fuse()
            if not fuse or fuse["entries"] >= 0.98 * 2 * self.n:
                return fuse["entries"] if fuse else 0
            self.traffic.send_all([(source, self.n)
                                   for source in self.sources()])
        raise Wrong("the cache has learned %d of %d flows"
                    % (fuse["entries"], 2 * self.n))

    def expect_all(self):
        found = int(self.switch.appctl("dpctl/ct-get-nconns"))
        if found != self.n:
            raise Wrong("%d connections, should be %d" % (found, self.n))

    def figures(self):
        """Returns the memory of a connection, and the longest times between
        two answers of the main thread."""
        self.setup()
        self.traffic.rewind(self.source)
        before = self.switch.memory()
        self.warm()
        entries = self.learn()
        self.expect_all()
        memory = self.switch.memory() - before - os.path.getsize(
            self.replies)
        found = {"bytes": memory / self.n, "entries": entries}
        watch = Watch(self.switch)
        idle = time.monotonic() + 2
        found["idle"] = watch.during(
            "version", lambda _: time.monotonic() > idle, again=True)
        found["dump"] = watch.during("dpctl/dump-conntrack", lambda _: True)
        found["flush"] = watch.during("dpctl/flush-conntrack", lambda _: True)
        self.expire_in(EXPIRE * max(1, self.n // 1000000))
        self.again()
        self.expect_all()
        found["expire"] = watch.during(
            "dpctl/ct-get-nconns", lambda c: c.text().strip() == "0",
            again=True)
        return found


def figures(args, cls, case, pcaps, folder, name, setting):
    """The figures of one switch, which lives only for them."""
    source = os.path.join(args.build, "openvswitch", "pristine"
                          if name == "stock" else "extended-source")
    switch = Switch(name, os.path.join(args.build, "openvswitch", name),
                    source, os.path.join(folder, name), args.library,
                    args.cpus)
    try:
        work = cls(pcaps, switch, name == "extended", case)
        switch.set(setting)
        return work.figures()
    finally:
        switch.end()


def run_case(args, cls, case, pcaps, folder):
    """All rounds of one case.  Returns its row."""
    row = {"row": cls.name, "case": case, "variants": {}, "refused": {},
           "ratios": {}, "goal": None, "page": cls.page}
    rounds = {variant: [] for variant in VARIANTS}
    for _ in range(min(args.rounds, MAX_ROUNDS)):
        for variant, (name, setting) in VARIANTS.items():
            try:
                rounds[variant].append(figures(args, cls, case, pcaps, folder,
                                               name, setting))
            except Wrong as e:
                row["refused"].setdefault(variant, str(e))
    for variant, found in rounds.items():
        if found:
            row["variants"][variant] = {
                "bytes": round(statistics.median(r["bytes"] for r in found)),
                "rounds": found}
    return row


def cells(row, variant):
    """Texts: bytes of a connection, and for each of EVENTS the longest time
    without an answer of any round, to version and echo, in ms."""
    found = row["variants"].get(variant)
    if not found or variant in row["refused"]:
        return ["-"] * (1 + len(EVENTS))
    return ["%d" % found["bytes"]] + ["%.0f, %.0f" % tuple(
        max(r[event][way] for r in found["rounds"])
        for way in ("version", "echo")) for event in EVENTS]


ROWS = [MainThread]
