#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: chart.py RESULTS.json... FOLDER

Draws results of a bench as SVG, by nothing but Python's standard library:

    FOLDER/cycles.svg   cycles per packet of each case of the first page
    FOLDER/summary.svg  the same, one case for each row
    FOLDER/growth.svg   how cost grows, for the rows of the second page

Several results become one: where a case is in more than one, the last counts.
A case that was refused is left out.  Colours are Okabe and Ito's, which
colour-blind readers can tell apart; so can they the marks.
"""

import html
import json
import math
import os
import sys

from workloads import count

STOCK, OURS, INK, SOFT, GRID = ("#D55E00", "#0072B2", "#1f2328", "#59636e",
                                "#e4e7eb")
FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"
WIDTH = 860
# Each row in words: {} are parameters of its case.
WORDS = {
    "io": "receive and {work}",
    "fwd": "forward, rewriting MAC addresses",
    "flood": "forward, each packet a new flow",
    "lb": "stateless balancing, {buckets} buckets, {method}",
    "svc": "Service with conntrack and NAT",
    "svc-new": "Service, each packet a new connection",
    "svc-tcp": "TCP connection, {alive} others, {method}",
    "svc-oneway": "Service, connections without an answer",
    "decap": "GTP-U decapsulation, {TEIDs} TEIDs",
    "metered": "GTP-U decapsulation and meters, {TEIDs} TEIDs",
    "encap": "GTP-U encapsulation, {rules} rules",
    "upf": "UPF: GTP-U and Service, both ways",
    "vhost": "Service between vhost-user ports",
}
# Rows of the second page: the number that grows, in words.
GROWTH = (
    ("flows-svc", "flows", "Service with conntrack and NAT", "connections"),
    ("flows-fwd", "flows", "Forwarding by one megaflow", "flows"),
    ("tables", "recirculations", "Recirculations", "recirculations"),
    ("megaflows", "rules", "Megaflows, 10,000 flows", "megaflows"),
)


def figure(row, variant):
    """Median, least and most cycles, or None."""
    found = row["variants"].get(variant)
    if not found or "cycles" not in found or variant in row["refused"]:
        return None
    return found["cycles"], found["min"], found["max"]


def stock(row):
    return figure(row, "stock best") or figure(row, "stock")


def usable(rows, page):
    return [r for r in rows if r["page"] == page and r.get("variants")
            and stock(r) and figure(r, "on")]


def words(row):
    """The row and the number of flows, in words."""
    case = {k: count(v) if isinstance(v, int) else v
            for k, v in row["case"].items()}
    text = WORDS.get(row["row"], row["row"]).format(**case)
    text = text.replace(" 1 rules", " 1 rule")
    # In one-flow rows such as "io" the flows do not matter.
    if row["row"] == "io":
        return text
    return "%s, %s flows" % (text, case["flows"])


def summary(rows):
    """One case for each row: of at most 100k flows, the largest."""
    chosen = {}
    for row in rows:
        case = row["case"]
        if (max(case["flows"], case.get("alive", 0)) > 200000
                or case.get("method") in ("dp_hash", "alias")):
            continue
        chosen[row["row"]] = row
    return list(chosen.values())


class Svg:
    """Collects shapes; coordinates are pixels from the upper left."""

    def __init__(self, width, height, title):
        self.size = width, height
        self.parts = ['<title>%s</title>' % html.escape(title)]
        self.rect(0, 0, width, height, "#ffffff")

    def rect(self, x, y, width, height, fill):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" '
                          'fill="%s"/>' % (x, y, width, height, fill))

    def line(self, points, colour, width=1, opacity=1):
        self.parts.append(
            '<polyline points="%s" fill="none" stroke="%s" stroke-width="%g" '
            'stroke-opacity="%g" stroke-linejoin="round" '
            'stroke-linecap="round"/>'
            % (" ".join("%.1f,%.1f" % p for p in points), colour, width,
               opacity))

    def mark(self, x, y, colour):
        """A circle for stock, a square for ours."""
        if colour == STOCK:
            self.parts.append('<circle cx="%.1f" cy="%.1f" r="5.5" fill="%s" '
                              'stroke="#ffffff"/>' % (x, y, colour))
        else:
            self.parts.append('<rect x="%.1f" y="%.1f" width="10" height="10" '
                              'fill="%s" stroke="#ffffff"/>'
                              % (x - 5, y - 5, colour))

    def text(self, x, y, text, size=13, anchor="start", colour=INK,
             weight="normal"):
        self.parts.append(
            '<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" '
            'fill="%s" font-weight="%s">%s</text>'
            % (x, y, size, anchor, colour, weight, html.escape(text)))

    def save(self, path):
        with open(path, "w") as f:
            f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" '
                    'height="%d" viewBox="0 0 %d %d" font-family="%s">\n%s\n'
                    '</svg>\n' % (self.size + self.size
                                  + (FONT, "\n".join(self.parts))))


def legend(svg, x, y):
    for colour, text in ((STOCK, "stock Open vSwitch, best settings"),
                         (OURS, "this switch, cache on")):
        svg.mark(x, y - 4.5, colour)
        svg.text(x + 12, y, text, 12.5)
        x += 270


def log_ticks(low, high):
    return [m * 10 ** e for e in range(8) for m in (1, 2, 5)
            if low <= m * 10 ** e <= high]


def cycles_chart(rows, path):
    """A line for each case: a mark for either switch on a logarithmic axis,
    the range of its rounds, and how many times as fast ours is."""
    step, left, right, top = 27, 385, 75, 78
    svg = Svg(WIDTH, top + step * len(rows) + 56, "Cycles per packet")
    figures = [f for r in rows for f in (stock(r), figure(r, "on"))]
    low = math.log10(min(f[1] for f in figures) * 0.9)
    high = math.log10(max(f[2] for f in figures) * 1.1)
    bottom = top + step * len(rows)

    def at(value):
        return left + (WIDTH - right - left) * (
            (math.log10(value) - low) / (high - low))

    svg.text(16, 26, "Cycles per packet, one processor: less is better", 16,
             weight="bold")
    legend(svg, 24, 52)
    svg.text(WIDTH - 16, 52, "times as fast", 12.5, "end", SOFT)
    for value in log_ticks(10 ** low, 10 ** high):
        svg.line([(at(value), top - 10), (at(value), bottom)], GRID)
        svg.text(at(value), bottom + 18, "{:,}".format(value), 12, "middle",
                 SOFT)
    svg.text((left + WIDTH - right) / 2, bottom + 40,
             "cycles per packet, receive and transmit included "
             "(logarithmic); thin lines: all rounds", 12, "middle", SOFT)
    for i, row in enumerate(rows):
        y = top + step * i + step / 2
        svg.text(left - 14, y + 4.5, words(row), 12.5, "end")
        before, after = stock(row), figure(row, "on")
        svg.line([(at(before[0]), y), (at(after[0]), y)], SOFT, 2, 0.35)
        for found, colour in ((before, STOCK), (after, OURS)):
            svg.line([(at(found[1]), y), (at(found[2]), y)], colour, 1.2, 0.8)
            svg.mark(at(found[0]), y, colour)
        times = row["ratios"]["best / extended"]["median"]
        svg.text(WIDTH - 16, y + 4.5, "%.2f" % times if times < 1
                 else "%.1f" % times, 13, "end",
                 OURS if times > 1.02 else INK,
                 "bold" if times > 1.02 else "normal")
    svg.save(path)


def panel(svg, box, rows, key, title, unit):
    """One row of the second page, in the 'box' of left, top, width and height:
    cycles against the number that grows."""
    left, top, width, height = box
    xs = sorted({r["case"][key] for r in rows})
    scale = math.log10 if xs[0] > 0 else float
    span = scale(xs[-1]) - scale(xs[0])
    most = max(f[2] for r in rows for f in (stock(r), figure(r, "on")))
    unit_step = 10 ** math.floor(math.log10(most))
    ticks = [t for t in (0.25, 0.5, 1, 2) if most / (t * unit_step) <= 6]
    tick = ticks[0] * unit_step if ticks else 2 * unit_step
    limit = math.ceil(most / tick) * tick

    def at(x, y):
        return (left + width * (scale(x) - scale(xs[0])) / span,
                top + height * (1 - y / limit))

    svg.text(left - 44, top - 30, title, 13.5, weight="bold")
    svg.text(left - 44, top - 12, "cycles per packet", 11.5, colour=SOFT)
    for i in range(int(round(limit / tick)) + 1):
        y = at(xs[0], i * tick)[1]
        svg.line([(left, y), (left + width, y)], GRID)
        svg.text(left - 10, y + 4, "{:,.0f}".format(i * tick), 11.5, "end",
                 SOFT)
    for x in xs:
        svg.text(at(x, 0)[0], top + height + 18, count(x), 11.5, "middle",
                 SOFT)
    svg.text(left + width / 2, top + height + 36, unit, 12, "middle", SOFT)
    rows = sorted(rows, key=lambda r: r["case"][key])
    for colour, get in ((STOCK, stock), (OURS, lambda r: figure(r, "on"))):
        svg.line([at(r["case"][key], get(r)[0]) for r in rows], colour, 2.2)
        for row in rows:
            middle, least, greatest = get(row)
            x = row["case"][key]
            svg.line([at(x, least), at(x, greatest)], colour, 1.2, 0.8)
            svg.mark(*at(x, middle), colour)


def growth_chart(rows, path):
    found = []
    for name, key, title, unit in GROWTH:
        here = {}
        for row in rows:
            if row["row"] == name:
                here[row["case"][key]] = row
        if len(here) > 1:
            found.append((list(here.values()), key, title, unit))
    if not found:
        return
    lines = (len(found) + 1) // 2
    svg = Svg(WIDTH, 64 + 276 * lines, "How cost grows")
    svg.text(16, 26, "Cycles per packet as work grows: less is better", 16,
             weight="bold")
    legend(svg, 24, 52)
    for i, (here, key, title, unit) in enumerate(found):
        panel(svg, (64 + 424 * (i % 2), 120 + 276 * (i // 2), 336, 170), here,
              key, title, unit)
    svg.save(path)


def charts(rows, folder):
    """Draws 'rows', of results.json, into 'folder'."""
    os.makedirs(folder, exist_ok=True)
    first = usable(rows, 1)
    for chosen, name in (first, "cycles"), (summary(first), "summary"):
        if chosen:
            cycles_chart(chosen, os.path.join(folder, name + ".svg"))
    growth_chart(usable(rows, 2), os.path.join(folder, "growth.svg"))


def main(*args):
    if len(args) < 2:
        sys.exit(__doc__)
    rows = {}
    for path in args[:-1]:
        with open(path) as f:
            for row in json.load(f)["rows"]:
                case = json.dumps(row["case"], sort_keys=True)
                rows[row["row"], case] = row
    charts(list(rows.values()), args[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
