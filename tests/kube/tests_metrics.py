# SPDX-License-Identifier: Apache-2.0

"""Metrics of Services and endpoints, and what is made of metrics."""

import collections

from cluster import wait_until
from lab import HOSTS, make_service, make_slice
from tests_proxy import N, VIP, check, with_lab
from tests_proxy_admin import parse_metrics
from tests_proxy_large import large_slices

PREFIX = "ovs_kube_proxy_"
SERVICE = PREFIX + "service_opening_packets_total"
ENDPOINT = PREFIX + "endpoint_opening_packets_total"


def scrape(lab, name):
    """The values of metric "name", by its labels."""
    return {key[len(name):]: value
            for key, value in parse_metrics(lab.metrics()).items()
            if key.startswith(name + "{")}


def labels(name, *hosts, namespace="default"):
    """The labels of a Service's group, and of its endpoints."""
    group = 'namespace="%s",service="%s",protocol="tcp",port="80",' \
        'family="ipv4",set="cluster"' % (namespace, name)
    return "{%s}" % group, ['{%s,endpoint="%s:8080"}' % (group, HOSTS[h][0])
                            for h in hosts]


@with_lab
def test_metrics_series(lab, _):
    """Connections are counted for their Service and endpoint, and the series
    are limited."""
    odd = make_service("m", clusterIP="10.96.0.30")
    odd["metadata"]["name"] = "a\"b\\c:d/e\nf"
    odd_slice = make_slice("m", "a")
    odd_slice["metadata"]["labels"] = {
        "kubernetes.io/service-name": odd["metadata"]["name"]}
    lab.write(make_service("s"), make_slice("s", "a", "b"), odd, odd_slice)
    lab.start()
    group, (a, b) = labels("s", "a", "b")
    odd_group, (odd_a,) = labels(r'a\"b\\c:d/e\nf', "a")
    wait_until(lambda: scrape(lab, SERVICE) == {group: 0, odd_group: 0},
               "Services are counted")
    assert scrape(lab, ENDPOINT) == {a: 0, b: 0, odd_a: 0}

    got = collections.Counter(name for name, _ in check(lab, "pod", VIP,
                                                        "a b"))
    wait_until(lambda: scrape(lab, SERVICE) == {group: N, odd_group: 0},
               "connections are counted")
    assert scrape(lab, ENDPOINT) == {a: got["a"], b: got["b"], odd_a: 0}

    # Those of the Service and of what stays go on.
    lab.apply(make_service("s"), make_slice("s", "a", "remote"), odd,
              odd_slice)
    check(lab, "pod", VIP, "a remote")
    _, (_, remote) = labels("s", "a", "remote")
    wait_until(lambda: scrape(lab, SERVICE).get(group) == 2 * N,
               "the Service's goes on")
    endpoints = scrape(lab, ENDPOINT)
    assert b not in endpoints and endpoints[a] > got["a"], endpoints
    assert endpoints[a] + endpoints[remote] == got["a"] + N, endpoints

    # Every endpoint of a large Service has a series.
    lab.apply(make_service("s"), *large_slices("s", range(600)), odd,
              odd_slice)
    wait_until(lambda: len(scrape(lab, ENDPOINT)) == 601, "601 endpoints")
    assert set(scrape(lab, SERVICE)) >= {group, odd_group}
    left_out = PREFIX + "series_left_out"
    assert set(scrape(lab, left_out).values()) == {0}

    lab.kill()
    lab.start("--metrics-series=400")
    wait_until(lambda: len(scrape(lab, ENDPOINT)) == 400, "400 endpoints")
    assert odd_a in scrape(lab, ENDPOINT)
    assert scrape(lab, left_out) == {'{of="service"}': 0,
                                     '{of="endpoint"}': 201}
    lab.kill()
    lab.start("--metrics-series=0")
    for _ in range(3):
        metrics = parse_metrics(lab.metrics())
        assert not [m for m in metrics if "series" in m or "opening" in m]
    lab.stop()
