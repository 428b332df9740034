# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy and the end of many UDP connections."""

import os
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from cluster import wait_until
from lab import GW_MAC, make_service, make_slice
from tests_proxy import EXTERNAL, LB, VIP, with_lab
from tests_proxy_large import large_slices

PORTS = [{"name": "p", "protocol": "UDP", "port": 80, "targetPort": 8080}]
# Source ports of a client.
CLIENT = 20000
CONNECTIONS = 100000


def udp_slices(service, numbers):
    slices = large_slices(service, numbers)
    for obj in slices:
        obj["ports"][0]["protocol"] = "UDP"
    return slices


def frames(lab, n, vips):
    """The first packets of "n" UDP connections, from pods to "vips"."""
    result = []
    for number in range(n):
        client, sport = divmod(number // len(vips), CLIENT)
        if not sport and not number % len(vips):
            heads = [bytearray(bytes(
                Ether(src=lab.hosts["pod"].mac, dst=GW_MAC) /
                IP(src="10.1.0.%d" % (20 + client), dst=vip) /
                UDP(sport=1, dport=80, chksum=0) / b"hello"))
                for vip in vips]
        head = heads[number % len(vips)]
        head[34:36] = (1024 + sport).to_bytes(2, "big")
        result.append(bytes(head))
    return result


def n_connections(lab):
    return int(lab.run("ovs-appctl", "-t", "ovs-vswitchd",
                       "dpctl/ct-get-nconns"))


def connect(lab, n, vips):
    """Opens "n" connections."""
    packets = frames(lab, n, vips)
    socket = lab.hosts["pod"].socket

    def all_there():
        for i, packet in enumerate(packets):
            socket.send(packet)
            if i % 50 == 49:
                time.sleep(0.001)   # The switch's buffer is no longer.
        return n_connections(lab) >= n

    wait_until(all_there, "there are %d connections" % n)


def processor_time(lab):
    """Processor seconds of the switch."""
    with open("/proc/%d/stat" % lab.pid_of("ovs-vswitchd")) as stream:
        words = stream.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@with_lab
def test_udp_flush_cost(lab, _):
    """100,000 connections end at once, with less than one walk of the switch
    for each endpoint."""
    service = make_service("s", ports=PORTS, type="LoadBalancer",
                           externalTrafficPolicy="Local",
                           externalIPs=[EXTERNAL],
                           status={"loadBalancer": {"ingress": [{"ip": LB}]}})
    lab.write()
    lab.start()
    for n in 200, 700:
        others = [make_service("t", clusterIP="10.96.0.20")]
        lab.apply(service, *udp_slices("s", range(n)), *others,
                  make_slice("t", "a"))
        connect(lab, CONNECTIONS, [VIP, EXTERNAL, LB])
        work, begin = processor_time(lab), time.monotonic()
        slowest = lab.slow_changes()
        lab.write(service, *others, make_slice("t", "a"))
        for i in range(10):
            lab.write(service, *others, make_slice("t", "ab"[i % 2]))
            lab.wait_shown("default/t", "10.1.0.%d:8080" % (2 + i % 2))
        # Idle ones would end by themselves after 60 s.
        wait_until(lambda: not n_connections(lab), "all have ended", 40)
        took = time.monotonic() - begin
        work = processor_time(lab) - work
        slowest = lab.slow_changes() - slowest
        print("        %d endpoints, %d connections: %.2f s of the switch's "
              "processor, all ended after %.1f s, %d changes took longer "
              "than half a second" % (n, CONNECTIONS, work, took, slowest),
              flush=True)
        # Once 14 s, about 0.6 s now: the machine may be busy.
        assert work < 5, work
    lab.stop()
