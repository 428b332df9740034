# SPDX-License-Identifier: Apache-2.0

"""The plugin is killed while it works."""

import os
import random
import shutil

from nodes import wait_until
from tests_changes import Traffics, settle

HERE = os.path.dirname(os.path.abspath(__file__))
KILLS = 100
# About what ADD takes.
ADD_SECONDS = 0.1


class Killer:
    """Has the plugin of a node killed at random moments of ADD, while the
    context lasts."""

    def __init__(self, node):
        self.plugin = node.path("cni-bin/ovs-ext-cni")
        self.dir = node.path("killer")

    def __enter__(self):
        for name in "delays", "killed", "lost":
            os.makedirs(os.path.join(self.dir, name))
        for number in range(KILLS):
            name = "%.4f-%d" % (random.uniform(0, ADD_SECONDS), number)
            with open(os.path.join(self.dir, "delays", name), "w"):
                pass
        shutil.copy(os.path.join(HERE, "killer"), self.dir)
        os.symlink(os.readlink(self.plugin), os.path.join(self.dir, "real"))
        self.replace(os.path.join(self.dir, "killer"))
        return self

    def replace(self, target):
        os.symlink(target, self.plugin + ".new")
        os.rename(self.plugin + ".new", self.plugin)

    def count(self, what):
        return len(os.listdir(os.path.join(self.dir, what)))

    def __exit__(self, *_):
        self.replace(os.readlink(os.path.join(self.dir, "real")))
        shutil.rmtree(self.dir)


def test_plugin_killed(lab):
    """A hundred times, at random moments of ADD: the pods come nevertheless,
    and nothing is left of the attempts."""
    with Traffics(lab):
        with Killer(lab.n1) as killer:
            lab.server.scale(50)
            wait_until(lambda: killer.count("killed") + killer.count("lost")
                       == KILLS, "%d plugins are killed" % KILLS, 300)
            killed = killer.count("killed")
        print("        %d killed, %d ended before" % (killed, KILLS - killed))
        settle(lab, 50)
        lab.server.scale(4)
        settle(lab, 4)
