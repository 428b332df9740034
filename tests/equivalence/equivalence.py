#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs generated pipelines with the fused flow cache off and on, and compares
every packet that comes out, all statistics, and conntrack.

  equivalence.py --build FOLDER                  a minute, from a random seed
  equivalence.py --build FOLDER --minutes 60
  equivalence.py --build FOLDER --seed 17 --runs 1      replays a run
  equivalence.py --build FOLDER --shrink 17      makes a failing one small
  equivalence.py --build FOLDER --self-test      tests the comparison

One run is several pipelines at once (see generate.py).  A run that fails is
printed with its seed.  Exit status: 0 if all were the same, 1 if not.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from generate import N_SLOTS, generate
from pair import Broken, Different, Pair


def run(pair, steps, mutate=None):
    """Raises Different or Broken."""
    pair.reset()
    for i, step in enumerate(steps):
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
    except Broken:
        pass
    return None


def confirmed(pair, seed, times=3):
    """Whether run 'seed', which has just failed, fails again, and not with
    the cache off in both.  Some statistics of Open vSwitch itself depend on
    when its threads do what."""
    steps = generate(seed)
    pair.restart()
    if not any(fails(pair, steps) for _ in range(times)):
        return False
    pair.restart()
    pair.configure(["fuse=off"])
    steady = not any(fails(pair, steps) for _ in range(times))
    pair.restart()
    return steady


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
    missed = []
    for name in mutations(random.Random(0)):
        for seed in range(runs):
            try:
                run(pair, generate(seed),
                    mutations(random.Random(seed))[name])
            except Different as e:
                print("found: %s (seed %d)" % (name, seed), flush=True)
                break
            except Broken:
                continue
        else:
            missed.append(name)
            print("MISSED: %s" % name, flush=True)
    return missed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--runs", type=int, help="instead of --minutes")
    parser.add_argument("--seed", type=int)
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

    # Ended by whatever signal, this leaves no daemon behind.
    signals = signal.SIGTERM, signal.SIGHUP, signal.SIGINT

    def leave(*_):
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        sys.exit(130)
    for sig in signals:
        signal.signal(sig, leave)
    folder = args.folder or tempfile.mkdtemp(prefix="equivalence-")
    build = os.path.abspath(args.build)
    started, failed, void, done = time.monotonic(), [], [], 0
    pair = None
    try:
        pair = Pair(os.path.join(build, "openvswitch", "extended"),
                    os.path.join(build, "openvswitch", "extended-source"),
                    folder, args.config or ["fuse=on"], args.strict)
        if args.self_test:
            return 1 if self_test(pair, args.runs or 12) else 0
        if args.shrink is not None or args.steps:
            if args.steps:
                with open(args.steps) as f:
                    steps = json.load(f)
            else:
                steps = generate(args.shrink)
            steps, why = shrink(pair, steps,
                                started + 60 * max(args.minutes, 5))
            print(json.dumps(steps, indent=1))
            print(why or "does not fail")
            return 1 if why else 0
        seed = args.seed
        if seed is None:
            seed = random.SystemRandom().randrange(1 << 32)
        print("first seed %d" % seed, flush=True)
        while (done < args.runs if args.runs
               else time.monotonic() < started + 60 * args.minutes):
            try:
                run(pair, generate(seed))
                done += 1
            except (Different, Broken, Died) as e:
                if not isinstance(e, Broken) and not confirmed(pair, seed):
                    void.append(seed)
                else:
                    failed.append(seed)
                    print("seed %d: %s: %s" % (seed, type(e).__name__, e),
                          flush=True)
                    if not args.keep_going:
                        break
                    pair.restart()
            seed += 1
        try:
            print(pair.b.appctl("fuse/show").strip())
        except Broken:
            print("no fused flow cache in this build: both are the same")
        for s in failed:
            print("again: %s --build %s --shrink %d" % (
                sys.argv[0], args.build, s))
        print("void, for they differ with the cache off, too, or not always:"
              " %s" % (" ".join(map(str, void)) or "none"))
        print("%d runs of %d pipelines in %.0f s, seeds to %d: %d passed, "
              "%d failed, %d skipped" % (
                  done + len(failed) + len(void), N_SLOTS,
                  time.monotonic() - started, seed - 1,
                  done * N_SLOTS, len(failed), len(void) * N_SLOTS))
        return 1 if failed else 0
    finally:
        if pair:
            pair.end()
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
