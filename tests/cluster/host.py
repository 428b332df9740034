# SPDX-License-Identifier: Apache-2.0

"""What the cluster changes outside of its namespaces, and takes back."""

import errno
import glob
import os

from cluster import wait_until

# kubelet insists on its own values of these.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic",
           "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
           "kernel/keys/root_maxbytes")


def hierarchies():
    """The mounted hierarchies of control groups: one in version 2."""
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return ["/sys/fs/cgroup"]
    return [d for d in glob.glob("/sys/fs/cgroup/*")
            if os.path.ismount(d) and not os.path.islink(d)]


def is_removed(group):
    """Removes a control group, unless a process in it is about to end."""
    try:
        os.rmdir(group)
        return True
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False


class Host:
    """A context manager.  Its value is the name of a control group with one
    for each of 'nodes' below it, in all hierarchies."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.cgroup = "openvswitch-ext-cluster-%d" % os.getpid()
        self.sysctls = {}

    def __enter__(self):
        for name in SYSCTLS:
            with open("/proc/sys/" + name) as stream:
                self.sysctls[name] = stream.read()
        for hierarchy in hierarchies():
            for node in self.nodes:
                os.makedirs(os.path.join(hierarchy, self.cgroup, node))
        return self.cgroup

    def __exit__(self, *_):
        for hierarchy in hierarchies():
            for folder, _, _ in os.walk(os.path.join(hierarchy, self.cgroup),
                                        topdown=False):
                wait_until(lambda: is_removed(folder), folder + " is empty")
        for name, value in self.sysctls.items():
            with open("/proc/sys/" + name, "w") as stream:
                stream.write(value)
