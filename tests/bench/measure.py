# SPDX-License-Identifier: Apache-2.0
"""One round of a measurement: the wait until a switch has settled, the
figures, and whether they count."""

import time

# Limit for a switch to settle: seconds, and rounds of all flows if these take
# longer.
SETTLE_SECONDS = 20
SETTLE_ROUNDS = 12
# Shares, in percent, are alike if they differ by less, from one round of all
# flows to the next, and in a short part of a round.
ALIKE = 0.5
ALIKE_PART = 3
# The least part of the time that a PMD thread must have had a processor, if
# that is the main thread's.
SHARED = 0.95


class Unsettled(Exception):
    """The caches have not settled."""


class Window:
    """The statistics of 'switch' from now on."""

    def __init__(self, switch):
        self.switch = switch
        self.fuse = switch.fuse()
        switch.clear()
        self.waited, self.start = switch.waited(), time.monotonic()

    def end(self):
        """Sets 'perf' to the statistics, and 'shares' to those of the caches,
        in percent."""
        self.perf = perf = self.switch.perf()
        perf["share"] = 1 - (max(after - before for before, after
                                 in zip(self.waited, self.switch.waited()))
                             / (time.monotonic() - self.start))
        self.shares = {"passes": 100 * perf["passes"], "EMC": perf["EMC"],
                       "SMC": perf["SMC"], "upcalls": perf["upcall share"]}
        fuse = self.switch.fuse()
        if fuse and self.fuse:
            packets = fuse["packets"] - self.fuse["packets"]

            def share(name):
                return 100 * (fuse[name] - self.fuse[name]) / max(packets, 1)
            self.shares["fused"] = perf["hits"] = share("hits")
            self.shares["learned"] = share("learned")
            self.shares["aside"] = 100 * fuse["aside"]
        return self

    def unlike(self, other, limit):
        """Describes how 'shares' differ from those of 'other', or returns an
        empty string.  A port that steps aside may come back at any time, and
        has no shares to compare: what it chooses is part of its costs."""
        if self.shares.get("aside") or other.get("aside"):
            return ""
        return ", ".join(
            "%s %.1f %%, then %.1f %%" % (name, other.get(name, 0), share)
            for name, share in self.shares.items()
            if abs(share - other.get(name, 0)) >= limit)


def round_of_all(workload, seconds):
    """Waits at least 'seconds', until each source has sent all its flows."""
    ports = workload.traffic.sources()
    goals = [p["done"] + workload.n for p in ports]
    end, late = time.monotonic() + seconds, time.monotonic() + 60
    while (any(p["done"] < g for p, g in zip(ports, goals))
           or time.monotonic() < end):
        if time.monotonic() > late:
            raise Unsettled("a round of all flows takes more than a minute")
        time.sleep(0.01)


def settle(workload, switch):
    """Runs traffic until the shares of the caches in a round of all flows are
    the same twice in a row, for all switches and settings alike.  Returns
    them."""
    start = time.monotonic()
    before, same, rounds = {}, 0, 0
    while same < 2:
        window = Window(switch)
        round_of_all(workload, 0.15)
        window.end()
        rounds += 1
        change = window.unlike(before, ALIKE)
        same = 0 if change else same + 1
        before = window.shares
        if (change and time.monotonic() - start > SETTLE_SECONDS
                and rounds >= SETTLE_ROUNDS):
            raise Unsettled("not settled in %.0f s, %d rounds of all flows: %s"
                            % (time.monotonic() - start, rounds, change))
    return before


def undisturbed(window, attempts=5):
    """The window, by function 'window', in which PMD threads had their
    processors for themselves, or the best of a number of attempts."""
    best = None
    for _ in range(attempts):
        found = window().end()
        if not best or found.perf["share"] > best.perf["share"]:
            best = found
        if best.perf["share"] > 0.99:
            break
    return best


def steady(workload, switch, setting, seconds):
    """A round of flows that repeat."""
    workload.start()
    try:
        for _ in range(3):
            if setting != switch.settled[0]:
                switch.settled = setting, settle(workload, switch)
            else:
                # As it was left, except for the processor's caches.
                round_of_all(workload, 0.2)
            window = undisturbed(lambda: sleeping(switch, seconds))
            change = window.unlike(switch.settled[1], ALIKE_PART)
            if not change:
                break
            switch.settled = None, {}
        else:
            raise Unsettled("settled, but not for long: " + change)
    finally:
        # All packets sent since the start must have come out.
        workload.stop()
    return window.perf


def sleeping(switch, seconds):
    window = Window(switch)
    time.sleep(seconds)
    return window


def once(workload, switch):
    """A round of flows that do not repeat."""
    def window():
        workload.fresh()
        time.sleep(0.5)
        found = Window(switch)
        workload.traffic.send_all(workload.whole())
        return found
    return undisturbed(window).perf


def measure(workload, switch, setting, seconds):
    """One round.  Returns the figures, with "wrong" if they do not count, or
    None if the switch does not have that setting."""
    switch.resume()
    try:
        if not switch.set(setting):
            return None
        try:
            found = (once(workload, switch) if workload.once
                     else steady(workload, switch, setting, seconds))
        except Unsettled as e:
            switch.settled = None, {}
            return {"wrong": str(e)}
        found["cycles"] *= workload.each
        found["speed"] /= workload.each
        found["packets lost"] = workload.lost()
        if workload.lossless and found["packets lost"]:
            found["wrong"] = "%d packets lost, port drops %s" % (
                found["packets lost"], switch.drops())
        elif found["lost"]:
            found["wrong"] = "%d upcalls lost" % found["lost"]
        elif found["upcalls"] > found["packets"] / 1000:
            found["wrong"] = "%d upcalls" % found["upcalls"]
        elif len(switch.pmd_cpus) > 1 and found["share"] < SHARED:
            found["wrong"] = "a PMD thread had its processor for %.0f %%" % (
                100 * found["share"])
        elif not found["packets"]:
            found["wrong"] = "no packets"
        return found
    finally:
        switch.hold()
