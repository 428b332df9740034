# SPDX-License-Identifier: Apache-2.0

"""Endpoints that come and go, many a second, while pods do HTTP.

The unit is an endpoint that begins or ceases to be ready.  BATCH of them are
written in one PUT of an EndpointSlice, half of them each way: kube-apiserver
and etcd, on this one machine, take several hundred such writes a second, and
the tests are to strain the program and the switch.

What has to hold:

- No request fails: all endpoints answer as long as they are asked, so that a
  failure is the switch's.
- No connection that is begun more than a second after the API server has
  said that it has the removal, which is not after the program's watch does,
  comes to an endpoint that was removed.
"""

import bisect
import collections
import os
import threading
import time

from cluster import Cluster, wait_until
from harness import admin
from lab import NODE, make_service
from pods import PORT, endpoint, requests, with_pods
from tests_proxy_api import put

# Endpoints of each Service that stay, and others.  Half of the others are
# ready at any time; each is removed and added again in turn.
STAY, CHANGE = 10, 40
BATCH = 10
WRITERS = 2
# Requests a second.
LOAD = 200
# Seconds after which an endpoint that was removed must not be chosen.
LATE = 1


def vip(number):
    return "10.96.%d.%d" % (1 + number // 250, 1 + number % 250)


class Slice:
    """The endpoints of a Service, and the times of their removal."""

    def __init__(self, number):
        self.number = number
        first = number * (STAY + CHANGE)
        self.addresses = [endpoint(first + i) for i in range(STAY + CHANGE)]
        # The first ones have been in this state for longest.
        changing = self.addresses[STAY:]
        self.ready = collections.deque(changing[:CHANGE // 2])
        self.away = collections.deque(changing[CHANGE // 2:])
        # Address -> [time of removal, time of return], ...
        self.removals = collections.defaultdict(list)
        self.n_writes = 0

    def obj(self):
        """The slice for the API server.  Endpoints that are away are left out,
        or are in it and terminate."""
        def one(address, ready):
            return {"addresses": [address],
                    "conditions": {"ready": ready, "serving": True,
                                   "terminating": not ready}}

        return {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "s%d-x" % self.number, "labels": {
                "kubernetes.io/service-name": "s%d" % self.number}},
            "addressType": "IPv4",
            "ports": [{"name": "p", "protocol": "TCP", "port": PORT}],
            "endpoints":
                [one(a, True) for a in self.addresses[:STAY]] +
                [one(a, True) for a in self.ready] +
                [one(a, False) for a in list(self.away)[::2]]}

    def write(self, cluster):
        """Removes BATCH / 2 endpoints, and adds as many."""
        gone = [self.ready.popleft() for _ in range(BATCH // 2)]
        back = [self.away.popleft() for _ in range(BATCH // 2)]
        self.ready.extend(back)
        self.away.extend(gone)
        now = time.monotonic()
        for address in back:
            if self.removals[address]:
                self.removals[address][-1][1] = now
        cluster.replace(self.obj())
        now = time.monotonic()
        for address in gone:
            self.removals[address].append([now, None])
        self.n_writes += 1

    def lateness(self, address, begin, end):
        """By how much a connection from 'begin' to 'end' came too late to
        'address'; negative if it did not."""
        removals = self.removals[address]
        i = bisect.bisect(removals, begin, key=lambda r: r[0]) - 1
        if i < 0:
            return -1
        removed, added = removals[i]
        return -1 if added and end > added else begin - removed


class Writer(threading.Thread):
    """A writer: writes its slices in turn, at its part of the rate."""

    def __init__(self, cluster, slices, rate):
        super().__init__(daemon=True)
        self.cluster = Cluster.__new__(Cluster)
        self.cluster.__dict__.update(cluster.__dict__, connection=None)
        self.slices = slices
        self.rate = rate
        self.stopping = threading.Event()
        self.error = None
        self.n_writes = 0

    def run(self):
        try:
            due = time.monotonic()
            while not self.stopping.is_set():
                for one in self.slices:
                    if self.stopping.is_set():
                        break
                    due += 1 / self.rate
                    time.sleep(max(0, due - time.monotonic()))
                    one.write(self.cluster)
                    self.n_writes += 1
        except Exception as error:                 # pylint: disable=W0718
            self.error = error


def parameters():
    """Seconds, and changes of endpoints a second."""
    seconds, rate = os.environ.get("KUBE_CHURN", "6,200").split(",")
    return float(seconds), float(rate)


def check_load(slices, done, failed):
    """Checks all requests.  Returns the longest time from a removal to the
    begin of a connection to the endpoint."""
    assert not failed, "%d of %d requests failed: %s" % (
        len(failed), len(done) + len(failed), failed[:5])
    by_vip = {vip(s.number): s for s in slices}
    latest, late = -1, []
    for begin, end, host, who in done:
        one = by_vip[host]
        assert who in one.addresses, (host, who)
        lateness = one.lateness(who, begin, end)
        latest = max(latest, lateness)
        if lateness > LATE:
            late.append((lateness, begin, host, who))
    assert not late, "%d stale: %s" % (len(late), late[:5])
    return latest


def cpu_time(pid):
    """Seconds of processor time of a process."""
    with open("/proc/%d/stat" % pid) as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(slices, writers, done, latest, seconds):
    times = sorted(end - begin for begin, end, _, _ in done)
    writes = sum(w.n_writes for w in writers)
    print("        %d changes of endpoints a second, in %d writes a second, "
          "for %.0f s" % (writes * BATCH / seconds, writes / seconds, seconds))
    print("        %d requests, %.0f a second: median %.1f ms, 99 %% %.1f "
          "ms, longest %.0f ms" %
          (len(done), len(done) / seconds, 1000 * times[len(times) // 2],
           1000 * times[len(times) * 99 // 100], 1000 * times[-1]))
    removed = sum(len(r) for s in slices for r in s.removals.values())
    print("        %d removals; %s" % (
        removed, "no new connection to one that was removed" if latest < 0
        else "the last new connection to one that was removed began %.0f ms "
        "after" % (1000 * latest)), flush=True)


@with_pods
def test_churn(lab, c):
    seconds, rate = parameters()
    # A removed endpoint is away for long enough to be missed: 4 s.
    count = int(rate / CHANGE * 4 * LATE)
    slices = [Slice(i) for i in range(count)]
    put(c, {k: v for k, v in NODE.items() if k != "status"})
    for one in slices:
        put(c, make_service("s%d" % one.number, clusterIP=vip(one.number)))
        put(c, one.obj())
    lab.start(source="--kubeconfig=" + admin())
    wait_until(lambda: lab.groups() and len(lab.groups()) == count and
               lab.synced(), "all Services are there")
    servers = lab.serve()
    clients = lab.clients("load", LOAD, *[vip(i) for i in range(count)])
    writers = [Writer(c, slices[i::WRITERS], rate / BATCH / WRITERS)
               for i in range(WRITERS)]
    processes = lab.proxy.pid, lab.pid_of("ovs-vswitchd")
    used = [cpu_time(p) for p in processes]
    begin = time.monotonic()
    for writer in writers:
        writer.start()
    while time.monotonic() < begin + seconds:
        time.sleep(0.1)
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join()
        assert not writer.error, writer.error
    elapsed = time.monotonic() - begin
    used = [cpu_time(p) - u for p, u in zip(processes, used)]
    done, failed = requests(clients)
    wait_until(lab.synced, "the switch has all")
    latest = check_load(slices, done, failed)
    # The servers saw the same as the clients.
    for server in servers:
        server.stop()
    accepted = collections.Counter(
        address for server in servers for _, address in server.result())
    answered = collections.Counter(who for _, _, _, who in done)
    assert accepted == answered, accepted - answered
    report(slices, writers, done, latest, elapsed)
    print("        ovs-kube-proxy worked %.1f s, ovs-vswitchd %.1f s" %
          tuple(used), flush=True)
    for one in slices:
        c.delete("Service", "s%d" % one.number)
        c.delete("EndpointSlice", "s%d-x" % one.number)
    c.delete("Node", "n1")
    wait_until(lambda: not lab.groups() and lab.synced(), "all is removed")
    lab.stop()
