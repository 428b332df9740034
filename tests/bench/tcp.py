# SPDX-License-Identifier: Apache-2.0
"""Whole TCP connections through a Service, from SYN to the last ACK.

    client                switch                server
      | SYN -------------->| new, bucket, NAT ---->|
      |<-------------- NAT |<-------------- SYN,ACK|
      | ACK, request ----->|---------------------->|
      |<-------------------|<---------------- answer|
      | FIN,ACK ---------->|---------------------->|
      |<-------------------|<--------------- FIN,ACK|
      | ACK -------------->|---------------------->|

Clients and servers are a source and a sink each.  Connections come in waves,
and a wave does one step while the ones before it do their next steps.  So a
batch has packets of all kinds, as with real clients.  The packets of a step
wait until those of the step before have come out at the other side."""

import array
import os

import packets
from packets import (ACK, BACKEND_PORT, FIN, NEW_DST_MAC, NEW_SRC_MAC, PSH,
                     SYN, VIP, VIP_PORT, Wrong, expect)
from workloads import CHECKED, Service, backend, spread

# Connections of a wave: a batch of the PMD thread.
WAVE = 32
REQUEST, ANSWER = b"GET /\n", b"hello\n"
# Step, flags, sequence and acknowledgement number from the first one of either
# side, payload.  A wave never waits for itself within a step.
CLIENT = ((0, SYN, 0, None, b""),
          (2, ACK, 1, 1, b""),
          (2, PSH | ACK, 1, 1, REQUEST),
          (4, FIN | ACK, 7, 7, b""),
          (6, ACK, 8, 8, b""))
SERVER = ((1, SYN | ACK, 0, 1, b""),
          (3, PSH | ACK, 1, 7, ANSWER),
          (5, FIN | ACK, 7, 8, b""))
# Connections that stay have no end.
CLIENT_STAYS, SERVER_STAYS = CLIENT[:3], SERVER[:2]
STEPS = 7


def numbers(i, from_client, seq, ack):
    """Sequence and acknowledgement number of connection 'i', which both
    carry."""
    client, server = i << 8, i << 8 | 0x80
    ours, theirs = (client, server) if from_client else (server, client)
    return ours + seq, theirs + ack if ack is not None else 0


def schedule(connections, script, other):
    """The packets of one side of the range 'connections', as (number of
    packets of the other side to wait for, connection, item of 'script')."""
    waves = -(-len(connections) // WAVE)
    waits = 0
    for step in range(waves + STEPS - 1):
        for j in range(WAVE):
            for item in script:
                k = (step - item[0]) * WAVE + j
                if 0 <= k < len(connections):
                    yield waits, connections[k], item
        waits += sum(min(WAVE, len(connections) - (step - item[0]) * WAVE)
                     for item in other if 0 <= step - item[0] < waves)


def from_clients(connections, script=CLIENT, other=SERVER):
    for waits, i, (_, flags, seq, ack, payload) in schedule(
            connections, script, other):
        src, sport = packets.client(i)
        yield waits, packets.tcp(src, VIP, sport, VIP_PORT,
                                 *numbers(i, True, seq, ack), flags, payload)


def from_servers(connections, backends, script=SERVER, other=CLIENT):
    """'backends' has the address to which each connection was sent."""
    for waits, i, (_, flags, seq, ack, payload) in schedule(
            connections, script, other):
        dst, dport = packets.client(i)
        yield waits, packets.tcp(backends[i], dst, BACKEND_PORT, dport,
                                 *numbers(i, False, seq, ack), flags, payload)


class ServiceTcp(Service):
    """Connections that begin and end, beside others that stay."""
    name = "svc-tcp"
    protocol = "tcp"
    cases = [{"alive": 10000, "flows": 100000, "method": "maglev"},
             {"alive": 10000, "flows": 100000, "method": "dp_hash"},
             {"alive": 10000, "flows": 100000, "method": "alias"},
             {"alive": 1000000, "flows": 100000, "method": "maglev"}]
    once = True
    tracks = False
    each = len(CLIENT) + len(SERVER)
    bytes_per_flow = 6000

    def __init__(self, pcaps, switch, extended, case):
        super().__init__(pcaps, switch, extended, case)
        self.entries = 2 * (self.n + case["alive"])
        self.method = case["method"]
        if extended and self.method == "alias":
            self.method = "dp_hash"
            switch.vsctl("set", "open", ".",
                         "other_config:lb-dp-hash=maglev")

    @staticmethod
    def goal(case):
        return "times", 2

    @property
    def all(self):
        n = self.n + self.case["alive"]
        return range(self.number * n, (self.number + 1) * n)

    @property
    def flows(self):
        return self.all[:self.n]

    @property
    def alive(self):
        return self.all[self.n:]

    def first_packets(self):
        return self.pcaps.get("syn-%d-%d" % (self.all[0], len(self.all)), (
            packets.tcp(*self.ends(i), *numbers(i, True, 0, None), SYN)
            for i in self.all))

    @staticmethod
    def ends(i):
        src, sport = packets.client(i)
        return src, VIP, sport, VIP_PORT

    def ports(self):
        self.source = self.traffic.source(self.first_packets())
        self.sink = self.traffic.sink(self.room(len(CLIENT) * self.n
                                                + len(self.all)))
        self.reply_source = self.traffic.source(None)
        self.reply_sink = self.traffic.sink(self.room(len(SERVER) * self.n))
        self.four_ports()

    def warm(self):
        # Where do connections go?  Only the switch knows.
        self.backends = array.array("I", bytes(4 * self.all.stop))
        for frame in self.connect(self.source, self.sink, len(self.all)):
            seq = int.from_bytes(frame[38:42], "big")
            self.backends[seq >> 8] = int.from_bytes(frame[30:34], "big")
        self.files = {name: self.pair(name, *work) for name, work in {
            "alive": (self.alive, CLIENT_STAYS, SERVER_STAYS),
            "whole": (self.flows, CLIENT, SERVER)}.items()}
        self.fresh()
        self.run("whole")

    def pair(self, name, connections, client, server):
        """Files of both sides of 'connections', and numbers of packets."""
        clients = self.pcaps.get(
            "tcp-%s-%d-%d" % (name, connections[0], len(connections)),
            from_clients(connections, client, server), True)
        servers = os.path.join(self.switch.dir,
                               "%s-%s.pcap" % (self.bridge, name))
        packets.write_pcap_after(servers, from_servers(
            connections, self.backends, server, client))
        return ((self.source, self.sink, clients,
                 len(client) * len(connections)),
                (self.reply_source, self.reply_sink, servers,
                 len(server) * len(connections)))

    def prepare(self, name):
        """Lets the sources begin with the packets of 'files' 'name'."""
        clients, servers = self.files[name]
        for side, other in (clients, servers), (servers, clients):
            side[0].set_file(side[2])
            self.traffic.rewind(side[0], other[1])

    def run(self, name):
        """Sends all packets of 'files' 'name'.  Raises Wrong unless each comes
        out."""
        self.prepare(name)
        lost = self.traffic.send_all(self.work(name))
        if lost:
            raise Wrong("%d packets of connections lost" % lost)

    def work(self, name):
        return [(source, n) for source, _, _, n in self.files[name]]

    def whole(self):
        return self.work("whole")

    def begin(self):
        """Makes the connections that stay."""
        before = self.connections()
        self.run("alive")
        made = self.connections() - before
        if made != len(self.alive):
            raise Wrong("%d connections, should be %d"
                        % (made, len(self.alive)))
        self.prepare("whole")

    def connections(self):
        return int(self.switch.appctl("dpctl/ct-get-nconns"))

    def check(self):
        self.fresh()
        for sink in self.sink, self.reply_sink:
            self.traffic.capture(sink, True)
        lost = self.traffic.send_all(self.whole())
        for sink in self.sink, self.reply_sink:
            self.traffic.capture(sink, False)
        if lost:
            raise Wrong("%d packets of connections lost" % lost)
        clients, servers = map(self.traffic.captured,
                               (self.sink, self.reply_sink))
        self.all_there(clients, CLIENT, True)
        self.all_there(servers, SERVER, False)
        for frame in clients[:CHECKED]:
            self.look_client(packets.parse_tcp(frame))
        for frame in servers[:CHECKED]:
            self.look_server(packets.parse_tcp(frame))
        counts = {}
        for i in self.flows:
            bucket = self.backends[i] - backend(0)
            counts[bucket] = counts.get(bucket, 0) + 1
        spread(counts, self.buckets, self.n)

    def all_there(self, frames, script, from_client):
        """Each packet of each connection must have come out once: these are
        sequence and acknowledgement number and flags."""
        pack = packets.SEQ_ACK_FLAGS.pack
        missing = {pack(*numbers(i, from_client, seq, ack), 0x50, flags)
                   for i in self.flows for _, flags, seq, ack, _ in script}
        n = len(missing)
        missing.difference_update(frame[38:48] for frame in frames)
        if missing or len(frames) != n:
            raise Wrong("%d packets came out, should be %d; %d are missing"
                        % (len(frames), n, len(missing)))

    def look_client(self, got):
        i = got.seq >> 8
        src, sport = packets.client(i)
        self.look(got, CLIENT, i, True)
        expect(got, src=src, sport=sport, dst=self.backends[i],
               dport=BACKEND_PORT)

    def look_server(self, got):
        i = got.seq >> 8
        dst, dport = packets.client(i)
        self.look(got, SERVER, i, False)
        expect(got, src=VIP, sport=VIP_PORT, dst=dst, dport=dport)

    @staticmethod
    def look(got, script, i, from_client):
        """Checks what NAT must not change."""
        expect(got, src_mac=NEW_SRC_MAC, dst_mac=NEW_DST_MAC, ttl=64,
               window=packets.WINDOW)
        if not any((got.seq, got.ack) == numbers(i, from_client, seq, ack)
                   and got.flags == flags and got.payload == payload
                   for _, flags, seq, ack, payload in script):
            raise Wrong("not a packet of the connection: %r" % (got,))
