# SPDX-License-Identifier: Apache-2.0

"""Metrics of Services and endpoints, and what is made of metrics."""

import collections
import json
import os
import re
import shutil
import subprocess

import yaml

from cluster import wait_until
from harness import Skip, World, admin
from lab import HOSTS, make_service, make_slice
from tests_proxy import N, VIP, check, with_lab
from tests_proxy_admin import parse_metrics
from tests_proxy_api import node, put
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
    odd["metadata"]["name"] = "a\"b\\c:de\nf"
    odd_slice = make_slice("m", "a")
    odd_slice["metadata"]["labels"] = {
        "kubernetes.io/service-name": odd["metadata"]["name"]}
    lab.write(make_service("s"), make_slice("s", "a", "b"), odd, odd_slice)
    lab.start()
    group, (a, b) = labels("s", "a", "b")
    odd_group, (odd_a,) = labels(r'a\"b\\c:de\nf', "a")
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


# The dashboard and the alerts.

MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                          "..", "utilities", "ovs-kube-proxy", "monitoring")
ALERTS = os.path.join(MONITORING, "alerts.yaml")

# Series that make an alert fire: name and labels, and values in the notation
# of promtool, one a minute.
FIRING = {
    "OvsKubeProxyDown": ('up{job="ovs-kube-proxy"}', "1x5 0x30"),
    "OvsKubeProxyUnhealthy": ("healthy", "1x5 0x30"),
    "OvsKubeProxyApiFailures": ('api_failures_total{resource="nodes"}',
                                "0+3x40"),
    "OvsKubeProxySlow": ('sync_latency_seconds_bucket{le="+Inf"}', "0+60x40"),
    "OvsKubeProxyRefused": ("refused_total", "0x25 1x20"),
    "OvsKubeProxyOthersChanges": ("others_changes_total", "0+1x40"),
    "OvsKubeProxyLeftOut": ("flows_left_out", "7x40"),
    "OvsKubeProxyConflict": ("service_conflicts_total", "0x5 1x40"),
    "OvsKubeProxyRejectsLimited": ('rejects_total{result="limited"}',
                                   "0+9x40"),
}

# Metrics of a node without a fault.
QUIET = {
    'up{job="ovs-kube-proxy"}': "1x40",
    "healthy": "1x40",
    'api_failures_total{resource="nodes"}': "0x3 1x40",
    'sync_latency_seconds_bucket{le="0.512"}': "0+60x40",
    'sync_latency_seconds_bucket{le="1.024"}': "0+60x40",
    'sync_latency_seconds_bucket{le="2.048"}': "0+60x40",
    'sync_latency_seconds_bucket{le="+Inf"}': "0+60x40",
    "refused_total": "3x40",
    "others_changes_total": "5x40",
    "flows_left_out": "0x40",
    "service_conflicts_total": "2x40",
    'rejects_total{result="limited"}': "8x40",
    'rejects_total{result="answered"}': "0+9x40",
}


def promtool(*args):
    """Runs promtool, of the system or unpacked by tests/run.sh."""
    program = shutil.which("promtool") or os.path.join(
        World.build, "promtool", "usr", "bin", "promtool")
    if not os.path.exists(program):
        raise Skip("there is no promtool: Debian's package prometheus has it")
    done = subprocess.run([program, *args], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert not done.returncode, done.stdout
    return done.stdout


def alert_rules():
    """The expressions of alerts, by name."""
    with open(ALERTS) as stream:
        group, = yaml.safe_load(stream)["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def dashboard_expressions():
    """Those of the dashboard's panels, and of its variables."""
    with open(os.path.join(MONITORING, "dashboard.json")) as stream:
        dashboard = json.load(stream)
    variables = [v["query"]["query"]
                 for v in dashboard["templating"]["list"]
                 if v["type"] == "query"]
    return [target["expr"] for panel in dashboard["panels"]
            for target in panel["targets"]] + [
                re.fullmatch(r"label_values\((\w+), (\w+)\)", v).expand(
                    r"sum by (\2) (\1)") for v in variables]


def check_names(expression, exported):
    """Checks that each metric is exported, with the labels that are asked
    for.  "exported" are all names with labels."""
    found = re.findall(r"\b((?:ovs_kube_proxy|kubeproxy)_\w+)(\{[^}]*\})?",
                       expression)
    assert found or "up{" in expression, expression
    for name, selector in found:
        series = [s for s in exported if re.match(name + r"(\{|$)", s)]
        assert series, "%s is not exported" % name
        for label, operator, value in re.findall(
                r'(\w+)(=~|=)"([^"]*)"', selector):
            wanted = '%s="%s' % (label, value + '"' if operator == "=" else "")
            assert label == "instance" or any(wanted in s for s in series), \
                (wanted, series)
        for label in re.findall(r"by \(([^)]*)\)", expression):
            for one in label.split(", "):
                assert one == "instance" or any(
                    one + "=" in s for s in series), (one, series)


def write_yaml(name, obj):
    path = os.path.join(World.folder, name)
    with open(path, "w") as stream:
        yaml.safe_dump(obj, stream)
    return path


@with_lab
def test_metrics_names(lab, c):
    """The dashboard and the alerts ask for what the program exports."""
    node(c)
    put(c, make_service("s"))
    put(c, make_slice("s", "a", "b"))
    lab.start(source="--kubeconfig=" + admin())
    lab.wait_shown("default/s", HOSTS["b"][0])
    wait_until(lambda: scrape(lab, SERVICE), "Services are counted")
    exported = parse_metrics(lab.metrics())
    for expression in list(alert_rules().values()) + dashboard_expressions():
        check_names(expression, exported)
    lab.stop()
    c.delete("EndpointSlice", "s-tcp4")
    c.delete("Service", "s")


def test_metrics_alerts(_):
    """promtool accepts all expressions.  Each alert fires when it should, and
    alone, and none without a fault."""
    assert "9 rules found" in promtool("check", "rules", ALERTS)
    plain = [re.sub(r"\$\w+", "x", e.replace("$__rate_interval", "5m"))
             for e in dashboard_expressions()]
    promtool("check", "rules", write_yaml("dashboard.yaml", {"groups": [
        {"name": "dashboard", "rules": [
            {"record": "panel:%d" % i, "expr": e}
            for i, e in enumerate(plain)]}]}))

    def full(series):
        name, _, rest = series.partition("{")
        prefix = "" if name == "up" else PREFIX
        return '%s%s{instance="n1"%s' % (prefix, name,
                                         "," + rest if rest else "}")

    def case(alerts, series):
        return {"interval": "1m", "input_series": [
            {"series": full(k), "values": v} for k, v in series.items()],
                "promql_expr_test": [{
                    "expr": 'count by (alertname) '
                            '(ALERTS{alertstate="firing"})',
                    "eval_time": "30m", "exp_samples": [
                        {"labels": '{alertname="%s"}' % a, "value": 1}
                        for a in alerts]}]}

    assert set(FIRING) == set(alert_rules())
    cases = [case([], QUIET)]
    for name, (series, values) in FIRING.items():
        quiet = dict(QUIET)
        if name == "OvsKubeProxySlow":
            quiet = {k: v for k, v in QUIET.items() if "le=" not in k}
            quiet['sync_latency_seconds_bucket{le="1.024"}'] = "0x40"
            quiet['sync_latency_seconds_bucket{le="2.048"}'] = "0+60x40"
        quiet[series] = values
        cases.append(case([name], quiet))
    promtool("test", "rules", write_yaml("alerts-test.yaml", {
        "rule_files": [os.path.abspath(ALERTS)],
        "evaluation_interval": "1m", "tests": cases}))
