# SPDX-License-Identifier: Apache-2.0

"""kill -9 at any step, and many pods at once."""

import os
import random
import shutil
import statistics
import time

from world import Failure, wait_until


def usual_time(node, config):
    """Seconds of an ADD after the plugin has its input, the median of a
    few."""
    times = []
    for _ in range(9):
        pod = node.pod()
        process = node.popen(node.environment("ADD", pod), config)
        start = time.monotonic()
        node.result(process)
        times.append(time.monotonic() - start)
        node.call("DEL", pod, config)
    return statistics.median(times)


def kill(process, seconds):
    """Kills the plugin after that time.  Returns true if it still ran."""
    time.sleep(seconds)
    process.kill()
    for stream in process.stdout, process.stderr:
        stream.close()
    return process.wait() != 0


def step(node):
    """The link, port and leases that exist."""
    return bool(node.links()), bool(node.switch.ports()), bool(
        node.lease_files())


def test_killed(node):
    """A hundred ADDs that are killed at random.  Then DEL, ADD, or GC, and
    nothing is left."""
    config = node.config("1.1.0", runtimeConfig={"bandwidth": {
        "ingressRate": 8000000, "ingressBurst": 800000,
        "egressRate": 8000000, "egressBurst": 800000}})
    usual = usual_time(node, config)
    rng = random.Random(1)
    killed = 0
    steps = set()
    for i in range(100):
        pod = node.pod()
        process = node.popen(node.environment("ADD", pod), config)
        killed += kill(process, rng.uniform(0, usual))
        steps.add(step(node))
        if i % 3 == 0:
            node.call("ADD", pod, config)
        if i % 3 == 1:
            node.call("GC", config=dict(
                config, **{"cni.dev/valid-attachments": []}))
        else:
            node.call("DEL", pod, config)
        node.assert_clean()
        node.clear()
    # In the middle, at different places.
    assert killed > 50, killed
    assert len(steps) >= 3, steps


def test_killed_delete(node):
    """DEL that is killed at random, and repeated."""
    config = node.config()
    rng = random.Random(2)
    for _ in range(30):
        pod = node.pod()
        node.call("ADD", pod, config)
        kill(node.popen(node.environment("DEL", pod), config),
             rng.uniform(0, 0.02))
        node.call("DEL", pod, config)
        node.assert_clean()
        node.clear()


SLOW = """#!/bin/sh
test $CNI_COMMAND = ADD || { rm -f %(lease)s; exit 0; }
touch %(lease)s.begun
sleep 0.5
touch %(lease)s %(lease)s.ended
"""


def test_killed_before_ipam(node):
    """The IPAM plugin of a killed ADD works on.  DEL waits for it, and so
    returns its lease."""
    folder = os.path.join(node.dir, "plugins")
    os.mkdir(folder)
    lease = os.path.join(folder, "lease")
    path = os.path.join(folder, "slow")
    with open(path, "w") as stream:
        stream.write(SLOW % {"lease": lease})
    os.chmod(path, 0o755)
    config = node.config(ipam={"type": "slow"})
    pod = node.pod()
    process = node.popen(node.environment("ADD", pod, CNI_PATH=folder),
                         config)
    wait_until(lambda: os.path.exists(lease + ".begun"), "IPAM has begun")
    assert kill(process, 0)
    node.call("DEL", pod, config, CNI_PATH=folder)
    wait_until(lambda: os.path.exists(lease + ".ended"), "IPAM has ended")
    assert not os.path.exists(lease)
    shutil.rmtree(folder)
    node.assert_clean()


def test_side_by_side(node):
    """Twenty ADDs, and then DELs, at once."""
    config = node.config()
    pods = [node.pod() for _ in range(20)]
    started = [node.popen(node.environment("ADD", pod), config)
               for pod in pods]
    results = [node.result(process) for process in started]
    for n in range(2):
        assert len({r["ips"][n]["address"] for r in results}) == 20
    assert len(node.switch.ports()) == 20
    for pod, result in zip(pods, results):
        node.call("CHECK", pod, dict(config, prevResult=result))
    started = [node.popen(node.environment("DEL", pod), config)
               for pod in pods]
    for process in started:
        node.result(process)
    node.assert_clean()


def test_same_attachment(node):
    """ADD and DEL of one pod at once: one after the other."""
    config = node.config()
    pod = node.pod()
    for _ in range(10):
        started = [node.popen(node.environment(command, pod), config)
                   for command in ("ADD", "DEL", "ADD", "DEL")]
        for process in started:
            try:
                node.result(process)
            except Failure as failure:
                raise AssertionError("not one after the other") from failure
        node.call("DEL", pod, config)
        node.assert_clean()
