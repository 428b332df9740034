# SPDX-License-Identifier: Apache-2.0
"""Results of the benchmark as a table, as JSON, and as charts."""

import json
import os
import shutil
import subprocess

from workloads import count

COLUMNS = (("work", -34), ("stock", 12), ("best", 12), ("off", 12),
           ("on", 12), ("off/stock", 9), ("best/ext", 16), ("Mpps", 6),
           ("passes", 6), ("megafl.", 7))


def title(row):
    return row["row"] + " " + ", ".join(
        "%s %s" % (count(v), k) if isinstance(v, int) else str(v)
        for k, v in row["case"].items())


def cycles(row, variant):
    """Median and spread, or what makes the figure void."""
    if variant in row["refused"]:
        return "refused"
    v = row["variants"].get(variant)
    if not v:
        return "-"
    spread = (v["max"] - v["min"]) / 2
    return "%.0f ±%.0f" % (v["cycles"], spread)


def cells(row):
    refused = row["refused"]
    fast = row["variants"].get("on") or row["variants"].get("off") or {}
    ratio = row["ratios"].get("best / extended")
    off = row["ratios"].get("off / stock")
    return (title(row), cycles(row, "stock"),
            cycles(row, "stock best") if "stock best" in row["variants"]
            else cycles(row, "stock"),
            cycles(row, "off"), cycles(row, "on"),
            "%.3f" % off["median"] if off and not refused else "-",
            "%.2f (%.2f-%.2f)" % (ratio["median"], ratio["min"],
                                  ratio["max"])
            if ratio and not refused else "-",
            "%.2f" % fast["Mpps"] if fast else "-",
            "%.2f" % fast["passes"] if fast else "-",
            "%d" % fast["megaflows"] if fast else "-")


def line(values):
    return "  ".join(v.ljust(-w) if w < 0 else v.rjust(w)
                     for v, (_, w) in zip(values, COLUMNS))


class Table:
    """Printed line by line, as results come in."""

    def __init__(self):
        print("cycles per packet, median ± half the spread of the rounds; "
              "best/ext: pair by pair\n")
        print(line([name for name, _ in COLUMNS]), flush=True)

    def add(self, row):
        print(line(cells(row)), flush=True)
        for variant, why in row["refused"].items():
            print("    refused (%s): %s" % (variant, why), flush=True)


def save(results, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "results.json")
    with open(path + ".tmp", "w") as f:
        json.dump(results, f, indent=1, sort_keys=True)
        f.write("\n")
    os.rename(path + ".tmp", path)


SERIES = (("stock", "stock"), ("stock best", "stock, best settings"),
          ("off", "extended, cache off"), ("on", "extended, cache on"))

BARS = """set terminal pngcairo size {width},720 font "sans,10"
set output "{png}"
set title "Cycles per packet, one PMD thread (less is better)"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set grid ytics
set yrange [0:*]
set xtics rotate by -35 scale 0
set key top left
set bmargin 9
plot {plots}
"""
LINES = """set terminal pngcairo size 800,560 font "sans,10"
set output "{png}"
set title "{row}: cycles per packet (less is better)"
set style data linespoints
set logscale x
set grid
set yrange [0:*]
set xlabel "{axis}"
set key top left
plot {plots}
"""


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def value(row, variant):
    v = row["variants"].get(variant)
    if variant == "stock best" and not v:
        v = row["variants"].get("stock")
    if not v or variant in row["refused"]:
        return "NaN"
    return "%.1f" % v["cycles"]


def series(rows):
    return [(k, t) for k, t in SERIES
            if any(value(r, k) != "NaN" for r in rows)]


def charts(results, folder):
    """One chart with a group of bars for each case of the first page; one of
    lines for each row of the second."""
    if not shutil.which("gnuplot"):
        print("no charts: install the Debian package 'gnuplot-nox'")
        return
    scaled = {"flows-fwd": "flows", "flows-svc": "flows",
              "megaflows": "rules"}
    rows = [r for r in results["rows"] if r["row"] not in scaled]
    if rows and series(rows):
        data = os.path.join(folder, "cycles.dat")
        with open(data, "w") as f:
            for row in rows:
                f.write('"%s" %s\n' % (title(row), " ".join(
                    value(row, k) for k, _ in series(rows))))
        plots = ", ".join(
            '"%s" using %d%s title "%s"' % (data, i + 2,
                                            ":xtic(1)" if i == 0 else "", t)
            for i, (_, t) in enumerate(series(rows)))
        gnuplot(BARS.format(png=os.path.join(folder, "cycles.png"),
                            width=max(640, 160 + 70 * len(rows)),
                            plots=plots))
    for name, axis in scaled.items():
        rows = [r for r in results["rows"] if r["row"] == name]
        if len(rows) < 2 or not series(rows):
            continue
        data = os.path.join(folder, name + ".dat")
        with open(data, "w") as f:
            for row in rows:
                f.write("%d %s\n" % (row["case"][axis], " ".join(
                    value(row, k) for k, _ in series(rows))))
        gnuplot(LINES.format(
            png=os.path.join(folder, name + ".png"), row=name, axis=axis,
            plots=", ".join('"%s" using 1:%d title "%s"' % (data, i + 2, t)
                            for i, (_, t) in enumerate(series(rows)))))
