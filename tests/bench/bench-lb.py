#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures load-balanced groups beside those of Open vSwitch, with packets.

    bench-lb.py BUILD LIBRARY moves [BUCKETS...]
    bench-lb.py BUILD LIBRARY new|loss|cycles

BUILD is the build folder of the project, LIBRARY tests/bench/bench-traffic.so
(make it by that name).  Needs root and hugepages, as 'make bench' does.  One
extended switch runs all methods; dp_hash and hash are Open vSwitch's own.
Prints tables in Markdown:

  moves   For each method, number of buckets, weights and change of the
          buckets: how evenly flows are spread, and how many of them move,
          beside what is possible.  Flows are the same in each run; a method
          with a seed, dp_hash and hash give the same figures in each run.

  new     1,000,000 packets, each of a new flow, through a group whose buckets
          have been used before: megaflows, upcalls, packets lost, cycles.

  loss    A million packets of 100,000 flows, which are new at first, at 1.5
          million a second into a receive queue of 2,048: packets lost.

  cycles  Cycles per packet with 10,000 to 1,000,000 flows that come again and
          again, receive and transmit included."""

import collections
import itertools
import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import packets  # noqa: E402
import workloads  # noqa: E402
from packets import BACKENDS, NEW_DST_MAC, VIP, ip, mac  # noqa: E402
from switch import Switch  # noqa: E402

METHODS = {
    'maglev': 'maglev',
    'maglev, seed': 'maglev,selection_method_param=1',
    'maglev, sticky': 'maglev,selection_method_param=%d' % (600 << 32),
    'dp_hash': 'dp_hash',
    'hash': 'hash,fields(ip_src,ip_dst,ip_proto,udp_src,udp_dst)',
}
CYCLES = 'maglev', 'maglev, sticky', 'dp_hash'


class Bench:
    def __init__(self, build, library, folder):
        self.pcaps = workloads.Pcaps(os.path.join(folder, 'pcaps'))
        self.switch = Switch('extended',
                             build + '/openvswitch/extended',
                             build + '/openvswitch/extended-source',
                             os.path.join(folder, 'sw'), library,
                             sorted(os.sched_getaffinity(0))[:2], 512)
        self.switch.vsctl('set', 'open', '.',
                          'other_config:lb-sticky-entries=4194304')
        self.switch.bridge('br0')
        self.traffic = self.switch.traffic
        self.source = self.traffic.source(self.vips(1000))
        self.sink = self.traffic.sink(1 << 24)
        self.switch.port('br0', self.source, 1)
        self.switch.port('br0', self.sink, 2)
        self.switch.pmd_threads()
        self.piece = 300
        self.set_mac = 'set_field:%s->eth_dst,' % mac(NEW_DST_MAC)

    def small_buckets(self):
        """Makes each change in one message: after insert-buckets, Open vSwitch
        3.1 builds the table of dp_hash from the new buckets alone."""
        self.piece = 1300
        self.set_mac = ''

    def vips(self, n):
        return self.pcaps.get('vip-%d' % n, workloads.to_vip(range(n)))

    def group(self, command, method, buckets):
        """Buckets are pairs (number, weight)."""
        props = METHODS[method]
        # In pieces: messages have at most 64 kB.
        pieces = [buckets[i:i + self.piece]
                  for i in range(0, len(buckets), self.piece)]
        texts = [','.join(
            'bucket=bucket_id:%d,weight:%d,actions=%sset_field:%s->ip_dst,'
            'output:2' % (b, w, self.set_mac, ip(BACKENDS + 1 + b))
            for b, w in piece) for piece in pieces]
        self.switch.run('ovs-ofctl', '-OOpenFlow15', command, 'br0', '-',
                        stdin='group_id=1,type=select,selection_method=%s,%s\n'
                        % (props, texts[0]))
        for text in texts[1:]:
            self.switch.run('ovs-ofctl', '-OOpenFlow15', 'insert-buckets',
                            'br0', '-', stdin='group_id=1,command_bucket_id='
                            'last,%s\n' % text)
        self.switch.appctl('revalidator/wait')

    def fresh(self, method, buckets, n_flows):
        self.switch.run('ovs-ofctl', '-OOpenFlow15', 'del-groups', 'br0')
        self.switch.appctl('revalidator/purge')
        self.switch.appctl('lb/flush')
        self.group('add-group', method, buckets)
        self.switch.flows('br0', ['in_port=1,ip,nw_dst=%s,actions=group:1'
                                  % ip(VIP)])
        self.source.set_file(self.vips(n_flows))

    def where(self, n):
        """The bucket of each flow."""
        self.traffic.capture(self.sink, True)
        self.traffic.send(self.source, n)
        self.traffic.capture(self.sink, False)
        found = {}
        for k, frame in enumerate(self.traffic.captured(self.sink)):
            if k < 1000:
                packets.parse_udp(frame)
            found[int.from_bytes(frame[-4:], 'big')] = (
                int.from_bytes(frame[30:34], 'big') - BACKENDS - 1)
        if len(found) != n:
            raise packets.Wrong('%d of %d flows came out' % (len(found), n))
        return found


def shares(buckets):
    total = sum(w for _, w in buckets)
    return {b: w / total for b, w in buckets}


def least(before, after):
    """The part of flows that must move."""
    old, new = shares(before), shares(after)
    return sum(max(0, old[b] - new.get(b, 0)) for b in old)


WEIGHTS = {
    'equal': lambda b: 100,
    '1 to 4': lambda b: 100 + b % 4 * 100,
    'one of 10': lambda b: 1000 if b == 0 else 100,
}


def excess(counts, fair):
    """For flows that met buckets so often: the part that is too much, and how
    far the most loaded bucket is above its share."""
    n = sum(counts.values())
    return (sum(max(0, counts[b] / n - fair[b]) for b in fair),
            max(counts[b] / n / fair[b] for b in fair) - 1)


def by_chance(fair, n):
    """The same for a random choice of each flow."""
    dice = random.Random(1)
    tries = [excess(collections.Counter(dice.choices(
        list(fair), list(fair.values()), k=n)), fair) for _ in range(5)]
    return [sum(x) / len(tries) for x in zip(*tries)]


def moves(bench, *numbers):
    print('| buckets | weights | method | on wrong bucket, % | most loaded, % '
          '| one goes, % moved | one comes | one gets double weight |')
    print('|---|---|---|---|---|---|---|---|')

    def row(n_buckets, weights, method, balance, moved):
        print('| %s | %s | %s | %.1f | +%.0f | %s |' % (
            n_buckets, weights, method, 100 * balance[0], 100 * balance[1],
            ' | '.join('%.1f' % (100 * m) for m in moved)), flush=True)

    bench.small_buckets()
    for n_buckets in [int(n) for n in numbers] or (2, 4, 10, 16, 100, 1000):
        n = max(20000, 50 * n_buckets)
        for weights, weight in WEIGHTS.items():
            before = [(b, weight(b)) for b in range(n_buckets)]
            victim = n_buckets // 2
            changes = [
                [x for x in before if x[0] != victim],
                before + [(n_buckets, before[-1][1])],
                [(b, w * 2 if b == victim else w) for b, w in before]]
            fair = shares(before)
            row(n_buckets, weights, '*possible*', by_chance(fair, n),
                [least(before, after) for after in changes])
            for method in METHODS:
                moved = []
                for after in changes:
                    # Remembered flows would remember the last change.
                    bench.fresh(method, before, n)
                    first = bench.where(n)
                    bench.group('mod-group', method, after)
                    bench.switch.appctl('revalidator/purge')
                    second = bench.where(n)
                    moved.append(sum(first[i] != second[i] for i in first)
                                 / n)
                row(n_buckets, weights, method,
                    excess(collections.Counter(first.values()), fair), moved)


def new(bench):
    n = 1000000
    bench.small_buckets()
    print('| buckets | method | megaflows | upcalls | packets lost | cycles '
          'per packet | seconds |')
    print('|---|---|---|---|---|---|---|')
    for n_buckets in (16, 1000):
        for method in METHODS:
            bench.fresh(method, [(b, 1) for b in range(n_buckets)], n)
            # Each bucket must have been used.
            bench.traffic.send(bench.source, 20000)
            bench.switch.clear()
            start = time.monotonic()
            lost = bench.traffic.send(bench.source, n)
            seconds = time.monotonic() - start
            perf = bench.switch.perf()
            print('| %d | %s | %d | %d | %d | %.0f | %.1f |'
                  % (n_buckets, method, bench.switch.megaflows(),
                     perf['upcalls'], lost, perf['cycles'], seconds),
                  flush=True)


def loss(bench):
    n, flows, rate = 1000000, 100000, 1500000
    bench.small_buckets()
    print('| buckets | method | megaflows | upcalls | packets lost | % |')
    print('|---|---|---|---|---|---|')
    for n_buckets in (16, 1000):
        for method in METHODS:
            bench.fresh(method, [(b, 1) for b in range(n_buckets)], flows)
            # Each bucket must have been used, by other flows.
            bench.source.set_file(bench.pcaps.get(
                'others', itertools.islice(workloads.to_vip(flows + 20000),
                                           flows, None)))
            bench.traffic.send(bench.source, 20000)
            bench.source.set_file(bench.vips(flows))
            bench.switch.clear()
            bench.source['rate'] = rate
            lost = bench.traffic.send(bench.source, n)
            bench.source['rate'] = 0
            perf = bench.switch.perf()
            print('| %d | %s | %d | %d | %d | %.1f |'
                  % (n_buckets, method, bench.switch.megaflows(),
                     perf['upcalls'] + perf['lost'], lost, 100 * lost / n),
                  flush=True)


def cycles(bench):
    rounds = 5
    print('| flows | ' + ' | '.join(CYCLES) + ' |')
    print('|---|---|---|---|')
    for n in (10000, 100000, 1000000):
        row = []
        for method in CYCLES:
            bench.fresh(method, [(b, 1) for b in range(16)], n)
            for _ in range(3):
                bench.traffic.send(bench.source, n)
            best = []
            for _ in range(rounds):
                bench.switch.clear()
                bench.traffic.send(bench.source, max(n, 1000000))
                best.append(bench.switch.perf()['cycles'])
            row.append('%.0f' % sorted(best)[rounds // 2])
        print('| %d | %s |' % (n, ' | '.join(row)), flush=True)


def main():
    build, library, what = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix='bench-lb-') as folder:
        bench = Bench(os.path.abspath(build), os.path.abspath(library),
                      folder)
        try:
            {'moves': moves, 'new': new, 'loss': loss, 'cycles': cycles}[what](
                bench, *sys.argv[4:])
        finally:
            bench.switch.end()


main()
