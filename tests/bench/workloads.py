# SPDX-License-Identifier: Apache-2.0
"""What is measured: for each kind of work, how a switch is set up for it, what
it is sent, and what it must send on.

A workload is a class with

    name        of its row
    cases       parameters of each measurement of it, as dictionaries
    setup()     makes bridges, ports, groups and flows
    warm()      brings flows and connections into being
    check()     sends every flow once more and looks at what comes out; raises
                packets.Wrong
    goal(case)  what the extended switch is to reach: see goal() in report.py

'Pcaps' keeps the traffic that has been generated, for there are two switches
and several rows that are sent the same.
"""

import os

import packets
from packets import (BACKEND_PORT, BACKENDS, DST_MAC, GNB_IP, NEW_DST_MAC,
                     NEW_SRC_MAC, SRC_MAC, SWITCH_IP, UES, VIP, VIP_PORT,
                     Wrong, expect, ip, mac)

REWRITE = "set_field:%s->eth_src,set_field:%s->eth_dst" % (
    mac(NEW_SRC_MAC), mac(NEW_DST_MAC))
# The number of packets that are checked one by one.
CHECKED = 20000


class Pcaps:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def get(self, name, frames, after=False):
        """The path of pcap 'name', which is made of 'frames' if it is
        missing.  With 'after', they say what they wait for."""
        path = os.path.join(self.folder, name + ".pcap")
        if not os.path.exists(path):
            write = packets.write_pcap_after if after else packets.write_pcap
            write(path + ".tmp", frames)
            os.rename(path + ".tmp", path)
        return path


def to_vip(flows):
    """A packet of each of 'flows' to the Service."""
    for i in flows:
        src, sport = packets.client(i)
        yield packets.udp(i, src, VIP, sport, VIP_PORT)


def ue_flow(i, n_ues):
    """Address and port of UE flow 'i', with 'n_ues' UEs."""
    return UES + 1 + i % n_ues, 1024 + i // n_ues


def backend(bucket):
    return BACKENDS + 1 + bucket


def spread(counts, n_buckets, n_flows):
    """Checks the number of flows of each bucket.  A select group spreads by
    hash, with at most 256 values if it is one of dp_hash."""
    share = n_flows / n_buckets
    if set(counts) - set(range(n_buckets)):
        raise Wrong("flows of unknown buckets: %s" % sorted(counts))
    if share < 8:
        return
    for bucket in range(n_buckets):
        n = counts.get(bucket, 0)
        if not share / 4 <= n <= share * 3:
            raise Wrong("bucket %d has %d of %d flows, its share is %d"
                        % (bucket, n, n_flows, share))


class Workload:
    lossless = True             # All that is sent must come out.
    once = False                # No round has flows of an earlier one.
    tracks = False              # There are connections to be kept alive.
    page = 1
    # Of several workloads on one switch, see cores.py: the number of this one,
    # and of the PMD threads that poll its sources.
    number = thread = reply_thread = 0
    options = ()                # Of ovs-vswitchd.
    directions = 1
    each = 1                    # Packets of what a figure is for.
    bytes_per_flow = 700        # Memory of both switches and the traffic.
    cases = []

    def __init__(self, pcaps, switch, extended, case):
        self.pcaps, self.switch, self.case = pcaps, switch, case
        self.extended = extended
        self.traffic = switch.traffic
        self.n = case["flows"]
        # The default size is 1,048,576.
        self.entries = self.n * self.directions
        if extended and self.entries > 1 << 20:
            switch.vsctl("set", "open", ".",
                         "other_config:fuse-entries=%d" % self.entries)

    @staticmethod
    def goal(case):
        return None

    @property
    def bridge(self):
        return "br%d" % self.number

    @property
    def flows(self):
        """The numbers of the flows."""
        return range(self.number * self.n, (self.number + 1) * self.n)

    def start(self):
        self.traffic.start()

    def stop(self):
        self.traffic.stop()

    def balance(self):
        """The number of packets that went in and have not come out."""
        return (sum(p["done"] for p in self.traffic.sources())
                - sum(p["done"] for p in self.traffic.sinks()))

    def sources(self):
        return [self.source]

    def begin(self):
        """Begins with the first packet, in rounds whose flows do not
        repeat."""
        self.traffic.rewind(self.source)

    def whole(self):
        """What sends all flows once, as pairs of a source and the number of
        its packets."""
        return [(self.source, self.n)]

    def lost(self):
        """The number of packets lost since the last call."""
        before, self._balance = self._balance, self.balance()
        return self._balance - before

    _balance = 0

    def capture(self, source, sink, n=None):
        """Sends one round of 'n' packets, or of the checked ones, and returns
        those that came out."""
        n = n or min(self.n, CHECKED)
        self.traffic.capture(sink, True)
        lost = self.traffic.send(source, n)
        self.traffic.capture(sink, False)
        frames = self.traffic.captured(sink)
        if lost or len(frames) != n:
            raise Wrong("%d packets sent, %d came out, %d were kept"
                        % (n, n - lost, len(frames)))
        return frames

    def warm(self):
        """Sends all flows twice."""
        for source in self.sources():
            for _ in range(2):
                self.traffic.send(source, self.n)


def count(n):
    for unit, name in ((1000000, "M"), (1000, "k")):
        if n >= unit and n % unit == 0:
            return "%d%s" % (n // unit, name)
    return str(n)


class Simple(Workload):
    """One source, one sink, one bridge."""

    def ports(self):
        self.source = self.traffic.source(self.to_vip())
        self.sink = self.traffic.sink()
        self.switch.bridge(self.bridge)
        self.switch.port(self.bridge, self.source, 1, self.thread)
        self.switch.port(self.bridge, self.sink, 2, self.thread)

    def to_vip(self):
        return self.pcaps.get("vip-%d-%d" % (self.flows[0], self.n),
                              to_vip(self.flows))

    def same(self, got, **changed):
        """Checks that 'got' is the sent packet, except for 'changed'."""
        if got.i not in self.flows:
            raise Wrong("a packet of another source: %r" % (got,))
        src, sport = packets.client(got.i)
        fields = dict(src_mac=SRC_MAC, dst_mac=DST_MAC, src=src, dst=VIP,
                      sport=sport, dport=VIP_PORT, ttl=64)
        fields.update(changed)
        expect(got, **fields)

    def check(self):
        seen = set()
        for frame in self.capture(self.source, self.sink):
            got = packets.parse_udp(frame)
            self.look(got)
            seen.add(got.i)
        if len(seen) != min(self.n, CHECKED):
            raise Wrong("only %d flows came out" % len(seen))

    def look(self, got):
        self.same(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC)


class Io(Simple):
    name = "io"
    cases = [{"work": "drop", "flows": 1000},
             {"work": "transmit", "flows": 1000}]

    @staticmethod
    def goal(case):
        return "not slower", 1

    def setup(self):
        self.ports()
        self.lossless = self.case["work"] != "drop"
        self.switch.flows(self.bridge, ["in_port=1,actions=%s" % (
            "output:2" if self.lossless else "drop")])

    def check(self):
        if self.lossless:
            super().check()
        elif self.traffic.send(self.source, self.n) != self.n:
            raise Wrong("packets came out")

    def look(self, got):
        self.same(got)


class Forward(Simple):
    name = "fwd"
    cases = [{"flows": n} for n in (10000, 100000)]

    @staticmethod
    def goal(case):
        return "cycles", 130

    def setup(self):
        self.ports()
        self.switch.flows(self.bridge, [
            "in_port=1,ip,actions=%s,output:2" % REWRITE])


class Flood(Forward):
    """The same; every packet is the first of its flow."""
    name = "flood"
    cases = [{"flows": 4000000}]
    once = True
    directions = 0              # No flow is to have an entry.

    @staticmethod
    def goal(case):
        return "not slower", 1

    def fresh(self):
        """Forgets all flows of the fused flow cache."""
        self.begin()
        if self.switch.has_fuse:
            self.switch.appctl("fuse/flush")


class LoadBalance(Simple):
    """Stateless: each bucket rewrites the destination.  The extended switch
    has a group of method maglev, or the same as stock."""
    name = "lb"
    cases = [{"buckets": b, "flows": n, "method": "maglev"} for b in (16, 256)
             for n in (10000, 100000, 1000000)]
    cases += [{"buckets": 16, "flows": 100000, "method": "dp_hash"}]

    @staticmethod
    def goal(case):
        return "cycles", 260 if case["flows"] > 100000 else 150

    def setup(self):
        self.ports()
        method = self.case["method"] if self.extended else "dp_hash"
        buckets = ",".join(
            "bucket=bucket_id:%d,weight:100,actions=set_field:%s->eth_dst,"
            "set_field:%s->ip_dst,output:2"
            % (b, mac(NEW_DST_MAC), ip(backend(b)))
            for b in range(self.case["buckets"]))
        self.switch.groups(self.bridge, [
            "group_id=1,type=select,selection_method=%s,%s"
            % (method, buckets)])
        self.switch.flows(self.bridge, [
            "in_port=1,ip,nw_dst=%s,actions=group:1" % ip(VIP)])

    def check(self):
        self.counts = {}
        super().check()
        spread(self.counts, self.case["buckets"], min(self.n, CHECKED))

    def look(self, got):
        self.same(got, dst_mac=NEW_DST_MAC, dst=got.dst)
        bucket = got.dst - BACKENDS - 1
        self.counts[bucket] = self.counts.get(bucket, 0) + 1


def service_group(switch, bridge, n_buckets, method, table):
    switch.keep_connections(7)
    buckets = ",".join(
        "bucket=bucket_id:%d,weight:100,actions="
        "ct(commit,zone=7,nat(dst=%s:%d),table=%d)"
        % (b, ip(backend(b)), BACKEND_PORT, table) for b in range(n_buckets))
    switch.groups(bridge, ["group_id=1,type=select,selection_method=%s,%s"
                           % (method, buckets)])


class Service(Simple):
    """A Service with connection tracking and NAT, as OVN does it: established
    connections, both directions at once."""
    name = "svc"
    tracks = True
    protocol = "udp"
    cases = [{"flows": n} for n in (10000, 100000, 1000000)]
    directions = 2
    bytes_per_flow = 4000
    buckets = 16
    method = "dp_hash"
    # OpenFlow ports: for clients' packets in and replies out, for replies in
    # and clients' packets out.
    in_port, out_port, reply_in_port, reply_out_port = 1, 2, 3, 4

    @staticmethod
    def goal(case):
        return "cycles", {10000: 155, 100000: 165}.get(case["flows"], 300)

    def ports(self):
        self.source = self.traffic.source(self.to_vip())
        self.sink = self.traffic.sink(self.room(self.n))
        self.reply_source = self.traffic.source(None)
        self.reply_sink = self.traffic.sink()
        self.four_ports()

    def four_ports(self):
        self.switch.bridge(self.bridge)
        self.switch.port(self.bridge, self.source, 1, self.thread)
        self.switch.port(self.bridge, self.sink, 2, self.thread)
        self.switch.port(self.bridge, self.reply_source, 3, self.reply_thread)
        self.switch.port(self.bridge, self.reply_sink, 4, self.reply_thread)

    def setup(self):
        self.ports()
        self.switch.appctl("dpctl/ct-set-maxconns", "8000000")
        service_group(self.switch, self.bridge, self.buckets,
                      self.method if self.extended else "dp_hash", 2)
        forward = "%s,output:%d" % (REWRITE, self.out_port)
        self.switch.flows(self.bridge, [
            "table=0,in_port=%d,%s,nw_dst=%s,tp_dst=%d,"
            "actions=ct(zone=7,nat,table=1)"
            % (self.in_port, self.protocol, ip(VIP), VIP_PORT),
            "table=0,in_port=%d,%s,nw_src=%s/16,tp_src=%d,"
            "actions=ct(zone=7,nat,table=1)"
            % (self.reply_in_port, self.protocol, ip(BACKENDS),
               BACKEND_PORT),
            "table=1,in_port=%d,ct_state=+trk+new,ip,actions=group:1"
            % self.in_port,
            "table=1,in_port=%d,ct_state=+trk+est,ip,actions=%s"
            % (self.in_port, forward),
            "table=1,in_port=%d,ct_state=+trk+est+rpl,ip,actions=%s,output:%d"
            % (self.reply_in_port, REWRITE, self.reply_out_port),
            "table=2,in_port=%d,ip,actions=%s" % (self.in_port, forward)])

    @staticmethod
    def room(n):
        """The packet of each flow, of which replies are made."""
        return max(CHECKED, n + 64) * 80

    def sources(self):
        return [self.source, self.reply_source]

    def connect(self, source, sink, n):
        """Makes the connections of the first 'n' packets.  Returns the packets
        that came out.  Upcalls may lose some of the first."""
        self.traffic.send(source, min(n, 1000))
        self.traffic.rewind(source)
        return self.capture(source, sink, n)

    def warm(self):
        frames = self.connect(self.source, self.sink, self.n)
        # A file for each switch: the switches choose different backends.
        self.replies = os.path.join(self.switch.dir,
                                    self.bridge + "-replies.pcap")
        packets.write_pcap(self.replies, map(packets.reply, frames))
        self.reply_source.set_file(self.replies)
        super().warm()

    def check(self):
        frames = self.capture(self.source, self.sink)
        spread(self.look_at_clients(frames), self.buckets, len(frames))
        for frame in self.capture(self.reply_source, self.reply_sink):
            self.look_reply(packets.parse_udp(frame))

    def fresh(self):
        self.forget()
        self.begin()

    def forget(self):
        """Forgets all connections.  Takes a while, in other threads."""
        self.switch.appctl("dpctl/flush-conntrack")

    def look_at_clients(self, frames):
        """Checks the packets from clients, and counts the flows of each
        bucket."""
        counts = {}
        for frame in frames:
            got = packets.parse_udp(frame)
            self.same(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC,
                      dst=got.dst, dport=BACKEND_PORT)
            bucket = got.dst - BACKENDS - 1
            counts[bucket] = counts.get(bucket, 0) + 1
        return counts

    def look_reply(self, got):
        if got.i not in self.flows:
            raise Wrong("a packet of another source: %r" % (got,))
        dst, dport = packets.client(got.i)
        expect(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC, src=VIP,
               sport=VIP_PORT, dst=dst, dport=dport, ttl=64)


class ServiceNew(Service):
    """New connections: every packet is the first of its connection."""
    name = "svc-new"
    cases = [{"flows": 200000}]
    method = "maglev"
    once = True
    tracks = False              # None of them gets a second packet.

    @staticmethod
    def goal(case):
        return "times", 2

    def warm(self):
        self.fresh()
        self.traffic.send(self.source, self.n)

    def check(self):
        self.fresh()
        frames = self.capture(self.source, self.sink)
        spread(self.look_at_clients(frames), self.buckets, len(frames))


class ServiceOneWay(Service):
    """The same without answers: statsd, syslog, media."""
    name = "svc-oneway"
    cases = [{"flows": n} for n in (10000, 100000)]
    directions = 1

    @staticmethod
    def goal(case):
        return "not slower", 1

    def ports(self):
        Simple.ports(self)

    def sources(self):
        return [self.source]

    def warm(self):
        Workload.warm(self)
        Workload.warm(self)

    def check(self):
        frames = self.capture(self.source, self.sink)
        spread(self.look_at_clients(frames), self.buckets, len(frames))


class Tunnel(Workload):
    """GTP-U between the underlay bridge br-phy and the bridge br0."""

    gtpu = 10                   # OpenFlow port on br0.
    bridge = "br0"              # Of all lanes, and so is br-phy.

    def bridges(self):
        self.switch.bridge("br-phy")
        self.switch.bridge("br0")
        self.mac = self.switch.address("br-phy", ip(SWITCH_IP) + "/24")
        self.switch.vsctl(
            "add-port", "br0", "gtpu0", "--", "set", "interface", "gtpu0",
            "type=gtpu", "options:remote_ip=flow", "options:key=flow",
            "ofport_request=%d" % self.gtpu)
        self.switch.appctl("tnl/neigh/set", "br-phy", ip(GNB_IP),
                           mac(SRC_MAC))

    def underlay(self, source, sink):
        flows = []
        if source:
            number = 1 + 2 * self.number
            self.switch.port("br-phy", source, number, self.thread)
            flows.append("in_port=%d,actions=LOCAL" % number)
        if sink:
            self.switch.port("br-phy", sink, 2)
            # Only the tunnel's packets, none of those of the kernel.
            flows.append("in_port=LOCAL,udp,tp_dst=%d,actions=output:2"
                         % packets.GTPU_PORT)
        self.switch.flows("br-phy", flows)

    def uplink(self, n_ues):
        """A packet of each flow of 'n_ues' UEs, each with its TEID.  The files
        are for one switch, whose MAC they have."""
        def frames():
            for i in self.flows:
                src, sport = ue_flow(i, n_ues)
                yield packets.gtpu(
                    packets.udp(i, src, VIP, sport, VIP_PORT),
                    teid(self.number * n_ues + i % n_ues), self.mac)
        path = os.path.join(self.switch.dir, "uplink%d.pcap" % self.number)
        packets.write_pcap(path, frames())
        return path

    def look_gtpu(self, frame, n_ues):
        """Checks the outer header of 'frame'.  Returns the inner packet."""
        # The stock switch always computes the outer UDP checksum, and does so
        # before it writes the length that the checksum covers, so it is wrong.
        outer, got_teid, inner = packets.parse_gtpu(frame, not self.extended)
        expect(outer, src=SWITCH_IP, dst=GNB_IP, src_mac=self.mac,
               dst_mac=SRC_MAC, ttl=64)
        want = teid((inner.dst - UES - 1) if n_ues > 1 else 0)
        if got_teid != want:
            raise Wrong("TEID %#x, should be %#x" % (got_teid, want))
        return inner


def teid(ue):
    return 0x10000 + ue


class Decap(Tunnel):
    """One rule for each TEID."""
    name = "decap"
    cases = [{"TEIDs": t, "flows": n} for t in (1000, 10000)
             for n in (10000, 100000)]

    @staticmethod
    def goal(case):
        return "cycles", 165 if case["TEIDs"] == 1000 else 200

    def setup(self):
        self.bridges()
        self.attach()

    def attach(self):
        n_ues, out_port = self.case["TEIDs"], 2 + self.number
        self.source = self.traffic.source(self.uplink(n_ues))
        self.sink = self.traffic.sink()
        self.underlay(self.source, None)
        self.switch.port("br0", self.sink, out_port, self.thread)
        self.switch.flows("br0", [
            "in_port=%d,tun_id=%#x,ip,actions=%s%s,output:%d"
            % (self.gtpu, teid(self.number * n_ues + ue), self.limit(ue),
               REWRITE, out_port)
            for ue in range(n_ues)])

    @staticmethod
    def limit(ue):
        """The action that limits a UE."""
        return ""

    def check(self):
        seen = set()
        for frame in self.capture(self.source, self.sink):
            got = packets.parse_udp(frame)
            if got.i not in self.flows:
                raise Wrong("a packet of another source: %r" % (got,))
            src, sport = ue_flow(got.i, self.case["TEIDs"])
            expect(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC, src=src,
                   sport=sport, dst=VIP, dport=VIP_PORT, ttl=64)
            seen.add(got.i)
        if len(seen) != min(self.n, CHECKED):
            raise Wrong("only %d flows came out" % len(seen))


class Metered(Decap):
    """The same, and a meter for some UEs each, which drops nothing."""
    name = "metered"
    cases = [{"TEIDs": 1000, "flows": n} for n in (10000, 100000)]
    n_meters = 100

    @staticmethod
    def goal(case):
        return "not slower", 1

    def bridges(self):
        super().bridges()
        self.switch.meters("br0", [
            "meter=%d,kbps,bands=type=drop,rate=1000000000" % (i + 1)
            for i in range(self.n_meters)])

    @classmethod
    def limit(cls, ue):
        return "meter:%d," % (ue % cls.n_meters + 1)


class Encap(Tunnel):
    """Rules by the address of the UE, or one for all."""
    name = "encap"
    cases = [{"rules": r, "flows": n} for r in (1, 1000, 10000)
             for n in (10000, 100000)]

    @staticmethod
    def goal(case):
        return "cycles", {1: 150, 1000: 155}.get(case["rules"], 200)

    def setup(self):
        self.bridges()
        self.n_ues = self.case["rules"] if self.case["rules"] > 1 else 1000

        def frames():
            for i in range(self.n):
                dst, dport = ue_flow(i, self.n_ues)
                yield packets.udp(i, VIP, dst, VIP_PORT, dport)
        self.source = self.traffic.source(self.pcaps.get(
            "ue-%d-%d" % (self.n_ues, self.n), frames()))
        self.sink = self.traffic.sink()
        self.underlay(None, self.sink)
        self.switch.port("br0", self.source, 1)
        if self.case["rules"] == 1:
            matches = [(ip(UES) + "/16", teid(0))]
        else:
            matches = [(ip(UES + 1 + ue), teid(ue))
                       for ue in range(self.n_ues)]
        self.switch.flows("br0", [
            "in_port=1,ip,nw_dst=%s,actions=set_field:%#x->tun_id,"
            "set_field:%s->tun_dst,output:%d"
            % (match, key, ip(GNB_IP), self.gtpu) for match, key in matches])

    def check(self):
        seen = set()
        for frame in self.capture(self.source, self.sink):
            got = self.look_gtpu(frame, self.case["rules"])
            dst, dport = ue_flow(got.i, self.n_ues)
            expect(got, src=VIP, sport=VIP_PORT, dst=dst, dport=dport,
                   ttl=64)
            seen.add(got.i)
        if len(seen) != min(self.n, CHECKED):
            raise Wrong("only %d flows came out" % len(seen))


class Upf(Tunnel, Service):
    """Up: decap, Service, forward.  Down: un-NAT, encap.  At once.

    Without "set_field:0->tun_id" each TEID would have a recirculation of its
    own, and every megaflow after it would be there once for each TEID."""
    name = "upf"
    cases = [{"flows": 100000}]
    ues = 1000

    @staticmethod
    def goal(case):
        return "times", 4

    def setup(self):
        self.bridges()
        self.source = self.traffic.source(self.uplink(self.ues))
        self.sink = self.traffic.sink(self.room(self.n))
        self.reply_source = self.traffic.source(None)
        self.reply_sink = self.traffic.sink()
        self.underlay(self.source, self.reply_sink)
        self.switch.port("br0", self.sink, 2)
        self.switch.port("br0", self.reply_source, 3)
        service_group(self.switch, "br0", self.buckets, self.method, 2)
        self.switch.flows("br0", [
            "table=0,in_port=%d,tun_id=%#x,udp,nw_src=%s,nw_dst=%s,"
            "actions=set_field:0->tun_id,ct(zone=7,nat,table=1)"
            % (self.gtpu, teid(ue), ip(UES + 1 + ue), ip(VIP))
            for ue in range(self.ues)] + [
            "table=0,in_port=3,udp,nw_src=%s/16,"
            "actions=ct(zone=7,nat,table=3)" % ip(BACKENDS),
            "table=1,ct_state=+trk+new,ip,actions=group:1",
            "table=1,ct_state=+trk+est,ip,actions=%s,output:2" % REWRITE,
            "table=2,ip,actions=%s,output:2" % REWRITE] + [
            "table=3,ct_state=+trk+est+rpl,ip,nw_dst=%s,actions="
            "set_field:%#x->tun_id,set_field:%s->tun_dst,output:%d"
            % (ip(UES + 1 + ue), teid(ue), ip(GNB_IP), self.gtpu)
            for ue in range(self.ues)])

    def same(self, got, **changed):
        src, sport = ue_flow(got.i, self.ues)
        fields = dict(src=src, sport=sport, ttl=64)
        fields.update(changed)
        expect(got, **fields)

    def check(self):
        counts = {}
        for frame in self.capture(self.source, self.sink):
            got = packets.parse_udp(frame)
            self.same(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC,
                      dport=BACKEND_PORT)
            bucket = got.dst - BACKENDS - 1
            counts[bucket] = counts.get(bucket, 0) + 1
        spread(counts, self.buckets, sum(counts.values()))
        for frame in self.capture(self.reply_source, self.reply_sink):
            got = self.look_gtpu(frame, self.ues)
            dst, dport = ue_flow(got.i, self.ues)
            expect(got, src=VIP, sport=VIP_PORT, dst=dst, dport=dport,
                   ttl=64)


# The second page.

class Scale:
    """No goal, and two variants only: stock with its best settings, and the
    extended switch with the cache on."""
    page = 2

    @staticmethod
    def goal(case):
        return None


class ScaleFlows(Scale, Forward):
    name = "flows-fwd"
    cases = [{"flows": n} for n in (1000, 10000, 100000, 1000000, 4000000)]


class ScaleConnections(Scale, Service):
    name = "flows-svc"
    cases = [{"flows": n} for n in (1000, 10000, 100000, 1000000, 4000000)]


class ScaleTables(Scale, Simple):
    """Tables that each match another field, some after a recirculation.  That
    is by debug_recirc, which does nothing else, and for which ovs-vswitchd
    wants --enable-dummy.  The rest is as without it."""
    name = "tables"
    options = "--enable-dummy",
    cases = [{"tables": t, "recirculations": r, "flows": 10000}
             for t, r in ((1, 0), (2, 0), (4, 0), (8, 0), (2, 1), (4, 2),
                          (6, 3), (8, 4))]
    fields = ("in_port=1", "dl_src=%s" % mac(SRC_MAC),
              "dl_dst=%s" % mac(DST_MAC), "ip", "udp", "ip,nw_dst=%s"
              % ip(VIP), "udp,tp_dst=%d" % VIP_PORT, "ip,nw_ttl=64")

    def setup(self):
        self.ports()
        tables, recirculations = (self.case["tables"],
                                  self.case["recirculations"])
        flows = []
        for t in range(tables - 1):
            # After odd tables: 1, 3, ...
            again = t % 2 == 0 and t // 2 < recirculations
            flows.append("table=%d,%s,actions=%sresubmit(,%d)" % (
                t, self.fields[t], "debug_recirc," if again else "", t + 1))
        flows.append("table=%d,%s,actions=%s,output:2" % (
            tables - 1, self.fields[tables - 1], REWRITE))
        self.switch.flows("br0", flows)


class ScaleMegaflows(Scale, Simple):
    name = "megaflows"
    cases = [{"rules": r, "flows": 10000}
             for r in (1, 10, 100, 1000, 10000)]

    def ports(self):
        rules = self.case["rules"]

        def frames():
            for i in range(self.n):
                src, sport = packets.client(i)
                yield packets.udp(i, src, UES + i % rules, sport, VIP_PORT)
        pcap = self.pcaps.get("rules-%d-%d" % (rules, self.n), frames())
        self.source = self.traffic.source(pcap)
        self.sink = self.traffic.sink()
        self.switch.bridge("br0")
        self.switch.port("br0", self.source, 1)
        self.switch.port("br0", self.sink, 2)

    def setup(self):
        self.ports()
        self.switch.flows("br0", [
            "in_port=1,ip,nw_dst=%s,actions=%s,output:2"
            % (ip(UES + r), REWRITE) for r in range(self.case["rules"])])

    def look(self, got):
        self.same(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC,
                  dst=UES + got.i % self.case["rules"])


PAGE1 = [Io, Forward, Flood, LoadBalance, Service, ServiceNew, ServiceOneWay,
         Decap, Metered, Encap, Upf]
PAGE2 = [ScaleFlows, ScaleConnections, ScaleTables, ScaleMegaflows]
