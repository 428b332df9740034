# SPDX-License-Identifier: Apache-2.0

"""The page of ovs-kube-proxy: its JSON, and what a browser makes of it."""

import collections
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile

from cluster import wait_until
from harness import Skip, World
from lab import HOSTS, make_service, make_slice
from tests_proxy import N, VIP, check, with_lab

PAGE_PORT = 10247
BROWSER = "chromium-headless-shell", "chromium"


def fetch(path, method="GET"):
    """Status, content type and text of "path"."""
    connection = http.client.HTTPConnection("127.0.0.1", PAGE_PORT,
                                            timeout=20)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.getheader("Content-Type"), body


def fetch_json(path):
    status, kind, body = fetch(path)
    assert (status, kind) == (200, "application/json"), (path, status, kind)
    return json.loads(body)


def traffic():
    """Packets of default/s, by endpoint."""
    return {"%s:%d" % (t["address"], t["port"]): t["packets"]
            for t in fetch_json("/services/default/s")["traffic"]}


def start(lab, *services):
    external = make_service("x", type="ExternalName",
                            externalName="x.example")
    del external["spec"]["clusterIP"], external["spec"]["clusterIPs"]
    lab.write(make_service("s"), make_slice("s", "a", "remote"), external,
              make_service("e", clusterIP="10.96.0.20"), *services)
    lab.start("--page-address=127.0.0.1:%d" % PAGE_PORT)


@with_lab
def test_page_json(lab, _):
    """What the page's addresses say is what the switch has, and does."""
    start(lab)
    state = fetch_json("/state.json")
    assert state["state"] == "synced" and "fault" not in state, state
    assert state["sync"] == "\n".join(
        lab.appctl("sync/status").splitlines()[-3:]) + "\n", state

    reply = fetch_json("/services.json")
    assert reply["total"] == 3
    services = {s.pop("service"): s for s in reply["services"]}
    assert services["default/s"] == {"ports": 1, "endpoints": 2, "flows": 2,
                                     "groups": 1}, services
    assert services["default/e"]["endpoints"] == 0
    assert services["default/x"]["reason"] in \
        lab.appctl("service/show", "default/x")

    service = fetch_json("/services/default/s")
    port, = service["ports"]
    assert (port["protocol"], port["port"], port["cluster_ips"]) == \
        ("TCP", 80, [VIP]), port
    assert port["cluster"] == port["external"] == {
        "verdict": "forward", "endpoints": [
            {"address": HOSTS[name][0], "port": 8080, "weight": 100,
             "local": name == "a", "draining": False}
            for name in ("a", "remote")]}, port
    shown = lab.appctl("service/show", "default/s")
    assert len(service["flows"]) == 2 and len(service["groups"]) == 1
    assert all(line in shown
               for line in service["flows"] + service["groups"])
    empty, = fetch_json("/services/default/e")["ports"]
    assert empty["cluster"] == {"verdict": "reject", "endpoints": []}

    for path in "/services/default/none", "/services/", "/index.html":
        assert fetch(path)[0] == 404, path
    assert fetch("/state.json", "POST")[0] == 405
    lab.stop()


@with_lab
def test_page_traffic(lab, _):
    """Connections are counted for the endpoint that got them."""
    start(lab)
    wait_until(lambda: sum(traffic().values()) == 0 and len(traffic()) == 2,
               "the switch has said what it counted")
    sent = collections.Counter()
    for _ in range(2):
        for name, _ in check(lab, "pod", VIP, "a remote"):
            sent[HOSTS[name][0] + ":8080"] += 1
    assert sum(sent.values()) == 2 * N
    wait_until(lambda: traffic() == sent, "all of them are counted")
    # Endpoints that come and go leave the others' numbers alone.
    lab.apply(make_service("s"), make_slice("s", "remote", "b"))
    sent.pop(HOSTS["a"][0] + ":8080")
    sent[HOSTS["b"][0] + ":8080"] = 0
    wait_until(lambda: traffic() == sent, "of those that stay")
    lab.stop()


def browse(fragment, *args):
    """What a browser shows of the page: its tree, as HTML."""
    program = next((p for p in BROWSER if shutil.which(p)), None)
    if not program:
        raise Skip("there is no chromium")
    with tempfile.TemporaryDirectory(dir=World.folder) as home:
        return subprocess.run(
            # The program may be a script: end what it started, too.
            ["timeout", "--signal=KILL", "100", program, "--no-sandbox",
             "--disable-gpu", "--user-data-dir=" + home,
             "--virtual-time-budget=5000",
             "--window-size=1100,360", *(args or ["--dump-dom"]),
             "http://127.0.0.1:%d/#%s" % (PAGE_PORT, fragment)],
            env=dict(os.environ, HOME=home), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, check=True).stdout.decode()


def texts(dom, tag):
    """The text of all elements "tag" that contain nothing but text."""
    return re.findall(r"<%s\b[^>]*>([^<]*)</%s>" % (tag, tag), dom)


@with_lab
def test_page_browser(lab, _):
    """A browser shows Services and shares; names cannot become markup."""
    bad = make_service("m", clusterIP="10.96.0.30")
    bad["metadata"]["name"] = "<img src=x onerror=alert(1)>"
    start(lab, bad)
    dom = browse("")
    assert "synced" in texts(dom, "span"), dom
    assert {"default/s", "default/e", "default/x"} <= set(texts(dom, "a"))
    assert "default/&lt;img src=x" in dom and "<img" not in dom

    got = check(lab, "pod", VIP, "a remote")
    sent = collections.Counter(HOSTS[name][0] + ":8080" for name, _ in got)
    wait_until(lambda: traffic() == sent, "all of them are counted")
    cells = texts(browse("default/s"), "td")
    for name, n in sent.items():
        at = cells.index(name)
        assert cells[at + 2] == str(n), cells
    assert "There is no such Service." in browse("default/none")
    picture = os.environ.get("PAGE_PICTURE")
    if picture:
        browse("default/s", "--screenshot=" + os.path.abspath(picture))
    lab.stop()
