# SPDX-License-Identifier: Apache-2.0
"""Results of the benchmark as a table and as JSON."""

import json
import os
import re
import statistics

import conns
from workloads import count

COLUMNS = (("work", -34), ("stock", 12), ("best", 12), ("off", 12),
           ("on", 12), ("off/stock", 9), ("best/ext", 16), ("to reach", 12),
           ("reached", 7), ("M/s", 6), ("hits", 5), ("megafl.", 7))

# Tolerance of "not slower".
TOLERANCE = 0.02


def title(row):
    return row["row"] + " " + ", ".join(
        "%s %s" % (count(v), k) if isinstance(v, int) else str(v)
        for k, v in row["case"].items())


def cycles(row, variant):
    """Median and spread, or the reason why the figure is void."""
    if variant in row["refused"]:
        return "refused"
    v = row["variants"].get(variant)
    if not v or "cycles" not in v:
        return "-"
    spread = (v["max"] - v["min"]) / 2
    return "%.0f ±%.0f" % (v["cycles"], spread)


def ratio(row, name):
    """A ratio's median, or None if a figure of the row does not count."""
    found = row["ratios"].get(name)
    return found["median"] if found and not row["refused"] else None


def goal(row):
    """The target of the extended switch, and whether it is met, or None
    without a figure.  Ratios are to stock with its best settings."""
    if not row.get("goal"):
        return "-", None
    kind, value = row["goal"]
    on = row["variants"].get("on", {})
    if kind == "cycles":
        found = on.get("cycles") if "on" not in row["refused"] else None
        return "≤ %d" % value, None if found is None else found <= value
    times = ratio(row, "best / extended")
    if kind == "times":
        return "%d x stock" % value, None if times is None else times >= value
    return kind, None if times is None else times >= value - TOLERANCE


def yes(reached):
    return {None: "-", True: "yes", False: "no"}[reached]


def cells(row):
    fast = row["variants"].get("on") or row["variants"].get("off") or {}
    times = row["ratios"].get("best / extended")
    off = ratio(row, "off / stock")
    target, reached = goal(row)
    hits = fast.get("rounds", {}).get("hits")
    return (title(row), cycles(row, "stock"),
            cycles(row, "stock best") if "stock best" in row["variants"]
            else cycles(row, "stock"),
            cycles(row, "off"), cycles(row, "on"),
            "%.3f" % off if off else "-",
            "%.2f (%.2f-%.2f)" % (times["median"], times["min"],
                                  times["max"])
            if times and not row["refused"] else "-",
            target, yes(reached),
            "%.3g" % fast["Mpps"] if "Mpps" in fast else "-",
            "%.0f" % statistics.median(hits) if hits else "-",
            "%d" % fast["megaflows"] if "megaflows" in fast else "-")


def speed(row, variant):
    """Millions of packets or connections a second, or None."""
    v = row["variants"].get(variant, {})
    return v.get("Mpps") if variant not in row["refused"] else None


def scaling(row, rows, variant):
    """How many times as fast 'row' is as the same with one thread."""
    case = {k: v for k, v in row["case"].items() if k != "directions"}
    for other in rows:
        if (other["row"] == row["row"]
                and other["case"] == dict(case, threads=1)
                and speed(other, variant) and speed(row, variant)):
            return "%.2f" % (speed(row, variant) / speed(other, variant))
    return "-"


def line(values):
    return "  ".join(v.ljust(-w) if w < 0 else v.rjust(w)
                     for v, (_, w) in zip(values, COLUMNS))


class Table:
    """Prints results line by line, as they come in."""

    def __init__(self):
        print("cycles per packet, median ± half the spread of the rounds; "
              "best/ext: pair by pair\n")
        print(line([name for name, _ in COLUMNS]), flush=True)

    def add(self, row, rows):
        """'rows' are all so far."""
        if row["page"] == 4:
            self.add_main(row)
        else:
            print(line(cells(row)), flush=True)
        if row["case"].get("threads", 1) > 1:
            print("    times as fast as one thread: stock %s, on %s"
                  % (scaling(row, rows, "stock best"),
                     scaling(row, rows, "on")), flush=True)
        for variant, why in row["refused"].items():
            print("    refused (%s): %s" % (variant, why), flush=True)

    @staticmethod
    def add_main(row):
        print("%s: bytes per connection; longest time without an answer, ms, "
              "to version, echo" % title(row))
        for name, texts in [["", ("bytes",) + conns.EVENTS]] + [
                [v, conns.cells(row, v)] for v in conns.VARIANTS]:
            print("    %-8s%s" % (name, "".join(t.rjust(14) for t in texts)),
                  flush=True)


def markdown_table(head, lines):
    return "".join("| %s |\n" % " | ".join(x) for x in
                   [head, ["---"] * len(head)] + lines) + "\n"


def markdown(results):
    """The tables for Documentation/results.md."""
    text = ""
    rows = [r for r in results["rows"] if r["page"] == 1]
    if rows:
        text += markdown_table([name for name, _ in COLUMNS[:7]],
                               [list(cells(r)[:7]) for r in rows])
    rows = [r for r in results["rows"] if r["page"] == 2]
    if rows:
        text += markdown_table(
            ["work", "stock, best", "on", "best/ext", "megaflows",
             "entries", "bytes per entry", "cache, MB"],
            [[title(r), cycles(r, "stock best"), cycles(r, "on"),
              cells(r)[6], cells(r)[11]] + memory(r) for r in rows])
    rows = [r for r in results["rows"] if r["page"] == 3]
    if rows:
        text += markdown_table(
            ["work", "stock, best", "on", "best/ext", "stock, M/s", "on, M/s",
             "stock, scaling", "on, scaling"],
            [[title(r), cycles(r, "stock best"), cycles(r, "on"), cells(r)[6]]
             + ["%.3g" % speed(r, v) if speed(r, v) else "-"
                for v in ("stock best", "on")]
             + [scaling(r, rows, v) for v in ("stock best", "on")]
             for r in rows])
    rows = [r for r in results["rows"] if r["page"] == 4]
    if rows:
        text += markdown_table(
            ["work", "switch", "bytes per connection"]
            + ["%s, ms" % event for event in conns.EVENTS],
            [[title(r), variant] + conns.cells(r, variant)
             for r in rows for variant in conns.VARIANTS])
    for row in results["rows"]:
        for variant, why in row["refused"].items():
            text += "Refused: %s, %s: %s\n" % (title(row), variant, why)
    return text


def memory(row):
    on = row["variants"].get("on", {})
    fuse = on.get("fuse")
    if not fuse:
        return ["-"] * 3
    return ["%d" % fuse["entries"], "%d" % on.get("bytes per entry", 0),
            "%.1f" % (fuse["kB"] / 1024)]


def save(results, folder):
    """Writes results.json, a line for each list of figures, and results.md."""
    os.makedirs(folder, exist_ok=True)
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    text = re.sub(r"\[[^][{}\"]*\]", lambda m: " ".join(m[0].split()), text)
    text = re.sub(r"\{[^][{}]*\}", lambda m: " ".join(m[0].split()), text)
    for name, content in (("results.json", text + "\n"),
                          ("results.md", markdown(results))):
        path = os.path.join(folder, name)
        with open(path + ".tmp", "w") as f:
            f.write(content)
        os.rename(path + ".tmp", path)
