# SPDX-License-Identifier: Apache-2.0
"""Megaflows that overlap.

Megaflows are made so that those which overlap have the same actions: a wide
one comes after rules changed, and a narrow one that was there stays valid.
Which of them packets of both are credited to depends on what was looked up
when: a cache, the exact match cache as well as the fused one, goes on with the
one that it met, while the classifier finds whichever it tries first.  What
must not depend on the cache is their sum.
"""

import ipaddress
import re
from collections import defaultdict

STATS = re.compile(r", packets:(\d+), bytes:(\d+)(?:, flags:(\S+?))?"
                   r"(?=, |$)")


def split(text):
    """The parts of 'text' between commas that no parentheses surround."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            parts.append(text[start:i])
            start = i + 1
    return [p for p in parts + [text[start:]] if p]


def fields(key, prefix=""):
    """{name: value} of 'key', as dpctl/dump-flows prints it."""
    found = {}
    for part in split(key):
        m = re.fullmatch(r"([\w-]+)\((.*)\)", part)
        if m:
            found.update(fields(m[2], prefix + m[1] + "."))
        elif re.match(r"\w+=", part):
            name, value = part.split("=", 1)
            found[prefix + name] = value
        else:
            found[prefix] = part
    return found


def number(text):
    """A number and how many bits it has."""
    if re.fullmatch(r"(..:){5}..", text):
        return int(text.replace(":", ""), 16), 48
    if "." in text or ":" in text:
        address = ipaddress.ip_address(text)
        return int(address), address.max_prefixlen
    return int(text, 0), 128


def value_and_mask(text):
    """Raises ValueError if 'text' is not a number with a mask."""
    if re.fullmatch(r"([-+]\w+)+", text):
        bits = {name: sign == "+"
                for sign, name in re.findall(r"([-+])(\w+)", text)}
        return bits, None
    value, _, mask = text.partition("/")
    value, n = number(value)
    if not mask:
        return value, (1 << n) - 1
    if mask.isdigit() and n in (32, 128) and int(mask) <= n:
        return value, (1 << n) - (1 << n - int(mask))
    return value, number(mask)[0]


def contradict(x, y):
    """Whether no packet has both values 'x' and 'y' of a field."""
    if x == y:
        return False
    try:
        (a, a_mask), (b, b_mask) = value_and_mask(x), value_and_mask(y)
    except ValueError:
        return True
    if isinstance(a, dict) or isinstance(b, dict):
        return (type(a) is not type(b)
                or any(b.get(name, on) != on for name, on in a.items()))
    return bool((a ^ b) & a_mask & b_mask)


def overlap(x, y):
    """Whether some packet is of both megaflows, as far as one can tell."""
    x, y = fields(x), fields(y)
    return not any(contradict(x[name], y[name]) for name in x if name in y)


def read(lines):
    """{(key, actions): [packets, bytes, flags]}."""
    found = defaultdict(lambda: [0, 0, set()])
    for line in lines:
        m = STATS.search(line)
        if not m:
            found[line, ""]         # A heading.
            continue
        total = found[line[:m.start()], line[m.end():]]
        total[0] += int(m[1])
        total[1] += int(m[2])
        total[2] |= set(m[3] or "")
    return found


def same_sums(x, y):
    """Whether 'x' and 'y', from two switches, are the same megaflows, and
    those that overlap and do the same have the same statistics together."""
    x, y = read(x), read(y)
    if set(x) != set(y):
        return False
    left = set(x)
    while left:
        group, new = set(), {left.pop()}
        while new:
            group |= new
            new = {b for b in left for a in new
                   if a[1] == b[1] and overlap(a[0], b[0])}
            left -= new
        for i in (0, 1):
            if sum(x[f][i] for f in group) != sum(y[f][i] for f in group):
                return False
        if (set().union(*(x[f][2] for f in group))
                != set().union(*(y[f][2] for f in group))):
            return False
    return True


def self_test():
    wide = "in_port(3),eth_type(0x0800),ipv4(frag=no)%s, actions:3"
    narrow = ("in_port(3),eth_type(0x0800),ipv4(src=10.0.0.2/255.255.255.0,"
              "proto=6,frag=no),tcp(src=8/0xfff8)%s, actions:3")
    other = "in_port(3),eth_type(0x86dd),ipv6(frag=no)%s, actions:3"
    stats = ", packets:%d, bytes:%d, flags:%s"
    one = [wide % stats % (1, 60, "S"), narrow % stats % (3, 190, "P."),
           other % stats % (5, 500, ".")]
    assert same_sums(one, [wide % stats % (4, 250, "SP."),
                           narrow % ", packets:0, bytes:0", one[2]])
    for lines in ([wide % stats % (4, 250, "SP."), one[1], one[2]],
                  [one[0], wide % stats % (3, 191, "P."), one[2]],
                  [one[0], narrow % stats % (3, 190, "PR"), one[2]],
                  [one[0], narrow % stats % (4, 250, "P."),
                   other % stats % (4, 440, ".")],
                  [one[0], one[1]], [one[0], one[1],
                                     one[2].replace("s:3", "s:4")]):
        assert not same_sums(one, lines)
    for x, y, same in (("ct_state(+new+trk)", "ct_state(+trk-rpl)", True),
                       ("ct_state(+new+trk)", "ct_state(-new+trk)", False),
                       ("ipv6(dst=fc00::/ffff::)", "ipv6(dst=fc00::7)", True),
                       ("ipv6(dst=fc00::/64)", "ipv6(dst=fc00:1::7)", False),
                       ("eth(src=02:00:00:00:00:03)",
                        "eth(src=02:00:00:00:00:04)", False),
                       ("ct_mark(0x1/0x3)", "ct_mark(0x5)", True),
                       ("ipv4(frag=no)", "ipv4(frag=later)", False),
                       ("tunnel(tun_id=0x7,flags(-df-csum+key)),in_port(9)",
                        "tunnel(tun_id=0x7,flags(+key)),in_port(9)", True)):
        assert overlap(x, y) is same, (x, y)
