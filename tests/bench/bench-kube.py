#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures ovs-kube-proxy between a real kube-apiserver and a switch.

    bench-kube.py BUILD [SERVICES]...

BUILD is the build folder of the project; SERVICES, by default 100, 1000 and
10000, how many Services there are, with 10 endpoints each.  Needs root, for a
network namespace of its own, and what 'tests/kube/build' makes.  The switch
has the dummy datapath.  Prints tables in Markdown:

  - First sync: from the program's start to the switch's last answer, processor
    time and memory of the program and of the switch, what was sent.  Then the
    same for a restart, which finds all of it there, and after somebody else
    has deleted all of it, which is OpenFlow alone.

  - One change: an endpoint is the first of its Service, from the API server's
    answer to the writer to the switch's report of the new flow.  And one of
    ten endpoints that comes or goes, to the switch's report of the bucket.

  - Many changes: in each of 1,000 Services an endpoint gives way to another,
    as fast as the API server takes it from 4 writers.

  - OpenFlow alone: flows that are replaced by others for 20 s, by what
    ovs-kube-proxy sends its changes with ('tests/kube/of-sync-bench' of the
    build folder, which 'make check' makes): one, or a hundred, change while
    the switch has those before."""

import concurrent.futures
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', folder)
                for folder in ('kube', 'python')]
from cluster import Cluster, Daemon, wait_until  # noqa: E402
from ovs_daemons import Daemons  # noqa: E402

ENDPOINTS = 10
CHANGES = 1000
SAMPLES = 40
SUSTAINED_S = 20
AT_ONCE = [1, 100]


def vip(i):
    return '10.96.%d.%d' % (1 + i // 250, 1 + i % 250)


def service(i):
    return {'apiVersion': 'v1', 'kind': 'Service',
            'metadata': {'name': 's%d' % i, 'namespace': 'default'},
            'spec': {'clusterIP': vip(i), 'ports': [
                {'name': 'http', 'port': 80, 'targetPort': 8080}]}}


def endpoint_slice(i, hosts):
    return {'apiVersion': 'discovery.k8s.io/v1', 'kind': 'EndpointSlice',
            'metadata': {'name': 's%d' % i, 'namespace': 'default',
                         'labels': {'kubernetes.io/service-name': 's%d' % i}},
            'addressType': 'IPv4',
            'ports': [{'name': 'http', 'protocol': 'TCP', 'port': 8080}],
            'endpoints': [{'addresses': ['10.%d.%d.%d' % (
                host, i // 250, 1 + i % 250)]} for host in hosts]}


class Writers:
    """Threads, each with a connection to the API server."""

    def __init__(self, cluster, n):
        self.cluster = cluster
        self.local = threading.local()
        self.pool = concurrent.futures.ThreadPoolExecutor(n)

    def client(self):
        if not hasattr(self.local, 'client'):
            client = object.__new__(Cluster)
            client.pki, client.admin_cert = (self.cluster.pki,
                                             self.cluster.admin_cert)
            client.connection, client.used = None, 0
            self.local.client = client
        return self.local.client

    def all(self, function, items):
        list(self.pool.map(lambda x: function(self.client(), x), items))


class Switch(Daemons):
    def __init__(self, build, folder):
        root = build + '/openvswitch/extended'
        os.makedirs(folder)
        super().__init__(root, root + '-source', folder)
        self.create_database()
        self.start_database()
        self.run('ovs-vsctl', '--no-wait', 'init')
        self.daemon('ovs-vswitchd', '--enable-dummy=override',
                    '--disable-system')
        self.run('ovs-vsctl', 'add-br', 'br0', '--', 'set', 'Bridge', 'br0',
                 'datapath_type=dummy', 'fail_mode=secure')
        self.mgmt = folder + '/br0.mgmt'


class Groups:
    """The last report of the switch about each group that others change, by
    OpenFlow 1.5's request forwarding."""

    HEADER = '!BBHI'            # Version, type, length, xid.
    VERSION, HELLO, ECHO, ECHO_REPLY, GROUP_MOD, SET_ASYNC, FORWARD = \
        6, 0, 2, 3, 15, 28, 32
    FORWARD_MASTER, GROUP_MODS = 11, 1

    def __init__(self, path):
        self.seen = {}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.send(self.HELLO)
        self.send(self.SET_ASYNC, struct.pack('!HHI', self.FORWARD_MASTER, 8,
                                              self.GROUP_MODS))
        threading.Thread(target=self.read, daemon=True).start()

    def send(self, kind, body=b'', xid=1):
        self.socket.sendall(struct.pack(
            self.HEADER, self.VERSION, kind, 8 + len(body), xid) + body)

    def read(self):
        stream = self.socket.makefile('rb')
        while True:
            header = stream.read(8)
            if len(header) < 8:
                return
            _, kind, length, xid = struct.unpack(self.HEADER, header)
            body = stream.read(length - 8)
            if kind == self.ECHO:
                self.send(self.ECHO_REPLY, body, xid)
            elif kind == self.FORWARD and body[1] == self.GROUP_MOD:
                group, = struct.unpack_from('!I', body, 12)
                self.seen[group] = time.monotonic()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def usage(pid):
    """Processor seconds, resident memory and its maximum, in MB."""
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rsplit(')', 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    with open('/proc/%d/status' % pid) as f:
        text = f.read()
    rss, peak = (int(re.search(name + r':\s*(\d+)', text).group(1)) / 1024
                 for name in ('VmRSS', 'VmHWM'))
    return ticks / os.sysconf('SC_CLK_TCK'), rss, peak


class Proxy:
    def __init__(self, build, cluster, switch):
        self.switch = switch
        self.socket = switch.dir + '/proxy.ctl'
        self.start = time.monotonic()
        self.daemon = Daemon(
            [build + '/utilities/ovs-kube-proxy/ovs-kube-proxy',
             '-vconsole:off', '--unixctl=' + self.socket, '--node=n1',
             '--log-file=%s/proxy.log' % switch.dir,
             '--kubeconfig=' + cluster.kubeconfig('bench.conf', {
                 'client-certificate': cluster.admin_cert[0],
                 'client-key': cluster.admin_cert[1]}),
             '--metrics-address=127.0.0.1:10249', 'unix:' + switch.mgmt],
            switch.dir + '/proxy.out', env=switch.env)

    def appctl(self, *args):
        return subprocess.run(
            ['ovs-appctl', '-t', self.socket] + list(args),
            env=self.switch.env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, check=False).stdout

    @staticmethod
    def metrics():
        return subprocess.run(['curl', '-s', 'http://127.0.0.1:10249/metrics'],
                              stdout=subprocess.PIPE, text=True,
                              check=True).stdout

    def changes(self):
        """The number of flow and group modifications that were sent."""
        return sum(int(n) for n in re.findall(
            r'^ovs_kube_proxy_changes_total\{.*\} (\d+)', self.metrics(),
            re.M))

    def is_synced(self, groups):
        status = self.appctl('sync/status')
        return (re.search(r'^synced', status, re.M)
                and ', %d groups; 0 to be changed' % groups in status)

    def wait_synced(self, groups):
        """Returns the seconds from the start."""
        wait_until(lambda: self.is_synced(groups), '%d groups are there: %s' %
                   (groups, self.appctl('sync/status')), 900)
        return time.monotonic() - self.start

    def put_back(self, groups):
        """Deletes all flows and groups.  Returns the seconds until they are
        back, from when the program began to act."""
        def metric(name):
            return int(re.search(r'^ovs_kube_proxy_%s (\d+)' % name,
                                 self.metrics(), re.M)[1])

        for what in 'del-flows', 'del-groups':
            self.switch.run('ovs-ofctl', '-O', 'OpenFlow15', what, 'br0')
        wait_until(lambda: metric('repairs_total'), 'it has noticed')
        start = time.monotonic()
        wait_until(lambda: self.is_synced(groups), 'all is back', 900)
        return time.monotonic() - start


def first_sync(build, cluster, n, switch, rows):
    proxy = None
    for what in 'first', 'restart', 'deleted':
        before = usage(switch.pid_of('ovs-vswitchd'))[0]
        if what == 'deleted':
            worked, sent = usage(proxy.daemon.process.pid)[0], proxy.changes()
            seconds = proxy.put_back(n)
        else:
            proxy, worked, sent = Proxy(build, cluster, switch), 0, 0
            seconds = proxy.wait_synced(n)
        cpu, rss, peak = usage(proxy.daemon.process.pid)
        switch_cpu, switch_rss, _ = usage(switch.pid_of('ovs-vswitchd'))
        changes = proxy.changes() - sent
        rows.append('| %d | %s | %.1f | %.1f | %.0f, %.0f | %.1f | %.0f | %d '
                    '| %s |'
                    % (n, what, seconds, cpu - worked, rss, peak,
                       switch_cpu - before, switch_rss, changes,
                       '%.0f' % (changes / seconds) if changes else ''))
        if what == 'first':
            proxy.daemon.kill()
    return proxy


def summary(times):
    """Median and 95th percentile."""
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.95)]


def one_change(cluster, n, switch):
    """Median and 95th percentile, in ms."""
    monitor = subprocess.Popen(
        ['ovs-ofctl', 'monitor', 'br0', 'watch:!initial'], env=switch.env,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seen = {}

    def read():
        for line in monitor.stderr:
            found = re.search(r'nw_dst=([0-9.]+).*group:', line)
            if found:
                seen[found.group(1)] = time.monotonic()
    threading.Thread(target=read, daemon=True).start()
    time.sleep(1)

    times = []
    for sample in range(SAMPLES):
        i = sample * (n // SAMPLES)
        cluster.replace(endpoint_slice(i, []))
        wait_until(lambda: 'cluster: reject' in switch.proxy.appctl(
            'service/show', 'default/s%d' % i), 'the Service has none')
        time.sleep(0.05)
        seen.pop(vip(i), None)
        cluster.replace(endpoint_slice(i, [1]))
        answered = time.monotonic()
        wait_until(lambda: vip(i) in seen, 'the flow is there')
        times.append(1000 * (seen[vip(i)] - answered))
        cluster.replace(endpoint_slice(i, range(1, ENDPOINTS + 1)))
    monitor.kill()
    return summary(times)


def one_of_ten(cluster, n, switch):
    """The same for a bucket among others."""
    groups = Groups(switch.mgmt)
    times = []
    for sample in range(SAMPLES):
        i = sample * (n // SAMPLES)
        group = int(re.search(r'group[ :=](\d+)', switch.proxy.appctl(
            'service/show', 'default/s%d' % i))[1])
        for hosts in range(2, ENDPOINTS + 1), range(1, ENDPOINTS + 1):
            time.sleep(0.05)
            groups.seen.pop(group, None)
            cluster.replace(endpoint_slice(i, hosts))
            answered = time.monotonic()
            wait_until(lambda g=group: g in groups.seen, 'the bucket changes')
            times.append(1000 * (groups.seen[group] - answered))
    groups.close()
    return summary(times)


def sustained(build, at_once, folder):
    """Flow modifications a second, and the seconds that they took."""
    switch = Switch(build, folder)
    ctl = folder + '/of-sync.ctl'

    def tool(*args):
        return switch.run('ovs-appctl', '-t', ctl, *args)

    driver = Daemon([build + '/tests/kube/of-sync-bench', '-vconsole:off',
                     '--unixctl=' + ctl, 'unix:' + switch.mgmt],
                    folder + '/of-sync.out', env=switch.env)
    try:
        wait_until(lambda: os.path.exists(ctl), 'of-sync-bench runs')
        tool('complete')
        tool('settle')
        start = time.monotonic()
        while time.monotonic() < start + SUSTAINED_S:
            tool('churn', '20000', str(at_once))
        tool('settle')
        seconds = time.monotonic() - start
        sent = sum(int(count) for count in re.findall(
            r'^of_sync_tool_changes_total\{.*\} (\d+)', tool('metrics'),
            re.M))
        return sent / seconds, seconds
    finally:
        driver.kill()
        switch.end_daemons()


def many_changes(writers, n, proxy, host):
    """Changes a second that writers made, each of which replaces an endpoint
    by one on 'host', and the seconds from the last one until the switch had
    all."""
    count = min(CHANGES, n)
    before = proxy.changes()
    start = time.monotonic()
    writers.all(lambda c, i: c.replace(endpoint_slice(
        i, list(range(2, ENDPOINTS + 1)) + [host])), range(count))
    written = time.monotonic()
    wait_until(lambda: proxy.changes() >= before + count
               and '0 to be changed, 0 under way' in
               proxy.appctl('sync/status'), 'all is changed', 300)
    return count / (written - start), time.monotonic() - written


def measure(build, sizes, folder):
    bin_dir = subprocess.run([os.path.join(HERE, '..', 'kube', 'build')],
                             stdout=subprocess.PIPE, text=True,
                             check=True).stdout.strip()
    cluster = Cluster(bin_dir, folder)
    first, changed = [], []
    switch = None
    try:
        cluster.start()
        writers = Writers(cluster, 4)
        cluster.create({'apiVersion': 'v1', 'kind': 'Node',
                        'metadata': {'name': 'n1'}})
        done = 0
        for n in sizes:
            print('%s: writing %d Services' % (time.ctime(), n - done),
                  file=sys.stderr, flush=True)
            writers.all(lambda c, i: c.create(service(i)), range(done, n))
            writers.all(lambda c, i: c.create(endpoint_slice(
                i, range(1, ENDPOINTS + 1))), range(done, n))
            done = n
            switch = Switch(build, '%s/switch-%d' % (folder, n))
            proxy = switch.proxy = first_sync(build, cluster, n, switch,
                                              first)
            median, worst = one_change(cluster, n, switch)
            bucket, slowest = one_of_ten(cluster, n, switch)
            rate, behind = many_changes(writers, n, proxy,
                                        20 + len(changed))
            changed.append('| %d | %.1f | %.1f | %.1f | %.1f | %.0f | %.2f |'
                           % (n, median, worst, bucket, slowest, rate,
                              behind))
            proxy.daemon.stop()
            switch.end_daemons()
            switch = None
    finally:
        if switch:
            switch.proxy.daemon.kill()
            switch.end_daemons()
        cluster.stop()
    alone = [sustained(build, n, '%s/sustained-%d' % (folder, n))
             for n in AT_ONCE]
    print('| Services | sync | seconds | CPU, s | RSS, its highest, MB '
          '| switch: CPU, s | RSS, MB | changes sent | a second |')
    print('|---|---|---|---|---|---|---|---|---|')
    print('\n'.join(first))
    print()
    print('| Services | the first endpoint: median, ms | 95 % | one of ten: '
          'median, ms | 95 % | many: changes/s written | seconds behind |')
    print('|---|---|---|---|---|---|---|')
    print('\n'.join(changed))
    print()
    print('| flows that change at once | flow modifications a second | for |')
    print('|---|---|---|')
    for n, (rate, seconds) in zip(AT_ONCE, alone):
        print('| %d | %.0f | %.0f s |' % (n, rate, seconds))


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    if 'BENCH_KUBE_INSIDE' not in os.environ:
        os.environ['BENCH_KUBE_INSIDE'] = '1'
        os.execvp('unshare', ['unshare', '--net', 'sh', '-c',
                              'ip link set lo up && exec "$@"', 'sh',
                              sys.executable] + sys.argv)
    sizes = [int(n) for n in sys.argv[2:]] or [100, 1000, 10000]
    with tempfile.TemporaryDirectory(prefix='bench-kube-') as folder:
        measure(os.path.abspath(sys.argv[1]), sorted(sizes), folder)


main()
