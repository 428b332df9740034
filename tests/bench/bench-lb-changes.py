#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures changes of select groups, as a controller sees them: from the first
byte of an OpenFlow 1.5 message to the barrier's reply.

    bench-lb-changes.py [--method METHOD]... BUILD

BUILD is the build folder of an Open vSwitch (openvswitch/extended); METHODs
are maglev, maglev-sticky (with a timeout of 60 s), dp_hash and hash, by
default all.  Starts a switch of its own with the dummy datapath, without root,
in a temporary folder, and prints tables in Markdown:

  - Into a group of N buckets one is inserted, and removed again: changes per
    second when many are under way, and the time of one alone.

  - One bucket is inserted into each of 10,000 groups of 4.

  - 20,000 groups of 4 buckets are added, and deleted; one group of 4,096
    buckets is built up and deleted.  Memory (RSS) before, with them, after."""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'python'))
sys.dont_write_bytecode = True
import lb_wire as of  # noqa: E402
from ovs_daemons import Daemons  # noqa: E402

PROPS = {'maglev': ('maglev', 0), 'maglev-sticky': ('maglev', 60 << 32),
         'dp_hash': ('dp_hash', 0), 'hash': ('hash', 0)}


class Stand(Daemons):
    def __init__(self, build):
        source = build + '-source' if os.path.isdir(build + '-source') \
            else build.replace('stock', 'pristine')
        super().__init__(build, source, tempfile.mkdtemp(prefix='bench-lb-'))
        self.create_database()
        self.start_database()
        self.run('ovs-vsctl', '--no-wait', 'init')
        self.daemon('ovs-vswitchd', '--enable-dummy=override',
                    '--disable-system', '--disable-system-route')
        self.run('ovs-vsctl', 'add-br', 'br0', '--', 'set', 'bridge', 'br0',
                 'datapath-type=dummy', 'fail-mode=secure',
                 'protocols=OpenFlow15', '--', 'add-port', 'br0', 'p1', '--',
                 'set', 'Interface', 'p1', 'type=dummy')

    def rss(self):
        """Resident memory of ovs-vswitchd in MB."""
        with open('/proc/%d/status' % self.pid_of('ovs-vswitchd')) as f:
            return next(int(line.split()[1]) / 1024 for line in f
                        if line.startswith('VmRSS'))

    def settled_rss(self):
        """The same, when all deleted memory is freed: after a grace period,
        and for a table ten seconds later."""
        time.sleep(12)
        switch = of.Switch(self.dir + '/br0.mgmt')
        switch.sync(of.group_mod(of.ADD, 999999, method='maglev')
                    + of.group_mod(of.DELETE, 999999))
        time.sleep(2)
        return self.rss()

    def stop(self):
        self.end_daemons()
        shutil.rmtree(self.dir)


def some_bucket(i):
    return of.bucket(i, of.set_eth_dst(0x020000000000 + i) + of.output(1))


def build_group(switch, group, n, method):
    """Builds a group in pieces: a message has at most 64 kB."""
    name, param = PROPS[method]
    first = [some_bucket(i) for i in range(min(n, 500))]
    switch.sync(of.group_mod(of.ADD, group, first, method=name, param=param))
    for start in range(500, n, 500):
        switch.sync(of.group_mod(
            of.INSERT_BUCKET, group, where=of.LAST,
            buckets=[some_bucket(i) for i in range(start,
                                                   min(n, start + 500))]))
    assert not switch.errors, switch.errors


def rates(switch, n, method, seconds=2.0):
    """Changes per second, and the median of the time of one, in ms."""
    build_group(switch, 1, n, method)
    pair = (of.group_mod(of.INSERT_BUCKET, 1, [some_bucket(n)], of.LAST)
            + of.group_mod(of.REMOVE_BUCKET, 1, where=n))
    switch.sync(pair)
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        switch.sync(pair * 10)
        count += 20
    rate = count / (time.perf_counter() - start)

    times = []
    for _ in range(50):
        for half in (of.group_mod(of.INSERT_BUCKET, 1, [some_bucket(n)],
                                  of.LAST),
                     of.group_mod(of.REMOVE_BUCKET, 1, where=n)):
            start = time.perf_counter()
            switch.sync(half)
            times.append(1000 * (time.perf_counter() - start))
    switch.sync(of.group_mod(of.DELETE, 1))
    assert not switch.errors, switch.errors
    return rate, statistics.median(times)


def in_pieces(switch, messages, n=100):
    start = time.perf_counter()
    for i in range(0, len(messages), n):
        switch.sync(b''.join(messages[i:i + n]))
    assert not switch.errors, switch.errors
    return len(messages) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--method', action='append', choices=list(PROPS))
    args = parser.parse_args()
    methods = args.method or list(PROPS)
    stand = Stand(os.path.abspath(args.build))
    try:
        switch = of.Switch(stand.dir + '/br0.mgmt')
        print('| buckets | method | changes/s | one change, ms |')
        print('|---|---|---|---|')
        for n in (4, 16, 100, 1000, 4095):
            for method in methods:
                print('| %d | %s | %.0f | %.2f |'
                      % ((n, method) + rates(switch, n, method)), flush=True)

        print('\n| method | add 10,000 groups, /s | insert a bucket in each, '
              '/s | delete, /s |')
        print('|---|---|---|---|')
        for method in methods:
            name, param = PROPS[method]
            groups = range(1, 10001)
            add = in_pieces(switch, [of.group_mod(
                of.ADD, g, [some_bucket(i) for i in range(4)], method=name,
                param=param) for g in groups])
            insert = in_pieces(switch, [of.group_mod(
                of.INSERT_BUCKET, g, [some_bucket(4)], of.LAST)
                for g in groups])
            delete = in_pieces(switch, [of.group_mod(of.DELETE, g)
                                        for g in groups])
            print('| %s | %.0f | %.0f | %.0f |'
                  % (method, add, insert, delete), flush=True)

        print('\n| method | what | RSS before, MB | with | after |')
        print('|---|---|---|---|---|')
        for method in methods:
            name, param = PROPS[method]
            before = stand.settled_rss()
            in_pieces(switch, [of.group_mod(
                of.ADD, g, [some_bucket(i) for i in range(4)], method=name,
                param=param) for g in range(1, 20001)])
            during = stand.rss()
            switch.sync(of.group_mod(of.DELETE, 0xfffffffc))
            print('| %s | 20,000 groups of 4 | %.0f | %.0f | %.0f |'
                  % (method, before, during, stand.settled_rss()),
                  flush=True)
            before = stand.rss()
            build_group(switch, 1, 4096, method)
            during = stand.rss()
            switch.sync(of.group_mod(of.DELETE, 1))
            print('| %s | 4,096 buckets | %.0f | %.0f | %.0f |'
                  % (method, before, during, stand.settled_rss()),
                  flush=True)
    finally:
        stand.stop()


main()
