# SPDX-License-Identifier: Apache-2.0
"""The rows that one PMD thread does, with one and with two.

The work is there twice, as two lanes: bridges, ports, flows and half of the
case's flows of their own.  So neither traffic nor a port's counters make two
threads meet, only what the datapath shares.  With two threads, each has one
lane ("same"), or the clients of one lane and the servers of the other
("apart"): both directions of a connection are then on different threads, as
with a NIC that spreads by hash.  Either way the threads have the same work."""

import tcp
import workloads
from workloads import Workload

LANES = 2


def layouts(work, answered=False, **case):
    """Cases of 'work': with one thread and with two."""
    return [dict(work=work, threads=1, **case)] + (
        [dict(work=work, threads=2, directions=place, **case)
         for place in ("same", "apart")] if answered
        else [dict(work=work, threads=2, **case)])


class Cores(Workload):
    """'lane' is the class of one lane."""
    name = "cores"
    page = 3
    lane = Workload

    def __init__(self, pcaps, switch, extended, case):
        super().__init__(pcaps, switch, extended, case)
        self.n //= LANES
        self.lanes = []
        for k in range(LANES):
            lane = self.lane(pcaps, switch, extended, dict(case, **{
                name: case[name] // LANES for name in (
                    "flows", "alive", "TEIDs") if name in case}))
            lane.number = lane.thread = lane.reply_thread = k
            if case.get("directions") == "apart":
                lane.reply_thread = 1 - k
            self.lanes.append(lane)
        lane = self.lanes[0]
        self.tracks, self.once, self.each = lane.tracks, lane.once, lane.each

    def setup(self):
        for lane in self.lanes:
            lane.setup()

    def warm(self):
        for lane in self.lanes:
            lane.warm()

    def check(self):
        for lane in self.lanes:
            lane.check()

    def fresh(self):
        self.lanes[0].forget()
        for lane in self.lanes:
            lane.begin()

    def whole(self):
        return [work for lane in self.lanes for work in lane.whole()]


class CoresForward(Cores):
    cases = layouts("fwd", flows=100000)
    lane = workloads.Forward


class CoresLoadBalance(Cores):
    cases = layouts("lb", buckets=16, flows=100000, method="maglev")
    lane = workloads.LoadBalance


class CoresService(Cores):
    cases = layouts("svc", True, flows=100000)
    lane = workloads.Service
    bytes_per_flow = lane.bytes_per_flow


class CoresServiceNew(Cores):
    cases = layouts("svc-new", flows=200000)
    lane = workloads.ServiceNew
    bytes_per_flow = lane.bytes_per_flow


class CoresServiceTcp(Cores):
    cases = layouts("svc-tcp", True, alive=10000, flows=100000,
                    method="maglev")
    lane = tcp.ServiceTcp
    bytes_per_flow = lane.bytes_per_flow


class CoresDecap(Cores):
    cases = layouts("decap", TEIDs=1000, flows=100000)
    lane = workloads.Decap

    def setup(self):
        self.lanes[0].bridges()
        for lane in self.lanes:
            lane.mac = self.lanes[0].mac
            lane.attach()


ROWS = [CoresForward, CoresLoadBalance, CoresService, CoresServiceNew,
        CoresServiceTcp, CoresDecap]
