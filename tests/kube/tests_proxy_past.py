# SPDX-License-Identifier: Apache-2.0

"""ovs-kube-proxy says which endpoint served a connection in the past."""

import time

from lab import HOSTS, make_service, make_slice
from tests_proxy import NODE, VIP, VIP6, sports, with_lab
from tests_proxy_explain import connect, explain
from tests_proxy_large import large_slices
from tests_proxy_rules import READY, both, dual


def explain_at(lab, at, *args, **kwargs):
    """What "service/explain --at" says of a time, in s since 1970, or of one
    as it is."""
    if isinstance(at, float):
        at = "%.3f" % at
    return explain(lab, *args, at=at, **kwargs)


def wait_ms():
    """Waits until the clock has moved on, and returns the time, in s."""
    time.sleep(0.01)
    now = time.time()
    time.sleep(0.01)
    return now


@with_lab
def test_explain_at(lab, _):
    """Of connections that began at some time in the past, it says where they
    went: before and after an endpoint goes and comes, and by a node port."""
    history = [both(("a", READY), ("b", READY), ("remote", READY)),
               both(("b", READY), ("remote", READY)),
               both(("a", READY), ("b", READY), ("remote", READY)),
               []]
    asked = [("pod", VIP, 80)] * 12 + [("pod", VIP6, 80)] * 6 + \
        [("ext", NODE, 30080)] * 6
    ports = {i: next(sports) for i in range(len(asked))}
    began = time.time()
    seen = []
    for number, slices in enumerate(history):
        if number:
            lab.apply(dual(), *slices)
        else:
            lab.write(dual(), *slices)
            lab.start()
        before = wait_ms()
        lab.run("ovs-appctl", "-t", "ovs-vswitchd", "dpctl/flush-conntrack")
        seen.append((before, [
            connect(lab, source, ports[i], dst, dport) if slices else "none"
            for i, (source, dst, dport) in enumerate(asked)], wait_ms()))
    lab.run("ovs-appctl", "-t", "ovs-vswitchd", "dpctl/flush-conntrack")
    # Some connections moved when "a" went, and "a" had some.
    assert seen[0][1] != seen[1][1] and seen[0][1] == seen[2][1], seen
    for number, (before, endpoints, after) in enumerate(seen):
        for at in before, after:
            for i, (source, dst, dport) in enumerate(asked):
                told = explain_at(lab, at, source, ports[i], dst, dport)
                assert told["service"] == "default/s", told
                assert told["endpoint"] == endpoints[i], (endpoints[i], told)
                since = told["endpoints unchanged since"]
                assert since.endswith(
                    " or earlier, for the program started then") == \
                    (number == 0), told
                assert date(began) < since[:24] < date(before), told
                until = told["until"]
                assert until == "now" if number == 3 else \
                    date(after) < until < date(seen[number + 1][0]), told
                if endpoints[i] == "none":
                    assert told["reason"].endswith(
                        ": it was rejected: there was no endpoint"), told
                else:
                    assert ", chosen by hash 0x" in told["reason"], told
    # Now and a moment ago, in other forms.
    told = explain_at(lab, "-0s", "pod", ports[0], VIP)
    assert told["endpoint"] == "none" and told["until"] == "now", told
    assert explain_at(lab, date(seen[1][2]), "pod", ports[0], VIP)[
        "endpoint"] == seen[1][1][0]
    lab.stop()


def date(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + \
        ".%03dZ" % (seconds % 1 * 1000)


@with_lab
def test_explain_at_others(lab, _):
    """A connection that lasts; a Service that comes and goes; more endpoints
    than fit into one group; a client that may be remembered; times that the
    journal does not have; without a journal."""
    parts = large_slices("s", range(2100))
    single = large_slices("s", range(700))
    lab.write(make_service("s"), *parts)
    lab.start()
    points = []
    for objects in ([make_service("s")] + parts, [make_service("s")] + single,
                    [make_service("s", sessionAffinity="ClientIP"),
                     make_slice("s", "a", "b")], []):
        lab.apply(*objects)
        sport = next(sports)
        said = explain(lab, "pod", sport, VIP)
        points.append((wait_ms(), sport, said))
    for number, (at, sport, said) in enumerate(points):
        told = explain_at(lab, at, "pod", sport, VIP)
        assert told["endpoint"] == said["endpoint"], (told, said)
        assert told["reason"].endswith(
            ", unless the switch remembered its client") == (number == 2), told
    assert told["service"] == "none", told
    assert told["reason"].endswith(": no Service had this address and port")

    # It has moved since, and has stayed where it is.
    lab.apply(make_service("s"), make_slice("s", "a"))
    sport = next(sports)
    endpoint = connect(lab, "pod", sport, VIP)
    lab.apply(make_service("s"), make_slice("s", "b"))
    told = explain_at(lab, "-0s", "pod", sport, VIP)
    assert told["endpoint"] == HOSTS["b"][0] + ":8080", told
    assert told["tracked now"] == endpoint == HOSTS["a"][0] + ":8080", told

    for at, error in (("-1h", "the journal goes back to 20"),
                      ("-1h", "when the program started"),
                      ("2100-01-01T00:00:00Z", "is still to come"),
                      ("yesterday", "\"yesterday\" is no time")):
        for words in ["--at=" + at], ["--at", at]:
            said = lab.appctl("service/explain", *words, "10.1.0.9:1",
                              VIP + ":80", check=False)
            assert error in said, said
    said = lab.appctl("service/explain", "--at", "10.1.0.9:1", VIP + ":80",
                      check=False)
    assert "\"--at\" is neither --proto=" in said, said
    lab.stop()

    # One state takes 0.15 MB.
    lab.write(make_service("s"), *large_slices("s", range(6000)))
    lab.start("--journal=1")
    for n in range(6001, 6010):
        lab.apply(make_service("s"), *large_slices("s", range(n)))
    said = lab.appctl("service/explain", "--at=-1h", "10.1.0.9:1", VIP + ":80",
                      check=False)
    assert "when it became too long" in said, said
    values = dict(line.rsplit(" ", 1) for line in lab.metrics().splitlines()
                  if line.startswith("ovs_kube_proxy_journal_"))
    assert 0 < int(values["ovs_kube_proxy_journal_states"]) < 9, values
    assert int(values["ovs_kube_proxy_journal_bytes"]) <= 1 << 20, values
    lab.stop()
    lab.start("--journal=0")
    said = lab.appctl("service/explain", "--at=-0s", "10.1.0.9:1", VIP + ":80",
                      check=False)
    assert "no journal is kept" in said, said
    lab.stop()
