# SPDX-License-Identifier: Apache-2.0

"""Kubernetes' own end-to-end tests of the network, in our cluster."""

import collections
import json
import os
import re
import subprocess

import coredns

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = os.path.join(HERE, "e2e-left-out")
# The tests of the group of Kubernetes that is for networks.
GROUP = "[sig-network]"
CONFORMANCE = "[Conformance]"
# They mostly wait.
PROCESSES = 6


def read_left_out():
    """Pairs (reason, pattern) of e2e-left-out: a line without indentation is
    the reason for the names that follow it, where "*" is any text."""
    pairs = []
    reason = None
    with open(LEFT_OUT) as stream:
        for line in stream:
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith(" "):
                pairs.append((reason, line.strip()))
            else:
                reason = line.strip()
    return pairs


def as_regex(pattern):
    """For Go and Python alike."""
    return ".*".join(re.sub(r"([][().+?^${}|\\])", r"\\\1", part)
                     for part in pattern.split("*"))


class Suite:
    """The test binary.  'programs' is the folder of tests/kube/build, 'folder'
    gets the logs."""

    def __init__(self, programs, folder):
        self.bin = programs
        self.dir = folder

    def program(self, name):
        return os.path.join(self.bin, name)

    def list(self):
        """Names of all tests of the group."""
        text = subprocess.run(
            [self.program("e2e.test"), "--list-tests"], check=True, text=True,
            cwd=self.dir, stdout=subprocess.PIPE).stdout
        # Each name follows its place, "FILE:LINE: ".
        names = {line.partition(": ")[2] for line in text.splitlines()}
        return {name for name in names if name.startswith(GROUP)}

    def run(self, part, names, kubeconfig):
        """Runs tests of these names.  Returns their reports."""
        report = part + ".json"
        args = [self.program("ginkgo"), "--procs=%d" % PROCESSES,
                "--no-color", "--timeout=3h", "--flake-attempts=2",
                "--output-dir=" + self.dir, "--json-report=" + report]
        args += ["--focus=%s$" % as_regex(name) for name in sorted(names)]
        args += [self.program("e2e.test"), "--",
                 "--kubeconfig=" + kubeconfig, "--provider=skeleton",
                 "--num-nodes=2",
                 "--kubectl-path=" + self.program("kubectl"),
                 "--dns-domain=" + coredns.DOMAIN,
                 "--e2e-output-dir=" + self.dir]
        with open(os.path.join(self.dir, part + ".log"), "wb") as log:
            subprocess.run(args, cwd=self.dir, stdin=subprocess.DEVNULL,
                           stdout=log, stderr=subprocess.STDOUT, check=False)
        with open(os.path.join(self.dir, report)) as stream:
            reports = json.load(stream)[0]["SpecReports"] or []
        return [r for r in reports if r["LeafNodeType"] == "It"]


def left_out(tests):
    """Names of the tests that are left out, each with its reason.  Each
    pattern must be of some use."""
    reasons = {}
    for reason, pattern in read_left_out():
        regex = re.compile(as_regex(pattern))
        names = {name for name in tests - reasons.keys()
                 if regex.fullmatch(name.strip())}
        assert names, "e2e-left-out: no other test is called " + pattern
        reasons.update((name, reason) for name in names)
    return reasons


def name_of(report):
    texts = report["ContainerHierarchyTexts"] or []
    return " ".join(texts + [report["LeafNodeText"]])


def show(name, reports):
    """Prints how a test went.  Returns whether it passed."""
    if not reports:
        print("FAILED  %s\n    It has not run." % name)
        return False
    report = reports[-1]
    seconds = report["RunTime"] / 1e9
    if report["State"] == "passed":
        attempt = ", second attempt" if report["NumAttempts"] > 1 else ""
        print("ok      %s (%.1f s%s)" % (name, seconds, attempt))
        return True
    print("FAILED  %s (%.1f s)" % (name, seconds))
    if report["State"] == "skipped":
        print("    It skips itself: name it in e2e-left-out.")
    print("    " + report.get("Failure", {}).get("Message", report["State"])
          .strip().replace("\n", "\n    "), flush=True)
    return False


def run(lab, regexes):
    """Runs all tests that are not left out, or those of them that one of
    'regexes' matches.  Returns numbers of tests that passed, failed, and were
    left out."""
    coredns.start(lab)
    suite = Suite(lab.control.bin, lab.dir)
    config = lab.control.client("e2e", "/O=system:masters/CN=e2e")
    tests = suite.list()
    reasons = left_out(tests)
    if regexes:
        tests = {t for t in tests if any(re.search(r, t) for r in regexes)}
    wanted = tests - reasons.keys()
    passed = 0
    # Conformance first: every cluster has to pass it.
    for part, conformance in ("conformance", True), ("others", False):
        names = {n for n in wanted if (CONFORMANCE in n) == conformance}
        if not names:
            continue
        reports = suite.run(part, names, config)
        for name in sorted(names):
            passed += show(name, [r for r in reports if name_of(r) == name])
    left = collections.Counter(reasons[name] for name in tests - wanted)
    for reason, number in left.items():
        print("left out: %d. %s" % (number, reason))
    return passed, len(wanted) - passed, len(tests - wanted)
