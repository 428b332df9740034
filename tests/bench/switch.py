# SPDX-License-Identifier: Apache-2.0
"""One Open vSwitch with one PMD thread, or with one on each of two processors,
in a network namespace of its own."""

import os
import re
import shutil
import signal
import sys
import time

from traffic import Traffic

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "python"))
from ovs_daemons import Daemons, Failed  # noqa: E402

# Settings for parts of 3.1 that have several implementations.  The switch
# refuses those that the build or the processor lacks.
AVX512 = [["dpif-netdev/dpif-impl-set", "dpif_avx512"],
          ["dpif-netdev/miniflow-parser-set", "study"],
          ["dpif-netdev/subtable-lookup-prio-set", "avx512_gather", "5"],
          ["odp-execute/action-impl-set", "avx512"]]
SCALAR = [["dpif-netdev/dpif-impl-set", "dpif_scalar"],
          ["dpif-netdev/miniflow-parser-set", "scalar"],
          ["dpif-netdev/subtable-lookup-prio-set", "avx512_gather", "0"],
          ["odp-execute/action-impl-set", "scalar"]]
# Name: (one new flow in so many is put into the EMC, SMC, commands).
SETTINGS = {
    "default": (100, False, SCALAR),
    "no-emc": (0, False, SCALAR),
    "smc": (0, True, SCALAR),
    "avx512": (100, False, AVX512),
    "avx512-no-emc": (0, False, AVX512),
    "avx512-smc": (0, True, AVX512),
}


FUSE = "fuse"                   # other_config:fuse=on, else as installed...
FUSE_AND = "fuse+"              # ...or with one of SETTINGS.


def check_library(path):
    """Raises Failed unless 'path' is made from this bench-traffic.c."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "bench-traffic.c")
    if not os.path.exists(path):
        problem = "is missing"
    elif os.path.getmtime(path) < os.path.getmtime(source):
        problem = "is older than " + source
    else:
        return
    raise Failed("%s %s: run 'make tests/bench/bench-traffic.so' in the build "
                 "folder" % (path, problem))


class Switch(Daemons):
    """'build' is a build folder of Open vSwitch, 'source' where its schema
    is, 'folder' where files go, 'library' bench-traffic.so, 'options' more of
    ovs-vswitchd.  The main thread has the first of 'cpus'.  The first of
    'threads' PMD threads has the second, the other one shares the first."""

    def __init__(self, name, build, source, folder, library, cpus,
                 memory=768, options=(), threads=1):
        check_library(library)
        self.name, self.build = name, build
        self.library, self.cpus = library, cpus
        self.pmd_cpus = [cpus[1], cpus[0]][:threads]
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.traffic = Traffic(folder)
        super().__init__(build, source, folder,
                         BENCH_TRAFFIC=self.traffic.path)
        self._stopped = False
        self._pmds = []
        self._ports = {}
        # Processes that stop and end with the switch.
        self.companions = []
        # The setting with which it last settled, and its shares then.
        self.settled = None, {}
        self._set = None
        try:
            self._start(library, cpus, memory, options)
        except BaseException:
            self.end()
            raise

    def _start(self, library, cpus, memory, options):
        self.create_database()
        self.start_database()
        # Flows must not time out while a switch stands still for the other's
        # turn.
        self.vsctl("--no-wait", "init", "--", "set", "open", ".",
                   "other_config:dpdk-init=true",
                   "other_config:dpdk-extra=--no-pci --in-memory",
                   "other_config:dpdk-socket-mem=%d" % memory,
                   "other_config:dpdk-lcore-mask=%#x" % (1 << cpus[0]),
                   "other_config:pmd-cpu-mask=%#x"
                   % sum(1 << cpu for cpu in self.pmd_cpus),
                   "other_config:max-idle=600000",
                   "--", "--id=@dp", "create", "Datapath",
                   "datapath_version=0",
                   "--", "set", "open", ".", "datapaths:netdev=@dp")
        self.daemon("ovs-vswitchd", "--disable-system", *options,
                    before=("unshare", "-n", "env", "LD_PRELOAD=" + library))
        commands = self.appctl("list-commands")
        self.has_fuse = "fuse/show" in commands

    def vsctl(self, *args):
        return self.run("ovs-vsctl", "--timeout=20", *args)

    def appctl(self, *args):
        return self.run("ovs-appctl", "--timeout=60", "-t",
                        os.path.join(self.dir, "ovs-vswitchd.%d.ctl"
                                     % self.pid_of("ovs-vswitchd")), *args)

    def ofctl(self, verb, bridge, lines):
        self.run("ovs-ofctl", "-OOpenFlow15", "--bundle", verb, bridge, "-",
                 stdin="\n".join(lines) + "\n")

    def flows(self, bridge, lines):
        self.ofctl("add-flows", bridge, lines)

    def meters(self, bridge, lines):
        for line in lines:
            self.run("ovs-ofctl", "-OOpenFlow15", "add-meter", bridge, line)

    def groups(self, bridge, lines):
        self.ofctl("add-groups", bridge, lines)

    def bridge(self, name):
        self.vsctl("add-br", name, "--", "set", "bridge", name,
                   "datapath_type=netdev", "fail-mode=secure")

    def keep_connections(self, zone):
        """Lets no UDP connection of 'zone' time out.  Call it after bridge():
        Open vSwitch ignores it before."""
        self.vsctl("--may-exist", "add-zone-tp", "netdev", "zone=%d" % zone,
                   "udp_first=3600", "udp_single=3600", "udp_multiple=3600")

    def port(self, bridge, port, number, thread=0):
        """Adds 'port' of the traffic as OpenFlow port 'number', to be polled
        by PMD thread 'thread' if there are two."""
        pin = (["other_config:pmd-rxq-affinity=0:%d" % self.pmd_cpus[thread]]
               if len(self.pmd_cpus) > 1 else [])
        name = "p%d" % len(self._ports)
        self._ports[port.device] = name
        self.vsctl("add-port", bridge, name, "--", "set", "interface", name,
                   "type=dpdk", "ofport_request=%d" % number,
                   *pin,
                   "options:dpdk-devargs=%s,size=64%s"
                   % (port.device, ",no-rx=1" if port["sink"] else ""))
        error = self.vsctl("get", "interface", name, "error").strip()
        if error != "[]":
            raise Failed("%s: port %s: %s" % (self.name, name, error))

    def address(self, bridge, prefix):
        """Gives 'bridge' an address, for tunnels, and returns its MAC."""
        pid = str(self.pid_of("ovs-vswitchd"))
        self.run("nsenter", "-t", pid, "-n", "ip", "address", "add", prefix,
                 "dev", bridge)
        self.run("nsenter", "-t", pid, "-n", "ip", "link", "set", bridge,
                 "up")
        text = self.vsctl("get", "interface", bridge, "mac_in_use")
        return bytes.fromhex(text.strip().strip('"').replace(":", ""))

    def set(self, setting):
        """Sets the caches and implementations: one of SETTINGS, FUSE, or
        FUSE_AND with one of SETTINGS.  Returns False if it is not there."""
        if setting == self._set:
            return True
        fuse = setting.startswith(FUSE)
        rest = setting[len(FUSE_AND):] if fuse else setting
        emc, smc, commands = SETTINGS[rest or "default"]
        self._set = None
        self.settled = None, {}
        self.vsctl("set", "open", ".",
                   "other_config:emc-insert-inv-prob=%d" % emc,
                   "other_config:smc-enable=%s" % str(smc).lower(),
                   "other_config:fuse=%s" % ("on" if fuse else "off"))
        ok = 0
        for command in commands:
            try:
                self.appctl(*command)
                ok += 1
            except Failed:
                pass
        if fuse and not self.has_fuse or not ok and commands is not SCALAR:
            return False
        self._set = setting
        return True

    def pmd_threads(self):
        """The folders of the PMD threads in /proc.  Gives them the highest
        priority, once: by the nice value and, where the kernel shares
        processors among sessions, by the daemon's session.  With two threads,
        the main thread would not answer any more, so they remain as they
        are."""
        if not self._pmds:
            pid = self.pid_of("ovs-vswitchd")
            tasks = "/proc/%d/task" % pid
            for tid in os.listdir(tasks):
                with open(os.path.join(tasks, tid, "comm")) as f:
                    if f.read().startswith("pmd-"):
                        self._pmds.append(os.path.join(tasks, tid))
            if len(self._pmds) != len(self.pmd_cpus):
                raise Failed("%s: %d PMD threads, should be %d" % (
                    self.name, len(self._pmds), len(self.pmd_cpus)))
            if len(self._pmds) == 1:
                try:
                    with open("/proc/%d/autogroup" % pid, "w") as f:
                        f.write("-20")
                except OSError:
                    pass
                os.setpriority(os.PRIO_PROCESS,
                               int(os.path.basename(self._pmds[0])), -20)
        return self._pmds

    def waited(self):
        """Seconds that each PMD thread could run and had no processor.  The
        time that it waits for a lock is not part of that."""
        found = []
        for folder in self.pmd_threads():
            with open(os.path.join(folder, "schedstat")) as f:
                found.append(int(f.read().split()[1]) / 1e9)
        return found

    def _signal(self, number):
        for pid in ([self.pid_of("ovs-vswitchd")]
                    + [c.pid for c in self.companions]):
            os.kill(pid, number)

    def hold(self):
        self._signal(signal.SIGSTOP)
        self._stopped = True

    def resume(self):
        self._signal(signal.SIGCONT)
        self._stopped = False

    def perf(self):
        """The statistics of all PMD threads since the last clear."""
        text = self.appctl("dpif-netdev/pmd-perf-show", "-nh")
        threads = [self._perf_of(part) for part in re.split(
            r"(?m)^Time: ", text)[1:]]

        def total(name):
            return sum(t[name] for t in threads)

        def share(name, of):
            return (sum(t[name] * t[of] for t in threads)
                    / max(total(of), 1))
        packets = total("packets")
        found = {name: total(name) for name in (
            "packets", "upcalls", "lost", "speed")}
        found.update((name, share(name, "packets")) for name in (
            "passes", "EMC", "SMC", "upcall share"))
        return dict(found, text=text, hz=max(t["hz"] for t in threads),
                    cycles=total("busy cycles") / packets if packets else 0.0,
                    busy=total("busy") / len(threads))

    def _perf_of(self, text):
        """The statistics of the PMD thread that 'text' is about."""
        def value(pattern):
            m = re.search(pattern, text)
            return float(m.group(1)) if m else 0.0

        packets, hz = value(r"Rx packets: +(\d+)"), self._hz(text)
        busy = value(r"busy iterations: .*\( *([\d.]+) %")
        cycles = value(r"Used TSC cycles: +(\d+)") * busy / 100
        return {"packets": packets,
                "busy": busy,
                "busy cycles": cycles,
                "hz": hz,
                "speed": packets * hz / cycles if cycles else 0.0,
                "passes": value(r"Datapath passes: .*\(([\d.]+)"),
                "upcalls": value(r"- Upcalls: +(\d+)"),
                "upcall share": value(r"- Upcalls: .*\( *([\d.]+) %"),
                "lost": value(r"Lost upcalls: +(\d+)"),
                "EMC": value(r"EMC hits: .*\( *([\d.]+)"),
                "SMC": value(r"SMC hits: .*\( *([\d.]+)")}

    @staticmethod
    def _hz(text):
        m = re.search(r"Used TSC cycles: +(\d+) +\( *([\d.]+) %", text)
        d = re.search(r"Measurement duration: ([\d.]+) s", text)
        if not m or not d or not float(m.group(2)) or not float(d.group(1)):
            return 0.0
        return int(m.group(1)) * 100 / float(m.group(2)) / float(d.group(1))

    def fuse(self):
        """Content and counters of the PMD threads' fused flow caches since
        they were switched on, or None without one."""
        if not self._set or not self._set.startswith(FUSE):
            return None
        late = time.monotonic() + 10
        while True:
            text = self.appctl("fuse/show")
            threads = re.findall(r"core \d+:\n  entries: (\d+) of (\d+), "
                                 r"(?:chains|paths): (\d+)"
                                 r"(?:.*\n)+?  memory: (\d+) kB\n"
                                 r"  packets: (\d+), hits: (\d+)(?:.*\n)+?"
                                 r"  learned: (\d+)", text)
            if len(threads) == len(self.pmd_cpus):
                break
            if time.monotonic() > late:
                raise Failed("%s: not all PMD threads in fuse/show: %s"
                             % (self.name, text))
            # A PMD thread has its cache some time after its first packet.
            time.sleep(0.05)
        found = dict(zip(("entries", "room", "chains", "kB", "packets", "hits",
                          "learned"),
                         (sum(map(int, each)) for each in zip(*threads))))
        found["aside"] = "steps aside" in text
        return found

    def clear(self):
        self.appctl("dpif-netdev/pmd-stats-clear")

    def keeps_connections(self):
        """Returns true if keep_connections() took effect."""
        return "timeout=" in self.appctl("dpctl/dump-flows")

    def megaflows(self):
        """The number of datapath flows of the PMD thread.  Those of other
        threads, such as of packets in the slow path, do not count."""
        return len(re.findall(r"recirc_id\(", self.appctl(
            "dpctl/dump-flows")))

    def memory(self):
        with open("/proc/%d/status" % self.pid_of("ovs-vswitchd")) as f:
            m = re.search(r"RssAnon:\s+(\d+) kB", f.read())
        return int(m.group(1)) * 1024

    def drops(self):
        """Packets that any port dropped, by counter."""
        found = {}
        text = self.vsctl("--columns=name,statistics", "--format=json",
                          "list", "interface")
        for name, count in re.findall(r'"([a-z_]*drop[a-z_]*)",(\d+)', text):
            if int(count):
                found[name] = found.get(name, 0) + int(count)
        return found

    def warnings(self):
        with open(os.path.join(self.dir, "ovs-vswitchd.log")) as f:
            return [line.strip() for line in f
                    if re.search(r"\|(ERR|EMER)\|", line)]

    def end(self):
        if self._stopped:
            self.resume()
        for companion in self.companions:
            companion.end()
        self.companions = []
        self.end_daemons()
