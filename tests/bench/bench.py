#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: bench.py --build FOLDER --library FILE [option...]

Measures the stock and the extended Open vSwitch of build folder FOLDER in
turn, one PMD thread each, and writes a table, results.json and charts.  See
Documentation/internals/benchmarks.md.

  --rows NAMES     only these, of: %s
  --flows COUNTS   only cases of so many flows, like "10k 1M"
  --page N         only rows of the first page, or of the second
  --rounds N       of each measurement (default 5, at least 5 for a result
                   that is to be quoted)
  --seconds S      of each round (default 0.5), after the switch has settled
  --quick          3 rounds of 0.3 s, and no row of more than 100k flows
  --output FOLDER  for results (default: bench-results)
  --list           print the rows and their cases
"""

import argparse
import os
import platform
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time

import chart
import report
import vhost
import workloads
from measure import measure
from packets import Wrong
from switch import FUSE, FUSE_AND, SETTINGS, Failed, Switch, check_library

PAGE1 = workloads.PAGE1 + [vhost.Vhost]
# Memory that a run takes besides hugepages, for any number of flows.
BYTES = 1 << 30
# The fused flow cache refreshes connections each 5 s.
REFRESH_SECONDS = 5.5
HUGEPAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


class Hugepages:
    """Provides hugepages for two switches, and restores the setting."""

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


class Pair:
    """A stock and an extended switch, set up for the same work."""

    def __init__(self, args, cls, case, pcaps, folder):
        self.switches, self.work = {}, {}
        try:
            for name in ("stock", "extended"):
                source = os.path.join(args.build, "openvswitch",
                                      "pristine" if name == "stock"
                                      else "extended-source")
                switch = Switch(
                    name, os.path.join(args.build, "openvswitch", name),
                    source, os.path.join(folder, name), args.library,
                    args.cpus, options=cls.options)
                self.switches[name] = switch
                work = cls(pcaps, switch, name == "extended", case)
                self.work[name] = work
                before = switch.memory()
                try:
                    work.setup()
                    work.warm()
                    if work.tracks and not switch.keeps_connections():
                        raise Wrong("connections have the usual timeouts")
                    work.check()
                except Wrong as e:
                    raise Wrong("%s: %s; port drops %s" % (
                        name, e, switch.drops() or "none"))
                work.lost()
                work.memory = switch.memory() - before
                switch.hold()
        except BaseException:
            self.end()
            raise

    def measure(self, name, setting, seconds):
        return measure(self.work[name], self.switches[name], setting, seconds)

    def seconds(self, name, setting, seconds):
        """The seconds to measure, at least 'seconds': enough for the fused
        flow cache to refresh each connection."""
        return (max(seconds, REFRESH_SECONDS)
                if setting.startswith(FUSE) and self.work[name].tracks
                else seconds)

    def last(self, name, setting):
        """Returns the content of the switch, with caches as full as the last
        round left them, and checks the packets that come out."""
        switch, work = self.switches[name], self.work[name]
        switch.resume()
        try:
            switch.set(setting)
            found = {"megaflows": switch.megaflows(),
                     "memory": switch.memory()}
            fuse = switch.fuse()
            if fuse:
                found["fuse"] = fuse
                if fuse["entries"]:
                    found["bytes per entry"] = round(
                        1024 * fuse["kB"] / fuse["entries"])
            if not work.once:
                work.check()
                work.lost()
        finally:
            switch.hold()
        return found

    def end(self):
        for switch in self.switches.values():
            switch.end()


def search(pair, name, settings, seconds):
    """The cycles of each of 'settings' that switch 'name' has."""
    tried, wrong = {}, "none is there"
    for setting in settings:
        found = pair.measure(name, setting, seconds)
        if found and "wrong" not in found:
            tried[setting] = round(found["cycles"], 1)
        elif found:
            wrong = found["wrong"]
    if not tried:
        raise Failed("no setting of the %s switch gives a figure: %s"
                     % (name, wrong))
    return tried


def best(tried):
    return min(tried, key=tried.get)


def choose(pair, cls, case, args, known):
    """The settings to measure, as (variant, switch, setting).  'known' has the
    results of earlier cases, by row.  After the first case only the best three
    are tried, and above 100k flows, where each takes long, only the best."""
    settings = list(SETTINGS)
    if cls.name in known:
        settings = sorted(known[cls.name], key=known[cls.name].get)[:3]
        if case["flows"] > 100000:
            settings = settings[:1]
    tried = search(pair, "stock", settings, args.seconds / 2)
    known[cls.name] = tried
    variants = [("stock best", "stock", best(tried))]
    if not cls.scale:
        if best(tried) != "default":
            variants.insert(0, ("stock", "stock", "default"))
        else:
            variants = [("stock", "stock", "default")]
        variants.append(("off", "extended", "default"))
    if pair.switches["extended"].has_fuse:
        name = cls.name + " on"
        settings = [FUSE]
        if best(tried) != "default":
            settings.append(FUSE_AND + best(tried))
        if case["flows"] > 100000 and name in known:
            settings = [FUSE if known[name] == FUSE else settings[-1]]
        fused = search(pair, "extended", settings, args.seconds / 2)
        known[name] = best(fused)
        variants.append(("on", "extended", best(fused)))
        tried = dict(tried, **fused)
    return variants, tried


def run_case(args, cls, case, pcaps, folder, known):
    """All rounds of one case.  Returns its row."""
    row = {"row": cls.name, "case": case, "variants": {}, "refused": {},
           "goal": cls.goal(case), "page": 2 if cls.scale else 1}
    enough_memory(cls, case)
    start = time.monotonic()
    pair = Pair(args, cls, case, pcaps, folder)
    row["seconds"] = {"set-up": round(time.monotonic() - start, 1)}
    try:
        variants, row["settings"] = choose(pair, cls, case, args, known)
        row["seconds"]["settings"] = round(time.monotonic() - start, 1)
        rounds = {v[0]: [] for v in variants}
        last = {}
        for n in range(args.rounds):
            for variant, name, setting in variants:
                found = pair.measure(name, setting, pair.seconds(
                    name, setting, args.seconds))
                if not found:
                    raise Failed("%s: no setting %s" % (name, setting))
                if n == args.rounds - 1:
                    try:
                        last[variant] = pair.last(name, setting)
                    except Wrong as e:
                        found["wrong"] = str(e)
                text = found.pop("text", "")
                if args.verbose:
                    print(variant, text, file=sys.stderr)
                rounds[variant].append(found)
                if "wrong" in found:
                    row["refused"].setdefault(variant, found["wrong"])
        for variant, name, setting in variants:
            row["variants"][variant] = summary(
                [r for r in rounds[variant] if "cycles" in r], setting,
                last.get(variant, {}))
            row["variants"][variant]["growth per flow"] = round(
                pair.work[name].memory / pair.work[name].n)
        row["ratios"] = ratios(rounds)
        row["seconds"]["all"] = round(time.monotonic() - start, 1)
    finally:
        pair.end()
    return row


def enough_memory(cls, case):
    with open("/proc/meminfo") as f:
        free = int(re.search(r"MemAvailable: +(\d+)", f.read()).group(1))
    need = (BYTES + case["flows"] * cls.bytes_per_flow) // 1024
    if free < need:
        raise Failed("needs %d MB of memory, %d are free"
                     % (need // 1024, free // 1024))


def summary(rounds, setting, last):
    if not rounds:
        return {"setting": setting}
    cycles = [r["cycles"] for r in rounds]
    median = statistics.median(cycles)
    return dict(last, setting=setting, cycles=round(median, 1),
                min=round(min(cycles), 1), max=round(max(cycles), 1),
                Mpps=round(rounds[-1]["hz"] / median / 1e6, 3)
                if median else 0,
                passes=rounds[-1]["passes"],
                rounds={name: [round(r[name], digits) for r in rounds]
                        for name, digits in (
                            ("cycles", 1), ("packets", None), ("share", 3),
                            ("busy", 1), ("hits", 1), ("upcalls", None),
                            ("packets lost", None))
                        if name in rounds[0]})


def ratios(rounds):
    """The speed of the extended switch as a multiple of stock's, pair by
    pair."""
    found = {}
    stock, off = rounds.get("stock"), rounds.get("off")
    fast = rounds.get("on", off)
    for name, above, below in (
            ("stock / extended", stock, fast),
            ("best / extended", rounds.get("stock best", stock), fast),
            ("off / stock", off, stock)):
        each = [a["cycles"] / b["cycles"]
                for a, b in zip(above or [], below or [])
                if a.get("cycles") and b.get("cycles")]
        if each:
            found[name] = {"median": round(statistics.median(each), 4),
                           "min": round(min(each), 4),
                           "max": round(max(each), 4)}
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
    rows = {cls.name: cls for cls in PAGE1 + workloads.PAGE2}
    parser = argparse.ArgumentParser(
        usage=__doc__.split("\n\n")[0][7:], add_help=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--rows", default="")
    parser.add_argument("--flows", default="")
    parser.add_argument("--page", type=int, choices=(1, 2))
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
    args.seconds = args.seconds or (0.3 if args.quick else 0.5)
    unknown = [r for r in args.rows.split() if r not in rows]
    if unknown:
        parser.error("no row %s; there are: %s" % (unknown[0],
                                                   " ".join(rows)))
    chosen = args.rows.split() or list(rows)
    flows = [number(f) for f in args.flows.split()]
    cases = [(rows[name], case) for name in chosen
             for case in rows[name].cases
             if (not flows or case["flows"] in flows)
             and (not args.quick or case["flows"] <= 100000)
             and (not args.page or args.page == 1 + rows[name].scale)]
    if args.list:
        for cls, case in cases:
            print(cls.name, case)
        return 0
    if os.geteuid():
        parser.error("needs root: hugepages, network namespaces")
    try:
        check_library(args.library)
    except Failed as e:
        parser.error(str(e))
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        parser.error("needs two processors, one of them for the PMD thread")
    args.cpus = cpus[0], cpus[-1]

    # After any signal, no daemon and no hugepage is left.
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
    bad, known = 0, {}
    start = time.monotonic()
    try:
        with Hugepages(1664):
            pcaps = workloads.Pcaps(os.path.join(folder, "pcaps"))
            for cls, case in cases:
                try:
                    row = run_case(args, cls, case, pcaps, folder, known)
                except (Failed, Wrong, RuntimeError) as e:
                    row = {"row": cls.name, "case": case, "variants": {},
                           "refused": {"all": str(e)}, "ratios": {},
                           "goal": cls.goal(case),
                           "page": 2 if cls.scale else 1}
                bad += bool(row["refused"])
                results["rows"].append(row)
                table.add(row)
                results["minutes"] = round((time.monotonic() - start) / 60, 1)
                report.save(results, args.output)
    finally:
        if os.environ.get("BENCH_KEEP"):
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    chart.charts(results["rows"], args.output)
    print("%.0f minutes; results: %s" % (
        results.get("minutes", 0), os.path.join(args.output, "results.*")))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
