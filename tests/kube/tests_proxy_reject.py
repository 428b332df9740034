# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy's rejections, and floods of packets to reject."""

import re
import time

from lab import ip_layer, make_service, make_slice
from tests_proxy import VIP, VIP6, check, segment, sports, with_lab

# Packets a second that are answered; packets that are sent at once.
RATE, BURST, FLOOD = 50, 100, 3000


def rejects(lab):
    """The number of packets to reject, by outcome."""
    return {result: int(n) for result, n in re.findall(
        r"rejects_total{result=\"(\w+)\"} (\d+)", lab.metrics())}


def all_rejects(lab):
    """The same, once no more are under way."""
    n = -1
    while n != (now := sum(rejects(lab).values())):
        n = now
        time.sleep(0.2)
    return n


def meters(lab):
    return lab.run("ovs-ofctl", "-O", "OpenFlow15", "dump-meters", "br0")


def meter_drops(lab):
    text = lab.run("ovs-ofctl", "-O", "OpenFlow15", "meter-stats", "br0")
    found = re.search(r"bands:\s*0: packet_count:(\d+)", text)
    return int(found[1]) if found else 0


def flood(lab, vip):
    """Sends FLOOD packets to a Service without endpoints, half of them UDP.
    Returns the number of answers, and of seconds."""
    host = lab.hosts["pod"]
    answers = 0
    start = time.monotonic()
    for i in range(0, FLOOD, BURST):
        for _ in range(BURST):
            host.send(ip_layer(host.address(vip), vip) /
                      segment("UDP" if i % (2 * BURST) else "TCP",
                              next(sports) % 20000 + 10000, 80))
        # As many as fit into a socket's buffer.  A packet past all Services
        # comes back after them.
        host.send(ip_layer(host.address(vip),
                           lab.hosts["other"].address(vip)) /
                  segment("UDP", 9, 9))
        got = lab.collect(lambda got: any(n == "other" for n, _ in got))
        assert any(name == "other" for name, _ in got)
        answers += sum(name == "pod" for name, _ in got)
    return answers, time.monotonic() - start


@with_lab
def test_proxy_reject_flood(lab, _):
    """The switch sends at most --reject-rate packets a second to the
    program."""
    ports = [{"name": p, "protocol": p, "port": 80, "targetPort": 8080}
             for p in ("TCP", "UDP")]
    lab.write(make_service("s", clusterIPs=[VIP, VIP6],
                           ipFamilies=["IPv4", "IPv6"], ports=ports),
              make_service("t", clusterIP="10.96.0.30"),
              make_slice("t", "a"))
    lab.start("--reject-rate=%d" % RATE)
    assert "meter=27504 pktps burst stats" in meters(lab), meters(lab)
    for vip in VIP, VIP6:
        check(lab, "pod", vip, "reject")
        before, dropped = rejects(lab), meter_drops(lab)
        answers, seconds = flood(lab, vip)
        came = all_rejects(lab) - sum(before.values())
        # The meter begins full, and it and the program each hold the packets
        # of one second.
        assert 0 < answers <= came <= RATE * (seconds + 2), \
            (answers, came, seconds)
        # On a busy machine some do not reach the switch.
        assert meter_drops(lab) - dropped > FLOOD // 2
        # Other traffic goes on, and so do rejections.
        check(lab, "pod", "10.96.0.30", "a")
        time.sleep(1)
        check(lab, "pod", vip, "reject")
        check(lab, "pod", vip, "reject", protocol="UDP")

    # The next program finds the meter, and may want another rate.
    lab.kill()
    lab.start("--reject-rate=%d" % (2 * RATE))
    assert "rate=%d " % (2 * RATE) in meters(lab), meters(lab)
    assert lab.groups_sent() == 0
    check(lab, "pod", VIP, "reject")
    lab.stop()
    lab.run(lab.program_path(), "--cleanup", "unix:" + lab.mgmt())
    assert "27504" not in meters(lab), meters(lab)


@with_lab
def test_proxy_reject_without_meter(lab, _):
    """Without a meter, the program's own limit holds."""
    lab.write(make_service("s"))
    lab.start("--reject-rate=%d" % RATE, "--meter=0")
    assert "meter=" not in meters(lab), meters(lab)
    answers, seconds = flood(lab, VIP)
    # UDP packets go to another port of the address, and are rejected too.
    assert 0 < answers <= RATE * (seconds + 1), (answers, seconds)
    time.sleep(1)
    check(lab, "pod", VIP, "reject")
    came = rejects(lab)
    assert came["limited"] > RATE and sum(came.values()) > FLOOD // 2, came
    lab.stop()
