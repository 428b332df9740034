#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: bench.py --build FOLDER --library FILE [option...]

Measures the stock and the extended Open vSwitch of build folder FOLDER in
turn, one PMD thread each, and writes a table, results.json and charts.  See
Documentation/benchmarks.md.

  --rows NAMES     only these, of: %s
  --flows COUNTS   only cases of so many flows, like "10k 1M"
  --rounds N       of each measurement (default 5, at least 5 for a result
                   that is to be quoted)
  --seconds S      of each round (default 1)
  --quick          3 rounds of 0.3 s, and no row of more than 100k flows
  --output FOLDER  for results (default: bench-results)
  --list           print the rows and their cases
"""

import argparse
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import time

import report
import workloads
from packets import Wrong
from switch import SETTINGS, Failed, Switch

HUGEPAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


class Hugepages:
    """Sees to it that two switches find theirs, and puts things back."""

    def __init__(self, megabytes):
        self.need = megabytes // 2

    def __enter__(self):
        with open(HUGEPAGES) as f:
            self.before = int(f.read())
        with open(HUGEPAGES.replace("nr_", "free_")) as f:
            free = int(f.read())
        if free < self.need:
            self._set(self.before + self.need - free)
            with open(HUGEPAGES.replace("nr_", "free_")) as f:
                if int(f.read()) < self.need:
                    self._set(self.before)
                    raise Failed("the kernel has no %d MB in hugepages left"
                                 % (2 * self.need))
        return self

    @staticmethod
    def _set(n):
        with open(HUGEPAGES, "w") as f:
            f.write(str(n))

    def __exit__(self, *exc):
        self._set(self.before)


def measure(workload, switch, setting, seconds):
    """One round.  Returns the figures, with "wrong" if they do not count."""
    traffic = switch.traffic
    switch.resume()
    if not switch.set(setting):
        switch.hold()
        return None
    if getattr(workload, "once", False):
        workload.fresh()
        workload.source["epoch"] += 1
        time.sleep(0.5)
        switch.clear()
        lost = traffic.send(workload.source, workload.n)
        found = switch.perf()
    else:
        ports = traffic.sources()
        traffic.start()
        # Caches fill again: some rounds of all flows, and at least 0.3 s.
        goals = [p["done"] + 2 * workload.n for p in ports]
        end = time.monotonic() + 0.3
        late = time.monotonic() + 60
        while (any(p["done"] < g for p, g in zip(ports, goals))
               or time.monotonic() < end):
            time.sleep(0.02)
            if time.monotonic() > late:
                break
        found = undisturbed(switch, seconds)
        # What was sent must have come out, of all since the start.
        traffic.stop()
        lost = workload.lost()
    found["megaflows"] = switch.megaflows()
    found["memory"] = switch.memory()
    found["packets lost"] = lost
    found["setting"] = setting
    if workload.lossless and lost:
        found["wrong"] = "%d packets lost, port drops %s" % (
            lost, switch.drops())
    elif found["lost"]:
        found["wrong"] = "%d upcalls lost" % found["lost"]
    elif found["upcalls"] > found["packets"] / 1000:
        found["wrong"] = "%d upcalls" % found["upcalls"]
    elif not found["packets"]:
        found["wrong"] = "no packets"
    switch.hold()
    return found


def undisturbed(switch, seconds, attempts=5):
    """The statistics of 'seconds' in which the PMD thread had its processor
    for itself, or those of the best of so many attempts."""
    best = None
    for _ in range(attempts):
        cpu, wall = switch.cpu_seconds(), time.monotonic()
        switch.clear()
        time.sleep(seconds)
        found = switch.perf()
        found["share"] = ((switch.cpu_seconds() - cpu)
                          / (time.monotonic() - wall))
        if not best or found["share"] > best["share"]:
            best = found
        if best["share"] > 0.99:
            break
    return best


def losses(workload, switch):
    """Makes 'workload' count what it loses from here on."""
    traffic = switch.traffic

    def balance():
        return (sum(p["done"] for p in traffic.sources())
                - sum(p["done"] for p in traffic.sinks()))
    last = [balance()]

    def lost():
        before, last[0] = last[0], balance()
        return last[0] - before
    return lost


class Pair:
    """A stock and an extended switch, set up for the same work."""

    def __init__(self, args, cls, case, pcaps, folder):
        self.switches, self.work = {}, {}
        self.notes = []
        try:
            for name in ("stock", "extended"):
                source = os.path.join(args.build, "openvswitch",
                                      "pristine" if name == "stock"
                                      else "extended-source")
                switch = Switch(
                    name, os.path.join(args.build, "openvswitch", name),
                    source, os.path.join(folder, name), args.library,
                    args.cpus)
                self.switches[name] = switch
                work = cls(pcaps, switch, name == "extended", case)
                self.work[name] = work
                before = switch.memory()
                try:
                    work.setup()
                    work.warm()
                    work.check()
                except Wrong as e:
                    raise Wrong("%s: %s; port drops %s" % (
                        name, e, switch.drops() or "none"))
                work.lost = losses(work, switch)
                work.memory = switch.memory() - before
                switch.hold()
        except BaseException:
            self.end()
            raise

    def measure(self, name, setting, seconds):
        return measure(self.work[name], self.switches[name], setting, seconds)

    def check(self, name, setting):
        """What comes out, with the caches full."""
        switch = self.switches[name]
        switch.resume()
        switch.set(setting)
        self.work[name].warm_again()
        self.work[name].check()
        self.work[name].lost = losses(self.work[name], switch)
        switch.hold()

    def end(self):
        for switch in self.switches.values():
            switch.end()


def best_setting(pair, args):
    """The fastest of stock's settings, and the cycles of each."""
    tried, wrong = {}, "none is there"
    for setting in SETTINGS:
        found = pair.measure("stock", setting, args.seconds / 2)
        if found and "wrong" not in found:
            tried[setting] = found["cycles"]
        elif found:
            wrong = found["wrong"]
    if not tried:
        raise Failed("no setting of the stock switch gives a figure: "
                     + wrong)
    return min(tried, key=tried.get), tried


def run_case(args, cls, case, pcaps, folder):
    """All rounds of one case.  Returns its row."""
    row = {"row": cls.name, "case": case, "variants": {}, "refused": {}}
    pair = Pair(args, cls, case, pcaps, folder)
    try:
        best, row["stock settings"] = best_setting(pair, args)
        variants = [("stock", "stock", "default")]
        if best != "default":
            variants.append(("stock best", "stock", best))
        variants.append(("off", "extended", "default"))
        if pair.switches["extended"].has_fuse:
            variants.append(("on", "extended", "fuse"))
        row["best setting"] = best
        rounds = {v[0]: [] for v in variants}
        for n in range(args.rounds):
            for variant, name, setting in variants:
                found = pair.measure(name, setting, args.seconds)
                if not found:
                    raise Failed("%s: no setting %s" % (name, setting))
                if n == args.rounds - 1 and not cls.__dict__.get("once"):
                    try:
                        pair.check(name, setting)
                    except Wrong as e:
                        found["wrong"] = str(e)
                text = found.pop("text")
                if args.verbose:
                    print(variant, text, file=sys.stderr)
                rounds[variant].append(found)
                if "wrong" in found:
                    row["refused"].setdefault(variant, found["wrong"])
        for variant, name, setting in variants:
            row["variants"][variant] = summary(rounds[variant])
            row["variants"][variant]["setting"] = setting
            work = pair.work[name]
            row["variants"][variant]["growth per flow"] = (
                work.memory / work.n)
        if pair.switches["extended"].has_fuse:
            pair.switches["extended"].resume()
            row["fuse/show"] = pair.switches["extended"].appctl("fuse/show")
        row["ratios"] = ratios(rounds)
    finally:
        pair.end()
    return row


def summary(rounds):
    cycles = [r["cycles"] for r in rounds]
    last = rounds[-1]
    return {"cycles": statistics.median(cycles), "min": min(cycles),
            "max": max(cycles),
            "Mpps": last["hz"] / statistics.median(cycles) / 1e6
            if last["hz"] and statistics.median(cycles) else 0,
            "passes": last["passes"], "megaflows": last["megaflows"],
            "upcalls": max(r["upcalls"] for r in rounds),
            "lost": max(r["packets lost"] for r in rounds),
            "memory": last["memory"], "rounds": rounds}


def ratios(rounds):
    """Pair by pair: how many times as fast the extended switch is."""
    found = {}
    best = rounds.get("stock best", rounds["stock"])
    for name, above, below in (
            ("stock / extended", rounds["stock"],
             rounds.get("on", rounds["off"])),
            ("best / extended", best, rounds.get("on", rounds["off"])),
            ("off / stock", rounds["off"], rounds["stock"])):
        each = [a["cycles"] / b["cycles"] for a, b in zip(above, below)
                if b["cycles"]]
        if each:
            found[name] = {"median": statistics.median(each),
                           "min": min(each), "max": max(each)}
    return found


def machine():
    model = "?"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "kernel": platform.release(),
            "processors": os.cpu_count()}


def number(text):
    unit = {"k": 1000, "M": 1000000}.get(text[-1:], 1)
    return int(text.rstrip("kM")) * unit


def main():
    rows = {cls.name: cls for cls in workloads.PAGE1 + workloads.PAGE2}
    parser = argparse.ArgumentParser(
        usage=__doc__.split("\n\n")[0][7:] , add_help=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--rows", default="")
    parser.add_argument("--flows", default="")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--output", default="bench-results")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    args.library = os.path.abspath(args.library)
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.seconds = args.seconds or (0.3 if args.quick else 1.0)
    unknown = [r for r in args.rows.split() if r not in rows]
    if unknown:
        parser.error("no row %s; there are: %s" % (unknown[0],
                                                   " ".join(rows)))
    chosen = args.rows.split() or list(rows)
    flows = [number(f) for f in args.flows.split()]
    cases = [(rows[name], case) for name in chosen
             for case in rows[name].cases
             if (not flows or case["flows"] in flows)
             and (not args.quick or case["flows"] <= 100000)]
    if args.list:
        for cls, case in cases:
            print(cls.name, case)
        return 0
    if os.geteuid():
        parser.error("needs root: hugepages, network namespaces")
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        parser.error("needs two processors, one of them for the PMD thread")
    args.cpus = cpus[0], cpus[-1]

    # Ended by whatever signal, this leaves no daemon and no hugepage behind.
    signals = signal.SIGTERM, signal.SIGHUP, signal.SIGINT

    def leave(*_):
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        sys.exit(130)
    for sig in signals:
        signal.signal(sig, leave)
    folder = tempfile.mkdtemp(prefix="bench-", dir="/dev/shm")
    results = {"machine": machine(), "rounds": args.rounds,
               "seconds": args.seconds, "rows": [],
               "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    table = report.Table()
    bad = 0
    try:
        with Hugepages(1664):
            pcaps = workloads.Pcaps(os.path.join(folder, "pcaps"))
            for cls, case in cases:
                try:
                    row = run_case(args, cls, case, pcaps, folder)
                except (Failed, Wrong, RuntimeError) as e:
                    row = {"row": cls.name, "case": case, "variants": {},
                           "refused": {"all": str(e)}, "ratios": {}}
                bad += bool(row["refused"])
                results["rows"].append(row)
                table.add(row)
                report.save(results, args.output)
    finally:
        if os.environ.get("BENCH_KEEP"):
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.charts(results, args.output)
    print("results: %s" % os.path.join(args.output, "results.json"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
