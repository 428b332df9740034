#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs generated pipelines with the fused flow cache off and on, and compares
every packet that comes out, all statistics, and conntrack.

  equivalence.py --build FOLDER                  a minute, from a random seed
  equivalence.py --build FOLDER --minutes 60 --jobs 2
  equivalence.py --build FOLDER --seed 17 --runs 1      replays a run
  equivalence.py --build FOLDER --shrink 17      makes a failing one small
  equivalence.py --build FOLDER --self-test      tests the comparison

One run is several pipelines at once (see generate.py).  A run that fails is
printed with its seed, and so is one that differs, but not for the cache.
Exit status: 0 if all were the same, 1 if not.
"""

import argparse
import collections
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import megaflows
from generate import N_SLOTS, generate
from pair import Broken, Different, Pair


def run(pair, steps, mutate=None):
    """Raises Different, Died or Broken."""
    pair.reset()
    for i, step in enumerate(steps):
        if pair.stop.is_set():
            raise Stopped()
        if os.environ.get("EQUIVALENCE_TRACE"):
            print("%.3f %s" % (time.monotonic(), brief(step)[:70]),
                  file=sys.stderr)
        try:
            pair.step(step, mutate)
        except (Different, Broken, OSError) as e:
            dead = [s for s in pair.switches if not s.alive()]
            text = "step %d, %s: %s" % (i, brief(step), "".join(
                "switch %s has died: %s" % (s.name, s.last_words())
                for s in dead) or e)
            raise (Died if dead else type(e))(text) from e


class Died(Exception):
    """A daemon has died."""


class Stopped(Exception):
    """The program is to end."""


def brief(step):
    text = json.dumps(step)
    return text if len(text) < 200 else text[:200] + "..."


def fails(pair, steps):
    """The difference that 'steps' make, or None.  A run that cannot be done,
    because what it needs was left out, makes none."""
    try:
        run(pair, steps)
    except Different as e:
        return str(e)
    except Died as e:
        pair.restart()
        return str(e)
    except (Broken, OSError):
        pair.restart()
    return None


def chance(on, off, n):
    """The chance that of 'on' + 'off' differences in 'n' repetitions each, at
    least 'on' are with the cache on, if it makes no difference (Fisher's
    exact test)."""
    return sum(math.comb(n, k) * math.comb(n, on + off - k)
               for k in range(on, min(n, on + off) + 1)) / math.comb(
                   2 * n, on + off)


def told_apart(on, off, n):
    """Whether the rates say that it is for the cache.  They are looked at
    again and again, so chance must not be given much."""
    return chance(on, off, n) < 0.001


def confirmed(pair, seed, times=30, more=150):
    """Whether it is for the cache that run 'seed' has just failed, and the
    rates that say so: those of failures with the cache on, and off in both.
    Some statistics of Open vSwitch itself depend on when its threads do what.
    There are 'more' repetitions if few of the first differ, the more of them
    with the cache on."""
    steps = generate(seed)
    on = off = n = 0
    pair.restart()
    while n < times or (n < more and off < on < times / 4):
        n += 1
        pair.configure(pair.config_b)
        on += bool(fails(pair, steps))
        pair.configure(["fuse=off"])
        off += bool(fails(pair, steps))
        if n >= 4 and told_apart(on, off, n):
            break
    pair.restart()
    rates = "repeated, %d of %d differ with the cache on, %d of %d with it " \
        "off" % (on, n, off, n)
    return told_apart(on, off, n), rates


def shorter(items):
    """Ways to leave out some of the list 'items', most first."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size:]
            if len(rest) < len(items):
                yield rest
        size //= 2


def shrink(pair, steps, deadline):
    """A smaller list of steps that still fails."""
    why = fails(pair, steps)
    if not why:
        return steps, None

    def attempt(candidate):
        nonlocal steps, why
        if time.monotonic() > deadline:
            return False
        found = fails(pair, candidate)
        if found:
            steps, why = candidate, found
            print("  %d steps, %d bytes" % (len(steps),
                                            len(json.dumps(steps))),
                  file=sys.stderr)
        return bool(found)

    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        again = True
        while again:
            again = any(attempt(c) for c in shorter(steps))
            changed |= again
        for i in range(len(steps)):
            again = i < len(steps)
            while again:
                (kind, what), = steps[i].items()
                again = (kind in ("packets", "flows", "groups", "meters")
                         and len(what) > 1
                         and any(attempt(steps[:i] + [{kind: c}]
                                         + steps[i + 1:])
                                 for c in shorter(what) if c))
                changed |= again
    return steps, why


# What the comparison must find if only one of the two switches does it:
# (what it is, the change).  Each change is made once in a run, at the first
# step that it fits.
def mutations(rng):
    def packets(change):
        def mutate(kind, what):
            if kind != "packets" or not what:
                return what
            return change(list(what))
        return mutate

    def flip(position):
        def change(what):
            i = rng.randrange(len(what))
            port, data = what[i]
            raw = bytearray.fromhex(data)
            raw[position % len(raw)] ^= 1
            what[i] = (port, raw.hex())
            return what
        return packets(change)

    def drop(what):
        del what[rng.randrange(len(what))]
        return what

    def twice(what):
        i = rng.randrange(len(what))
        what.insert(i, what[i])
        return what

    def skip(*kinds):
        def mutate(kind, what):
            return None if kind in kinds else what
        return mutate

    def output(kind, what):
        if kind != "flows":
            return what
        return [w.replace("output:2", "output:3") for w in what]

    return {"a packet is lost": packets(drop),
            "a packet comes twice": packets(twice),
            "a bit of the source MAC is wrong": flip(11),
            "a bit of the payload is wrong": flip(-1),
            "rules are not changed": skip("ofctl"),
            "the connections are not flushed": skip("appctl"),
            "time does not pass": skip("warp"),
            "rules output to another port": output}


def self_test(pair, runs):
    """Each mutation must be found in one of 'runs' runs."""
    assert chance(4, 0, 4) == 1 / 70 and chance(0, 3, 9) == 1
    assert told_apart(7, 0, 7) and told_apart(11, 0, 150)
    assert not told_apart(1, 0, 30)
    megaflows.self_test()
    missed = []
    for name in mutations(random.Random(0)):
        for seed in range(runs):
            try:
                run(pair, generate(seed),
                    mutations(random.Random(seed))[name])
            except Different:
                print("found: %s (seed %d)" % (name, seed), flush=True)
                break
            except Broken:
                continue
        else:
            missed.append(name)
            print("MISSED: %s" % name, flush=True)
    return missed


class Tally:
    """What has been run, by several threads."""

    def __init__(self, args):
        self.lock = threading.Lock()
        self.started = time.monotonic()
        self.first = args.seed
        if self.first is None:
            self.first = random.SystemRandom().randrange(1 << 32)
        self.end = self.started + 60 * args.minutes
        self.runs, self.keep_going = args.runs, args.keep_going
        self.taken, self.passed = 0, 0
        self.failed, self.void = [], []
        self.error = None
        print("first seed %d" % self.first, flush=True)

    def seed(self):
        """The next seed, or None at the end."""
        with self.lock:
            if (self.taken >= self.runs if self.runs
                    else time.monotonic() >= self.end):
                return None
            self.taken += 1
            return self.first + self.taken - 1

    def note(self, where, seed, text):
        with self.lock:
            where.append(seed)
            print("seed %d, %s: %s" % (
                seed, "FAILED" if where is self.failed else "void", text),
                flush=True)

    def summary(self, totals):
        print("void: %s" % (" ".join(map(str, sorted(self.void))) or "none"))
        for s in self.failed:
            print("again: %s --build FOLDER --shrink %d" % (sys.argv[0], s))
        print("%d packets into each switch, %d checks of the statistics, "
              "%d hits in the cache (%.1f%% of what it saw)" % (
                  totals["packets"], totals["checks"], totals["hits"],
                  100 * totals["hits"] / max(totals["packets seen"], 1)))
        rest = (self.taken - self.passed - len(self.failed)
                - len(self.void))
        if rest:
            print("%d runs were not finished" % rest)
        # The last line is as tests/run.sh wants it.
        print("%d runs of %d pipelines in %.0f s, seeds %d to %d: %d passed, "
              "%d failed, %d skipped" % (
                  self.taken, N_SLOTS, time.monotonic() - self.started,
                  self.first, self.first + self.taken - 1,
                  self.passed * N_SLOTS, len(self.failed),
                  len(self.void) * N_SLOTS), flush=True)


def attempt(pair, tally, seed):
    """Runs 'seed' and notes what comes of it."""
    try:
        run(pair, generate(seed))
    except (Broken, OSError) as e:
        # Of the environment, unless it happens again.
        text = "%s: %s" % (type(e).__name__, e)
        pair.restart()
        try:
            run(pair, generate(seed))
            tally.note(tally.void, seed, text)
        except (Different, Died, Broken, OSError) as again:
            tally.note(tally.failed, seed, "%s, then %s" % (text, again))
            pair.restart()
    except (Different, Died) as e:
        sure, rates = confirmed(pair, seed)
        tally.note(tally.failed if sure else tally.void, seed,
                   "%s: %s\n  %s" % (type(e).__name__, e, rates))
    else:
        with tally.lock:
            tally.passed += 1


def work(pair, tally):
    """A thread: runs one seed after the other."""
    try:
        while not pair.stop.is_set():
            seed = tally.seed()
            if seed is None:
                return
            attempt(pair, tally, seed)
            if tally.failed and not tally.keep_going:
                pair.stop.set()
    except Stopped:
        pass
    except BaseException as e:
        if not pair.stop.is_set():
            tally.error = e
            pair.stop.set()


def run_all(pairs, tally):
    """Runs until the end, or a signal.  Returns whether all was well."""
    # Not Thread.join(): interrupted by a signal, that one of Python 3.11 takes
    # a thread that runs for one that has ended.
    pool = ThreadPoolExecutor(len(pairs))
    workers = [pool.submit(work, p, tally) for p in pairs]
    try:
        wait(workers)
    finally:
        pairs[0].stop.set()
        wait(workers)
        for p in pairs:
            p.end()
        tally.summary(sum((p.totals for p in pairs), collections.Counter()))
    if tally.error:
        raise tally.error
    return not tally.failed


def find_small(pair, args):
    """Shrinks what is asked for."""
    deadline = time.monotonic() + 60 * max(args.minutes, 5)
    if args.steps:
        with open(args.steps) as f:
            steps = json.load(f)
    else:
        steps = generate(args.shrink)
    steps, why = shrink(pair, steps, deadline)
    print(json.dumps(steps, indent=1))
    print(why or "does not fail")
    return not why


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--runs", type=int, help="instead of --minutes")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=1,
                        help="runs at a time, each in switches of its own")
    parser.add_argument("--shrink", type=int, metavar="SEED")
    parser.add_argument("--steps", help="runs the steps of this file")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--config", action="append", default=[],
                        help="other_config of the second switch "
                        "(default: fuse=on)")
    parser.add_argument("--strict", action="store_true",
                        help="check TCP windows, too")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--folder", help="for files; kept")
    args = parser.parse_args()

    # Ended by whatever signal, this leaves no daemon behind, and says what
    # has been done.
    signals = signal.SIGTERM, signal.SIGHUP, signal.SIGINT

    def leave(*_):
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        sys.exit(130)
    for sig in signals:
        signal.signal(sig, leave)
    folder = args.folder or tempfile.mkdtemp(prefix="equivalence-")
    build = os.path.abspath(args.build)
    pairs, stop = [], threading.Event()
    try:
        for i in range(args.jobs):
            pairs.append(Pair(
                os.path.join(build, "openvswitch", "extended"),
                os.path.join(build, "openvswitch", "extended-source"),
                os.path.join(folder, str(i)), args.config or ["fuse=on"],
                args.strict, stop))
        if args.self_test:
            return 1 if self_test(pairs[0], args.runs or 12) else 0
        if args.shrink is not None or args.steps:
            return 0 if find_small(pairs[0], args) else 1
        return 0 if run_all(pairs, Tally(args)) else 1
    finally:
        for pair in pairs:
            pair.end()
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
