# SPDX-License-Identifier: Apache-2.0
"""Two switches on the dummy datapath, run step by step alike and compared.

Time stands still in both but for "warp" steps.  Packets are put into dummy
ports and come out in pcap files, all in the main thread, so that the order on
each port is the same whenever the switches do the same.
"""

import collections
import glob
import json
import os
import re
import shutil
import socket
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import frames
from megaflows import same_sums

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "python"))
# A switch does not do what it is told.
from ovs_daemons import Daemons, Failed as Broken  # noqa: E402

# Room of a dummy port's queue.
QUEUE = 90
N_PORTS = 24
PORTS = 3                       # Of one pipeline.
# Seconds by which timeouts of connections may differ.
SLACK = 6
# Seconds after which a switch is taken to hang.  With a sanitizer it is slow.
TIMEOUT = 600
# Ports 0...N_PORTS-1 of br0 are OpenFlow ports 1...; then tunnels, and the
# underlay bridge's port.
TUNNELS = {"vxlan": 40, "geneve": 41, "gtpu": 42}
UNDERLAY = "u0"
# Of both switches.  Time passes in leaps, so a look at the flows may seem to
# have taken long; flows are not to be deleted for that.  What gets into the
# exact match cache is left to chance, and where megaflows overlap, that says
# which of them a packet meets.
CONFIG = ("max-revalidator=1000000000", "emc-insert-inv-prob=0")
# Open vSwitch 3.5 and later does not install a flow that "dpctl/del-flows" has
# deleted again before so many passes of the revalidators.
MISSED_DUMPS = 4
LOCAL_IP, REMOTE_IP = "172.16.0.1", "172.16.0.2"
REMOTE_MAC = "02:00:00:00:aa:02"


class Different(Exception):
    """The switches did not do the same."""


class Unixctl:
    """A connection to a daemon, kept."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT)
        self._socket.connect(path)
        self._id = 0
        self._buffer = ""
        self._decoder = json.JSONDecoder()

    def send(self, method, *params):
        self._id += 1
        self._socket.sendall(json.dumps(
            {"id": self._id, "method": method,
             "params": list(params)}).encode())

    def receive(self):
        while True:
            if self._buffer:
                try:
                    reply, end = self._decoder.raw_decode(self._buffer)
                    self._buffer = self._buffer[end:].lstrip()
                    break
                except ValueError:
                    pass
            data = self._socket.recv(1 << 20)
            if not data:
                raise Broken("the daemon hung up")
            self._buffer += data.decode(errors="replace")
        if reply.get("error"):
            raise Broken(str(reply["error"]).strip())
        return reply["result"]


class Switch(Daemons):
    def __init__(self, name, build, source, folder, config=(),
                 strict=False):
        self.name = name
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        # Daemons have no terminal for sanitizers to report to.
        super().__init__(build, source, folder, **{
            v: os.environ.get(v, "log_path=%s/sanitizer" % folder)
            for v in ("ASAN_OPTIONS", "TSAN_OPTIONS")})
        self._offset = {}
        self._received = 0
        try:
            self._start(config, strict)
        except BaseException:
            self.end()
            raise

    def _start(self, config, strict):
        self.create_database()
        self.start_database()
        self.vsctl("--no-wait", "init", "--", "set", "open", ".", *[
            "other_config:" + c for c in config])
        self.daemon("ovs-vswitchd", "--enable-dummy=override",
                    "--disable-system", "--disable-system-route",
                    "-vvlog:off", "-vunixctl:off")
        self.pid = self.pid_of("ovs-vswitchd")
        path = os.path.join(self.dir, "ovs-vswitchd.%d.ctl" % self.pid)
        self.ctl, self._waiting = Unixctl(path), Unixctl(path)
        self._wakes, self._halted = 0, False
        args = []
        for bridge in "br0", "br-phy":
            args += ["--", "add-br", bridge, "--", "set", "bridge", bridge,
                     "datapath_type=dummy", "fail-mode=secure",
                     "other-config:hwaddr=02:00:00:00:bb:0%d"
                     % (1 + (bridge != "br0"))]
        self.vsctl(*args[1:])
        # One by one, so that they get the same numbers in the datapath.
        self.ports = ["p%d" % i for i in range(N_PORTS)] + [UNDERLAY]
        for port in self.ports:
            self.vsctl(*self.add_port(port))
            self._offset[port] = 24
        for kind, number in TUNNELS.items():
            self.vsctl("add-port", "br0", kind + "0", "--", "set",
                       "interface", kind + "0", "type=" + kind,
                       "options:remote_ip=flow", "options:key=flow",
                       "ofport_request=%d" % number)
        self.appctl("netdev-dummy/ip4addr", "br-phy", LOCAL_IP + "/24")
        self.appctl("ovs/route/add", LOCAL_IP + "/24", "br-phy")
        if not strict:
            # A cache may relax the check of TCP windows, so that packets
            # out of them, invalid otherwise, go with their connection.
            self.appctl("dpctl/ct-disable-tcp-seq-chk")
        self.appctl("time/stop")

    def add_port(self, port):
        return ["add-port", "br-phy" if port == UNDERLAY else "br0", port,
                "--", "set", "interface", port, "type=dummy",
                "options:tx_pcap=%s/%s.pcap" % (self.dir, port),
                "ofport_request=%d" % (
                    1 if port == UNDERLAY else 1 + int(port[1:]))]

    def vsctl(self, *args):
        return self.run("ovs-vsctl", "--timeout=%d" % TIMEOUT, *args)

    def ofctl(self, *args, lines=None):
        args = ["unix:%s/%s.mgmt" % (self.dir, a)
                if a in ("br0", "br-phy") else a for a in args]
        return self.run("ovs-ofctl", "-OOpenFlow15", *args,
                        stdin="\n".join(lines) + "\n" if lines else None)

    def appctl(self, *args):
        self.ctl.send(*args)
        return self.ctl.receive()

    def wake(self):
        """Has the daemon translate anew what it did not before, and then wake
        the revalidators.  The neighbour that is set belongs to nobody."""
        self._wakes += 1
        self.appctl("tnl/neigh/set", "br-phy", "172.16.0.99",
                    "02:00:00:00:aa:%02x" % (self._wakes & 0xff))

    def start_sync(self):
        """Makes the revalidators look at all flows once, now.  Left alone,
        they would do so some time later, which is at another point of the
        traffic in either switch."""
        self._waiting.send("revalidator/wait")
        self.wake()

    def finish_sync(self):
        self._waiting.receive()

    def halt(self):
        """Has the revalidators stand still: what changes from now on, they
        see all at once.  revalidator/purge leaves out the flow that one has
        locked."""
        if not self._halted:
            self.appctl("revalidator/pause")
            self._halted = True

    def resume(self):
        if self._halted:
            self._halted = False
            self.appctl("revalidator/resume")

    def settle(self):
        """Waits until no thread of the daemon runs or wants to: between two
        looks at them, all have been asleep.  So what waited for the end of
        an RCU grace period has been done, too: deleted rules have gone from
        the classifier, where they made for narrower megaflows."""
        before, deadline = None, time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            threads = self._threads()
            if threads == before and not any("R" in t for t in threads):
                return
            before = threads
        raise Broken("%s: does not come to rest" % self.name)

    def _threads(self):
        """Of each thread, the state and how often it gave up the processor."""
        found = []
        for path in glob.glob("/proc/%d/task/*/status" % self.pid):
            try:
                with open(path) as f:
                    text = f.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found.append(re.findall(
                r"^State:\t(.)|^\w+_ctxt_switches:\t(\d+)", text, re.M))
        return [(t[0][0], *(n for _, n in t[1:])) for t in found if t]

    def received(self):
        """Packets that have been taken from the queues of ports, and so have
        been processed."""
        return sum(int(n) for n in re.findall(
            r"RX packets:(\d+)", self.appctl("dpctl/show", "-s")))

    def inject(self, batch):
        """Puts 'batch', a list of (port, frame), into ports; drain() waits
        until they have been processed."""
        queues = {}
        for port, data in batch:
            queues.setdefault(port, []).append(data)
        for port, packets in queues.items():
            self.ctl.send("netdev-dummy/receive", port, *packets)
        for port in queues:
            self.ctl.receive()
        self._received += len(batch)

    def recount(self):
        """To be called when counters of ports may have begun anew."""
        self._received = self.received()

    def forget_counts(self):
        self._counted = self.count_ports()

    def drain(self):
        """Waits until what has been put into ports has been processed."""
        deadline = time.monotonic() + TIMEOUT
        while self.received() < self._received:
            if time.monotonic() > deadline:
                raise Broken("%s: %d packets are not processed" % (
                    self.name, self._received - self.received()))

    def sent(self):
        """What has come out since the last call: {port: [frame]}."""
        found = {}
        for port in self.ports:
            path = os.path.join(self.dir, port + ".pcap")
            try:
                size = os.path.getsize(path)
            except FileNotFoundError:
                continue
            if size <= self._offset[port]:
                continue
            with open(path, "rb") as f:
                f.seek(self._offset[port])
                data = f.read(size - self._offset[port])
            ofs, packets = 0, []
            while ofs < len(data):
                length = struct.unpack_from("=I", data, ofs + 8)[0]
                packets.append(data[ofs + 16:ofs + 16 + length])
                ofs += 16 + length
            self._offset[port] = size
            found[port] = packets
        return found

    def last_words(self):
        """Of a daemon that has died: why."""
        with open(os.path.join(self.dir, "ovs-vswitchd.log")) as f:
            found = [line.strip() for line in f
                     if re.search(r"\|(EMER|ERR)\|", line)]
        return found[-1] if found else "no last words"

    def alive(self):
        """Whether the daemon runs; asked when something is wrong with it, so
        it is given the time to dump core."""
        for _ in range(100):
            if self._dead():
                return False
            try:
                self.appctl("version")
                return True
            except (Broken, OSError):
                time.sleep(0.1)
        return False

    def _dead(self):
        try:
            with open("/proc/%d/stat" % self.pid) as f:
                return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
        except FileNotFoundError:
            return True

    def end(self):
        try:
            self.resume()
        except (AttributeError, Broken, OSError):
            pass                # It died, or has not been started.
        self.end_daemons()

    # What is compared at checkpoints.

    def flows(self):
        """OpenFlow flows with their statistics."""
        return sorted(re.sub(r"(duration|idle_age|hard_age)=[^,]*,? *|"
                             r"n_offload[^,]*, ", "", line.strip())
                      for bridge in ("br0", "br-phy")
                      for line in self.appctl(
                          "bridge/dump-flows", bridge).splitlines()
                      # Those that nobody can reset.
                      if "table_id=254" not in line)

    def groups(self):
        return sorted(re.sub(r"duration=[^,]*,", "", line.strip())
                      for line in self.ofctl("dump-group-stats",
                                             "br0").splitlines()[1:])

    def count_ports(self):
        """{port: its counters}, since the port is there."""
        return {name: [int(n) for n in numbers] for name, *numbers in
                re.findall(r"port \d+: (\S+).*\s+RX packets:(\d+).*\s+"
                           r"TX packets:(\d+).*\s+.*\s+RX bytes:(\d+).*"
                           r"TX bytes:(\d+)",
                           self.appctl("dpctl/show", "-s"))}

    def port_counts(self):
        """What ports received and sent since the reset."""
        return sorted(
            "%s: RX packets %d, TX packets %d, RX bytes %d, TX bytes %d" % (
                name, *(n - b for n, b in zip(
                    numbers, self._counted.get(name, (0, 0, 0, 0)))))
            for name, numbers in self.count_ports().items())

    def connections(self):
        """Conntrack's entries, without what is counted down by seconds."""
        return sorted(self.appctl("dpctl/dump-conntrack", "-s").splitlines(),
                      key=lambda line: re.sub("timeout=[0-9]*", "", line))

    def megaflows(self):
        """The datapath's flows with their statistics.  Numbers of
        recirculations are left out: they depend on when earlier ones were
        given back."""
        text = self.appctl("dpctl/dump-flows")
        text = re.sub(r"recirc_id\(0x[1-9a-f][0-9a-f]*\)", "recirc_id(X)",
                      text)
        text = re.sub(r"recirc\(0x[0-9a-f]+\)", "recirc(X)", text)
        text = re.sub(r"recirc_id=[0-9]+", "recirc_id=X", text)
        # So are the values that the action lb writes.
        text = re.sub(r"dp_hash\(0x[0-9a-f]+\)", "dp_hash(X)", text)
        text = re.sub(r"lb\([^)]*\)", "lb(X)", text)
        # Without a meaning if the packet is not tracked, and whatever memory
        # held in Open vSwitch 3.1.0.
        text = re.sub(r"(ct_state\([^)]*-trk[^)]*\),)ct_zone\([^)]*\),",
                      r"\1", text)
        # Not exactly the same in two threads.
        text = re.sub(r", used:[^,]*", "", text)
        return sorted(text.splitlines())

    CHECKS = ("flows", "groups", "port_counts", "connections", "megaflows")


def same(name, x, y):
    """Whether two switches' answers to check 'name' mean the same.  A cache
    may refresh the timeout of a connection a little earlier or later, and
    credit another of two megaflows that overlap."""
    if x == y:
        return True
    if name == "megaflows":
        return same_sums(x, y)
    if name != "connections" or len(x) != len(y):
        return False
    pattern = re.compile(r"timeout=(\d+)")
    for a, b in zip(x, y):
        if pattern.sub("", a) != pattern.sub("", b):
            return False
        times = pattern.findall(a) + pattern.findall(b)
        if len(times) == 2 and abs(int(times[0]) - int(times[1])) > SLACK:
            return False
    return True


def bundle_command(words):
    """An ovs-ofctl command, as lines of "ovs-ofctl bundle"."""
    command, _, text = words
    return ["%s %s" % ({"mod-flows": "flow modify", "del-flows": "flow delete",
                        "mod-group": "group modify",
                        "del-groups": "group delete",
                        "insert-buckets": "group insert_bucket"}[command],
                       text)]


# Steps that change rules and groups, as lines of "ovs-ofctl bundle".
BUNDLED = {"flows": lambda what: ["flow add " + w for w in what],
           "groups": lambda what: ["group add " + w for w in what],
           "ofctl": bundle_command}


class Pair:
    """Switch 'a' is the reference, with the cache off."""

    def __init__(self, build, source, folder, config_b, strict=False,
                 stop=None):
        """Once 'stop', an Event, is set, no step is begun any more."""
        self.build, self.source, self.folder = build, source, folder
        self.config_b, self.strict = config_b, strict
        self.switches = []
        self.stop = stop or threading.Event()
        self.totals = collections.Counter()
        self.pool = ThreadPoolExecutor(2)
        self.start()

    def start(self):
        def start(name, config):
            return Switch(name, self.build, self.source,
                          os.path.join(self.folder, name),
                          [*CONFIG, *config], self.strict)

        started = [self.pool.submit(start, "a", ["fuse=off"]),
                   self.pool.submit(start, "b", self.config_b)]
        try:
            self.switches = self.a, self.b = [s.result() for s in started]
        except BaseException:
            wait(started)
            for s in started:
                if not s.exception():
                    s.result().end()
            raise

    def configure(self, config):
        """Gives switch 'b' the settings 'config' of other_config."""
        self.b.vsctl("set", "open", ".", *["other_config:" + c
                                           for c in config])

    def end(self):
        self.count_hits()
        for switch in self.switches:
            switch.end()
        self.switches = []

    def count_hits(self):
        """Adds to 'self.totals' what the cache of 'b' has had to do with."""
        try:
            text = self.b.appctl("fuse/show")
        except (AttributeError, Broken, OSError):
            return              # It died, or has no such command.
        for packets, hits in re.findall(r"packets: (\d+), hits: (\d+)", text):
            self.totals["packets seen"] += int(packets)
            self.totals["hits"] += int(hits)

    def restart(self):
        self.end()
        self.start()

    def reset(self):
        """Brings both to the state in which they were started."""
        self.last, self.normal = {}, False
        self.pending, self.halted, self.deleted = ([], []), True, False

        def clear(s):
            s.halt()
            s.ofctl("bundle", "br0", "-", lines=["flow delete",
                                                 "group delete"])
            s.ofctl("del-meters", "br0")
            s.ofctl("add-flows", "br-phy", "-",
                    lines=["in_port=1,reset_counts,actions=LOCAL",
                           "in_port=LOCAL,reset_counts,actions=1"])
        self.both(clear)
        for s in self.switches:
            s.appctl("dpctl/flush-conntrack")
            s.appctl("fdb/flush", "br0")
            s.appctl("tnl/neigh/set", "br-phy", REMOTE_IP, REMOTE_MAC)
            s.appctl("revalidator/purge")
        self.resume()
        for s in self.switches:
            s.sent()
            s.recount()
            s.forget_counts()

    def step(self, step, mutate=None):
        """Does 'step' in both.  'mutate' changes it for 'b': a test of the
        comparison."""
        (kind, what), = step.items()
        if kind == "reply":
            # What came out of the reference decides, for both.
            batch = []
            for port, packets in sorted(self.last.items()):
                if port in what["ports"]:
                    for p in packets[:what["most"]]:
                        back = frames.turn(p)
                        if back:
                            batch.append((port, back))
            kind, what = "packets", [(p, d.hex()) for p, d in batch]
        if kind not in BUNDLED:
            self.flush_pending()
        changes = kind not in ("packets", "check")
        if changes and not self.halted:
            self.halt()
        elif self.halted and not changes:
            self.resume()
        if "NORMAL" in str(what):
            self.normal = True
        if kind == "appctl" and what[0] == "dpctl/del-flows":
            self.deleted = True
        changed = mutate(kind, what) if mutate else what
        if kind in BUNDLED:
            for pending, w in zip(self.pending, (what, changed)):
                pending += BUNDLED[kind](w) if w is not None else []
            return
        if kind == "packets":
            self.packets(what, changed)
        else:
            self.both(lambda s, w: w is None
                      or getattr(self, "do_" + kind)(s, w), (what, changed))
        if kind == "check":
            self.compare(what)
        self.outputs(step)

    def both(self, function, *args):
        """Calls 'function' for both switches, at once."""
        return list(self.pool.map(function, self.switches, *args))

    def flush_pending(self):
        """Makes the changes of rules and groups that wait, in one go: to
        start a program is what costs time."""
        pending, self.pending = self.pending, ([], [])
        self.both(lambda s, lines: lines and s.ofctl("bundle", "br0", "-",
                                                     lines=lines), pending)

    def halt(self):
        """To be called before changes: statistics go where they belong before
        what they belong to is changed (the datapath's own are lost with a
        port, say)."""
        self.sync()
        self.both(Switch.halt)
        self.halted = True

    def resume(self):
        """To be called after changes: they are in effect before packets
        come."""
        self.both(Switch.settle)
        self.both(Switch.resume)
        self.sync(2 + MISSED_DUMPS if self.deleted else 2)
        self.halted = self.deleted = False

    def sync(self, passes=2):
        """Lets the revalidators finish: the pass that is under way, and one
        more, or 'passes' together."""
        for _ in range(passes):
            for s in self.switches:
                s.start_sync()
            for s in self.switches:
                s.finish_sync()

    def packets(self, *batches):
        """Puts a batch into each switch.

        What comes from two ports of one pipeline meets the same state, so
        the one port's packets have been processed when the other's come;
        pipelines do not know each other.  With NORMAL they do, by what MAC
        addresses are learned: where the same one comes from several ports,
        it is for the revalidators to say who is last."""
        self.totals["packets"] += len(batches[0])
        queues = []
        for batch in batches:
            ports = {}
            for port, data in batch:
                ports.setdefault(port, []).append((port, data))
            # The underlay's are of all pipelines: before the others.
            packets = ports.pop(UNDERLAY, [])
            turns = [packets[i:i + QUEUE]
                     for i in range(0, len(packets), QUEUE)]
            lanes, first = {}, len(turns)
            for port, packets in sorted(ports.items()):
                lane = 0 if self.normal else int(port[1:]) // PORTS
                for i in range(0, len(packets), QUEUE):
                    turn = lanes.get(lane, first)
                    lanes[lane] = turn + 1
                    if turn == len(turns):
                        turns.append([])
                    turns[turn] += packets[i:i + QUEUE]
            queues.append(turns)
        for turn in range(max(map(len, queues))):
            for switch, turns in zip(self.switches, queues):
                if turn < len(turns):
                    switch.inject(turns[turn])
            for switch in self.switches:
                switch.drain()
            if self.normal and turn < max(map(len, queues)) - 1:
                self.sync()

    def outputs(self, step):
        sent = [s.sent() for s in self.switches]
        if any(sent[0].values()):
            self.last = sent[0]
        for s in sent:
            # Many pipelines' tunnels end here, in no order.
            if UNDERLAY in s:
                s[UNDERLAY].sort()
        if sent[0] != sent[1]:
            for port in sorted(set(sent[0]) | set(sent[1])):
                x, y = sent[0].get(port, []), sent[1].get(port, [])
                if x == y:
                    continue
                for i in range(max(len(x), len(y))):
                    p = x[i].hex() if i < len(x) else "nothing"
                    q = y[i].hex() if i < len(y) else "nothing"
                    if p != q:
                        raise Different(
                            "port %s, packet %d of %d and %d:\n  a: %s\n"
                            "  b: %s" % (port, i, len(x), len(y), p, q))

    def do_meters(self, switch, what):
        for meter in what:
            switch.ofctl("add-meter", "br0", meter)

    def do_appctl(self, switch, what):
        switch.appctl(*what)

    def do_warp(self, switch, what):
        """A long time passes in ten leaps.  Not in ten steps of one command,
        for between them the main thread sleeps as long as its timers say, in
        real time."""
        leaps = 10 if what > 1000 else 1
        for _ in range(leaps):
            switch.appctl("time/warp", str(what // leaps))

    def do_replug(self, switch, what):
        """Takes port 'what' away and brings it back."""
        switch.vsctl("del-port", "br0", what)
        switch.vsctl(*switch.add_port(what))
        switch.recount()
        switch._counted.pop(what, None)

    def do_check(self, switch, what):
        pass

    def compare(self, what):
        """Compares all statistics.  They may take a moment to be brought
        where they belong."""
        self.sync()
        self.totals["checks"] += 1
        for name in what or Switch.CHECKS:
            found = []
            for attempt in range(30):
                found = self.both(lambda s: getattr(s, name)())
                if same(name, *found):
                    break
                time.sleep(0.005 * attempt)
                self.sync()
            else:
                x, y = [[str(line) for line in f] for f in found]
                raise Different("%s:\n%s" % (name, "\n".join(
                    ["  a: " + line for line in x if line not in y]
                    + ["  b: " + line for line in y if line not in x])
                    or "  in another order"))
