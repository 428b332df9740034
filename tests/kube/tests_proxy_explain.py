# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy says which endpoint serves a connection."""

from cluster import wait_until
from lab import HOSTS, Lab, ip_layer, make_service, make_slice, network
from tests_proxy import (NODE, VIP, VIP6, answer, segment, sports, with_lab)
from tests_proxy_rules import DRAINS, READY, both, dual

TRACKED = "the switch tracks it"


def bracket(address):
    return "[%s]" % address if ":" in address else address


def explain(lab, source, sport, dst, dport=80, protocol=None, at=None):
    """What "service/explain" says, as a dict."""
    text = lab.appctl(
        "service/explain", *(["--proto=" + protocol] if protocol else []),
        *(["--at=" + at] if at else []),
        "%s:%d" % (bracket(lab.hosts[source].address(dst)), sport),
        "%s:%d" % (bracket(dst), dport))
    return dict(line.split(": ", 1) for line in text.splitlines())


def connect(lab, source, sport, dst, dport=80, protocol="TCP"):
    """Sends the first packet of a connection, and answers it.  Returns the
    endpoint that got it."""
    host = lab.hosts[source]
    lab.drain()
    host.send(ip_layer(host.address(dst), dst) /
              segment(protocol, sport, dport))
    (name, packet), = lab.collect(len)
    lab.hosts[name].send(answer(packet))
    (back, _), = lab.collect(len)
    assert back == source
    return "%s:8080" % bracket(network(packet)[1])


@with_lab
def test_explain_new(lab, _):
    """What it says of connections to come comes true, and then it says that
    they are there."""
    lab.write(dual(), *both(("a", READY), ("b", READY), ("remote", READY)))
    lab.start()
    for vip, node in (VIP, NODE), (VIP6, HOSTS["node"][1]):
        reached = set()
        for source, dst, dport in [("pod", vip, 80)] * 8 + \
                [("ext", node, 30080)] * 4:
            sport = next(sports)
            told = explain(lab, source, sport, dst, dport)
            assert told["service"] == "default/s", told
            assert told["reason"].startswith(
                "a new connection, chosen by hash 0x"), told
            assert told["state"] == "gets new connections", told
            endpoint = connect(lab, source, sport, dst, dport)
            assert endpoint == told["endpoint"], (endpoint, told)
            again = explain(lab, source, sport, dst, dport)
            assert again == dict(told, reason=TRACKED), again
            reached.add(endpoint)
        assert len(reached) > 1, reached
    lab.stop()


@with_lab
def test_explain_old(lab, _):
    """A connection stays where it is: with an endpoint that terminates, with
    one that has gone, and without its Service."""
    service = make_service("s")
    lab.write(service, make_slice("s", "a"))
    lab.start()
    sport = next(sports)
    endpoint = connect(lab, "pod", sport, VIP)
    first = explain(lab, "pod", sport, VIP)
    assert first["endpoint"] == endpoint == HOSTS["a"][0] + ":8080", first

    both_ends = both(("a", DRAINS), ("b", READY))
    lab.apply(service, both_ends[0])
    told = explain(lab, "pod", sport, VIP)
    assert told["state"] == "keeps old connections", told
    assert told["endpoint"] == endpoint and told["reason"] == TRACKED, told
    assert told["endpoints unchanged since"] > \
        first["endpoints unchanged since"], told
    lab.apply(service, make_slice("s", "b"))
    told = explain(lab, "pod", sport, VIP)
    assert told["state"] == "is no endpoint any more", told
    assert told["endpoint"] == endpoint, told
    told = explain(lab, "pod", next(sports), VIP)
    assert told["endpoint"] == HOSTS["b"][0] + ":8080", told
    lab.apply()
    told = explain(lab, "pod", sport, VIP)
    assert (told["service"], told["endpoint"], told["state"]) == \
        ("none", endpoint, "is no endpoint any more"), told
    told = explain(lab, "pod", next(sports), VIP)
    assert (told["service"], told["endpoint"], told["reason"]) == \
        ("none", "none", "a new connection: it meets no group"), told
    lab.stop()


@with_lab
def test_explain_others(lab, _):
    """UDP and SCTP; no endpoint; questions that make no sense; a switch that
    is elsewhere, or away."""
    protocols = "TCP", "UDP", "SCTP"
    ports = [{"name": p.lower(), "protocol": p, "port": 80,
              "targetPort": 8080} for p in protocols]
    slices = [make_slice("s", *hosts, protocol=p)
              for p, hosts in zip(protocols, ("ab", "b", "a"))]
    for s in slices:
        s["ports"][0]["name"] = s["ports"][0]["protocol"].lower()
    lab.write(make_service("s", ports=ports), *slices,
              make_service("e", clusterIP="10.96.0.20"))
    lab.start()
    for protocol, host in ("udp", "b"), ("sctp", "a"):
        sport = next(sports)
        told = explain(lab, "pod", sport, VIP, 80, protocol)
        assert told["endpoint"] == HOSTS[host][0] + ":8080", told
        connect(lab, "pod", sport, VIP, 80, protocol.upper())
        assert explain(lab, "pod", sport, VIP, 80, protocol) == \
            dict(told, reason=TRACKED)
        assert explain(lab, "pod", sport, VIP)["reason"] != TRACKED
    told = explain(lab, "pod", 1, "10.96.0.20")
    assert (told["service"], told["endpoint"], told["reason"]) == \
        ("default/e", "none", "a new connection: it is rejected"), told

    for args, error in (
            (["10.1.0.9:1", "x:80"], "\"x:80\" is not ADDRESS:PORT"),
            (["10.1.0.9:70000", VIP + ":80"], "is not ADDRESS:PORT"),
            (["10.1.0.9:1x", VIP + ":80"], "is not ADDRESS:PORT"),
            (["[::1]:1", VIP + ":80"], "the addresses are of two families"),
            (["--proto=icmp", "10.1.0.9:1", VIP + ":80"],
             "\"icmp\" is none of tcp, udp and sctp"),
            (["--what", "10.1.0.9:1", VIP + ":80"], "is neither --proto=")):
        said = lab.appctl("service/explain", *args, check=False)
        assert error in said, said

    lab.kill_switch()
    wait_until(lambda: explain(lab, "pod", 1, VIP)["endpoint"] == "not known",
               "it does not know without the switch")
    lab.daemon("ovs-vswitchd", "--disable-system")
    lab.kill()
    port = 6653
    lab.run("ovs-vsctl", "set-controller", "br0",
            "ptcp:%d:127.0.0.1" % port)
    lab.start(switch="tcp:127.0.0.1:%d" % port)
    told = explain(lab, "pod", 1, VIP)
    assert (told["endpoint"], told["reason"]) == \
        ("not known", "the switch is on another machine"), told
    lab.stop()


def test_explain_stock(_):
    """An unmodified switch tells of the connections that it tracks, and not
    how it would choose."""
    lab = Lab(stock=True)
    try:
        lab.write(make_service("s"), make_slice("s", "a", "b"))
        lab.start()
        sport = next(sports)
        told = explain(lab, "pod", sport, VIP)
        assert (told["endpoint"], told["reason"]) == (
            "not known", "the switch does not track it, and does not tell "
            "how it chooses for new ones"), told
        endpoint = connect(lab, "pod", sport, VIP)
        told = explain(lab, "pod", sport, VIP)
        assert (told["endpoint"], told["reason"]) == (endpoint, TRACKED), told
        lab.stop()
    finally:
        lab.close()
