#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes groups of a switch under traffic, as fast as is asked for, and finds
packets that take a bucket that does not exist.

    lb-storm.py SOCKET RATE SECONDS GROUP:PARAM[:sticky]...

Each group GROUP, with selection_method_param PARAM, is first made with four
buckets that stay, which output to ports 100 * GROUP + 1 to 4.  The storm
begins when file storm.go appears: RATE times a second, in all groups together,
a bucket comes or goes.  They output to ports 100 * GROUP + 11 to 18 in turn,
each new one comes before the last one goes, so that six of these eight ports
at least are no bucket's at any time.  What such a port transmits between its
bucket's end and its next bucket is a stray packet, but for those of a batch
under way.  Of a group with "sticky", no packet at all may go
to these ports, since all its flows are known when the storm begins.

Writes storm.pid when the groups are made.  After SECONDS, prints

    CHANGES changes, N a second, STRAY stray packets, E errors

and for each group how many packets its coming and going buckets got, then
exits with 0.  No code of Open vSwitch is used."""

import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'python'))
import lb_wire as of  # noqa: E402

BATCH = 32                      # What a PMD thread has under way at most.
WEIGHT = 30                     # Of a bucket that comes; those that stay: 10.
PORTS = 8


class Group:
    def __init__(self, switch, spec):
        number, param, *sticky = spec.split(':')
        self.switch = switch
        self.number = int(number)
        self.sticky = bool(sticky)
        self.turn = 0
        self.stray = 0
        self.left = {}          # Packets of each port when its bucket went.
        switch.sync(of.group_mod(
            of.ADD, self.number,
            [of.bucket(i, of.output(100 * self.number + i), 10)
             for i in range(1, 5)], method='maglev', param=int(param)))

    def port(self, turn):
        return 100 * self.number + 11 + turn % PORTS

    def packets(self, turn):
        return self.switch.port_packets(self.port(turn))[1]

    def port_request(self, turn):
        return self.switch.port_request(self.port(turn))

    def requests(self):
        """Messages for the next two changes: a bucket comes, the one before
        it goes, with its new port's counter just before and its old port's
        just after."""
        turn, self.turn = self.turn, self.turn + 1
        self.before = self.port_request(turn)
        self.after = self.port_request(turn - 1)
        data = self.before + of.group_mod(
            of.INSERT_BUCKET, self.number,
            [of.bucket(10 + turn, of.output(self.port(turn)), WEIGHT)],
            of.LAST)
        if turn:
            data += of.group_mod(of.REMOVE_BUCKET, self.number,
                                 where=10 + turn - 1)
        return data + self.after

    def replies(self):
        turn = self.turn - 1
        self.check(turn, self.switch.port_reply(self.before)[1])
        self.left[self.port(turn - 1)] = self.switch.port_reply(self.after)[1]

    def check(self, turn, packets):
        """No bucket has had the port of 'turn' since it was left."""
        more = packets - self.left.get(self.port(turn), packets)
        self.stray += more if more > BATCH else 0

    def finish(self):
        """The last bucket goes."""
        last = self.turn - 1
        self.switch.sync(of.group_mod(of.REMOVE_BUCKET, self.number,
                                      where=10 + last))
        self.left[self.port(last)] = self.packets(last)
        time.sleep(0.5)
        for turn in range(PORTS):
            self.check(turn, self.packets(turn))
        self.total = sum(self.packets(turn) for turn in range(PORTS))
        if self.sticky:
            self.stray += self.total


def main(path, rate, seconds, *specs):
    switch = of.Switch(path)
    groups = [Group(switch, spec) for spec in specs]
    if switch.errors:
        sys.exit('groups refused: %s' % switch.errors)
    with open('storm.tmp', 'w') as f:
        f.write('%d\n' % os.getpid())
    os.rename('storm.tmp', 'storm.pid')
    while not os.path.exists('storm.go'):
        time.sleep(0.05)

    start = time.monotonic()
    n = 0
    while time.monotonic() < start + float(seconds):
        switch.send(b''.join(group.requests() for group in groups))
        for group in groups:
            group.replies()
        n += 2 * len(groups)
        ahead = start + n / float(rate) - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    elapsed = time.monotonic() - start
    for group in groups:
        group.finish()
    print('%d changes, %.0f a second, %d stray packets, %d errors'
          % (n, n / elapsed, sum(group.stray for group in groups),
             len(switch.errors)))
    for group in groups:
        print('group %d: %d packets' % (group.number, group.total))


main(*sys.argv[1:])
