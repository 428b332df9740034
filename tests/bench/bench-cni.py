#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how long ovs-ext-cni takes to attach a pod, beside the plugin
'bridge' of the package containernetworking-plugins.

    bench-cni.py BUILD [PODS]

BUILD is the build folder of the project; PODS, by default 200, how many pods
there are at the end of each round.  Needs root, for namespaces of its own.
Both plugins have host-local give an IPv4 and an IPv6 address; the switch has
the userspace datapath.  Prints a table in Markdown: time of ADD, and of DEL,
from the start of the plugin to its end, one after the other and ten at once,
and the time of all of them together."""

import concurrent.futures
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cni'))
import world  # noqa: E402

AT_ONCE = (1, 10)


class Plugin:
    """A plugin with its configuration."""

    def __init__(self, node, name, path):
        self.node = node
        self.name = name
        self.path = path
        self.config = node.config(
            type=name, name=name,
            ipam=dict(node.config()['ipam'],
                      dataDir=os.path.join(node.dir, name)))
        if name != 'ovs-ext-cni':
            del self.config['timeout']
            self.config['bridge'] = 'cnibr0'

    def call(self, command, pod):
        """Returns the plugin's time, in ms."""
        self.node.plugin = self.path
        start = time.monotonic()
        self.node.call(command, pod, self.config)
        return (time.monotonic() - start) * 1000


def quantile(times, share):
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def measure(plugin, command, pods, at_once):
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        times = list(pool.map(lambda pod: plugin.call(command, pod), pods))
    print('| %s | %s | %d | %.1f | %.1f | %.1f |' % (
        plugin.name, command, at_once, statistics.median(times),
        quantile(times, .99), time.monotonic() - start), flush=True)


def run(node, n):
    print('| plugin | command | at once | median, ms | 99 %, ms | all, s |\n'
          '|---|---|---|---|---|---|')
    paths = {'ovs-ext-cni': node.plugin,
             'bridge': os.path.join(world.PLUGINS, 'bridge')}
    for at_once in AT_ONCE:
        for name, path in paths.items():
            plugin = Plugin(node, name, path)
            pods = [node.pod() for _ in range(n)]
            for command in 'ADD', 'DEL':
                measure(plugin, command, pods, at_once)
            node.clear()


def main():
    args = sys.argv[1:]
    if not args or args[0].startswith('-'):
        sys.exit(__doc__)
    if os.environ.get('CNI_TEST_NETNS') != str(os.getppid()):
        return subprocess.run(
            world.UNSHARE + [sys.executable, os.path.abspath(__file__),
                             os.path.abspath(args[0])] + args[1:]).returncode
    with tempfile.TemporaryDirectory(prefix='cni-bench.') as folder:
        node = world.World(args[0], folder)
        try:
            node.switch.start()
            run(node, int(args[1]) if len(args) > 1 else 200)
        finally:
            node.clear()
            node.switch.stop()
    return 0


if __name__ == '__main__':
    sys.exit(main())
