#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures load-balanced groups beside those of Open vSwitch, with packets.

    bench-lb.py BUILD LIBRARY moves|new|cycles

BUILD is the build folder of the project, LIBRARY tests/bench/bench-traffic.so
(make it by that name).  Needs root and hugepages, as 'make bench' does.  One
extended switch runs all methods; dp_hash and hash are Open vSwitch's own.
Prints tables in Markdown:

  moves   For each method, number of buckets, weights and change of the
          buckets: how many of 20,000 flows move, and the least that must.

  new     1,000,000 packets, each of a new flow, through a group whose buckets
          have been used before: megaflows, upcalls, packets lost, cycles.

  cycles  Cycles per packet with 10,000 to 1,000,000 flows that come again and
          again, receive and transmit included."""

import os
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
    'maglev, sticky': 'maglev,selection_method_param=%d' % (600 << 32),
    'dp_hash': 'dp_hash',
    'hash': 'hash,fields(ip_src,ip_dst,ip_proto,udp_src,udp_dst)',
}


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
        self.sink = self.traffic.sink()
        self.switch.port('br0', self.source, 1)
        self.switch.port('br0', self.sink, 2)
        self.switch.pmd_thread()

    def vips(self, n):
        return self.pcaps.get('vip-%d' % n, workloads.to_vip(n))

    def group(self, command, method, buckets):
        """Buckets are pairs (number, weight)."""
        props = METHODS[method]
        # In pieces, for messages have 64 kB.
        pieces = [buckets[i:i + 300] for i in range(0, len(buckets), 300)]
        texts = [','.join(
            'bucket=bucket_id:%d,weight:%d,actions=set_field:%s->eth_dst,'
            'set_field:%s->ip_dst,output:2'
            % (b, w, mac(NEW_DST_MAC), ip(BACKENDS + 1 + b))
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
        for frame in self.traffic.captured(self.sink):
            got = packets.parse_udp(frame)
            found[got.i] = got.dst - BACKENDS - 1
        return found


def shares(buckets):
    total = sum(w for _, w in buckets)
    return {b: w / total for b, w in buckets}


def least(before, after):
    """The part of flows that must move."""
    old, new = shares(before), shares(after)
    return sum(max(0, old[b] - new.get(b, 0)) for b in old)


def moves(bench):
    n = 20000
    print('| buckets | weights | method | worst share | one goes: % moved '
          '| one comes | one gets double weight | least of each |')
    print('|---|---|---|---|---|---|---|---|')
    for n_buckets in (4, 16, 100):
        for weights in ('equal', '1 to 4'):
            for method in METHODS:
                before = [(b, 100 if weights == 'equal' else 100 + b % 4 * 100)
                          for b in range(n_buckets)]
                victim = n_buckets // 2
                changes = [
                    [x for x in before if x[0] != victim],
                    before + [(n_buckets, before[0][1])],
                    [(b, w * 2 if b == victim else w) for b, w in before]]
                moved = []
                for after in changes:
                    bench.fresh(method, before, n)
                    first = bench.where(n)
                    bench.group('mod-group', method, after)
                    second = bench.where(n)
                    both = first.keys() & second.keys()
                    moved.append('%.1f' % (100 * sum(
                        first[i] != second[i] for i in both) / len(both)))
                fair = shares(before)
                worst = max(abs(list(first.values()).count(b)
                                / len(first) / fair[b] - 1) for b in fair)
                print('| %d | %s | %s | %.0f %% | %s | %s |'
                      % (n_buckets, weights, method, 100 * worst,
                         ' | '.join(moved),
                         ', '.join('%.1f' % (100 * least(before, a))
                                   for a in changes)), flush=True)


def new(bench):
    n = 1000000
    print('| buckets | method | megaflows | upcalls | packets lost | cycles '
          'per packet | seconds |')
    print('|---|---|---|---|---|---|---|')
    for n_buckets in (16, 1000):
        for method in METHODS:
            bench.fresh(method, [(b, 1) for b in range(n_buckets)], n)
            # So that each bucket has been used.
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


def cycles(bench):
    rounds = 5
    print('| flows | ' + ' | '.join(list(METHODS)[:3]) + ' |')
    print('|---|---|---|---|')
    for n in (10000, 100000, 1000000):
        row = []
        for method in list(METHODS)[:3]:
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
    build, library, what = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix='bench-lb-') as folder:
        bench = Bench(os.path.abspath(build), os.path.abspath(library),
                      folder)
        try:
            {'moves': moves, 'new': new, 'cycles': cycles}[what](bench)
        finally:
            bench.switch.end()


main()
