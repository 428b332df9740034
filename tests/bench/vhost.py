# SPDX-License-Identifier: Apache-2.0
"""The Service between two containers: dpdk-testpmd with virtio-user, on
vhost-user ports.

                     testpmd                        Open vSwitch
         .----------------------------.          .--------------.
         | net_null0 --> virtio-user0 |--------->| vhost 1      |
         | (source)  <--              |<---------|   Service,   |
         |  (sink)                    |          |   conntrack  |
         |               virtio-user1 |<---------| vhost 2      |
         |                 (server)   |--------->|              |
         '----------------------------'          '--------------'

testpmd forwards in mode 5tswap, which swaps MAC and IP addresses and ports:
at virtio-user1, that answers each packet.  Those of the client are swapped
once before they are sent and once more when they have come back, to undo it.

One process has the interfaces of both containers, for there is one processor
for them: two processes would have it in turns of milliseconds.  No more
packets are under way than fit a ring, so none is lost for a ring that is full.
"""

import os
import re
import subprocess
import time

import packets
from packets import Wrong
from switch import Failed
from workloads import Service, spread, to_vip

RING = 1024
WINDOW = 960


def swap(frame):
    """The result of 5tswap for 'frame'."""
    return (frame[6:12] + frame[:6] + frame[12:26] + frame[30:34]
            + frame[26:30] + frame[36:38] + frame[34:36] + frame[38:])


class Testpmd:
    """The containers of 'switch', whose sockets are 'paths'."""

    def __init__(self, switch, paths):
        self.log = open(os.path.join(switch.dir, "testpmd.log"), "w+b")
        cpu = switch.cpus[0]
        devices = ["net_null0,size=64"] + [
            "net_virtio_user%d,path=%s,server=1,queues=1,queue_size=%d"
            % (i, path, RING) for i, path in enumerate(paths)]
        command = ["dpdk-testpmd", "--no-pci", "--in-memory",
                   "--single-file-segments", "--no-telemetry",
                   "--lcores", "0@%d,1@%d" % (cpu, cpu)]
        for device in devices:
            command += ["--vdev", device]
        command += ["--", "--interactive", "--forward-mode=5tswap",
                    "--total-num-mbufs=16384", "--no-flush-rx",
                    "--rxd=%d" % RING, "--txd=%d" % RING]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=self.log,
                stderr=self.log, env=dict(switch.env,
                                          LD_PRELOAD=switch.library))
        except FileNotFoundError:
            raise Failed("dpdk-testpmd is not there: install the Debian "
                         "package 'dpdk-dev'") from None
        self.pid = self._process.pid
        # It prompts when the switch has connected to both sockets.
        self._wait(rb"testpmd> ")
        self._process.stdin.write(b"start\n")
        self._process.stdin.flush()

    def _text(self):
        with open(self.log.name, "rb") as f:
            return f.read()

    def _wait(self, pattern, seconds=30):
        late = time.monotonic() + seconds
        while not re.search(pattern, self._text()):
            if (self._process.poll() is not None
                    or time.monotonic() > late):
                last = self._text().decode(errors="replace").strip()
                self.end()
                raise Failed("dpdk-testpmd does not start: "
                             + last.split("\n")[-1])
            time.sleep(0.05)

    def end(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self.log.close()


class Vhost(Service):
    name = "vhost"
    cases = [{"flows": 10000}]
    in_port, out_port, reply_in_port, reply_out_port = 1, 2, 2, 1

    @staticmethod
    def goal(case):
        return "times", 2

    def ports(self):
        self.source = self.traffic.source(
            self.pcaps.get("swapped-%d" % self.n,
                           map(swap, to_vip(self.flows))),
            "net_null0")
        self.source["window"] = WINDOW
        # Packets back to the client, and the server's answers.
        self.reply_sink = self.traffic.sink(self.room(self.n), "net_null0")
        self.answers = self.traffic.sink(self.room(self.n),
                                         "net_virtio_user1")
        self.switch.bridge("br0")
        paths = []
        for number in (1, 2):
            path = os.path.join(self.switch.dir, "vhost%d" % number)
            paths.append(path)
            self.switch.vsctl(
                "add-port", "br0", "vhost%d" % number, "--", "set",
                "interface", "vhost%d" % number, "type=dpdkvhostuserclient",
                "options:vhost-server-path=" + path,
                "ofport_request=%d" % number)
        self.testpmd = Testpmd(self.switch, paths)
        self.switch.companions.append(self.testpmd)

    def balance(self):
        """The number of packets that the ports received and did not send."""
        text = self.switch.run("ovs-ofctl", "-OOpenFlow15", "dump-ports",
                               "br0")
        received, sent = (sum(map(int, re.findall(pattern, text)))
                          for pattern in (r"port +[12]: rx pkts=(\d+)",
                                          r"port +[12]: .*\n +tx pkts=(\d+)"))
        if not received:
            raise Failed("no port statistics in: " + text)
        return received - sent

    def send(self, n):
        """Sends 'n' packets.  Returns the number that were not answered, and
        the number that did not come back."""
        sinks = self.answers, self.reply_sink
        before = [sink["done"] for sink in sinks]
        self.traffic.send(self.source, n)
        return [n - (s["done"] - b) for s, b in zip(sinks, before)]

    def warm(self):
        # Upcalls may lose some of the first.
        self.send(RING // 2)
        for _ in range(2):
            self.send(self.n)

    def check(self):
        sinks = self.answers, self.reply_sink
        self.traffic.rewind(self.source)
        for sink in sinks:
            self.traffic.capture(sink, True)
        lost = self.send(self.n)
        for sink in sinks:
            self.traffic.capture(sink, False)
        to_server, to_client = ([swap(f) for f in self.traffic.captured(sink)]
                                for sink in sinks)
        if any(lost):
            raise Wrong("%d and %d packets lost of %d" % (*lost, self.n))
        counts = self.look_at_clients(to_server)
        spread(counts, self.buckets, len(to_server))
        for frame in to_client:
            self.look_reply(packets.parse_udp(frame))
        for frames in to_server, to_client:
            if len({f[-4:] for f in frames}) != self.n:
                raise Wrong("not all of %d flows came out" % self.n)
