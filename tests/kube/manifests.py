# SPDX-License-Identifier: Apache-2.0

"""utilities/kubernetes, as an administrator applies it."""

import json
import os
import subprocess

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__),
                                    "../../utilities/kubernetes"))


class Kubectl:
    """kubectl of 'folder', with a 'kubeconfig'."""

    def __init__(self, folder, kubeconfig):
        self.folder = folder
        self.kubeconfig = kubeconfig

    def run(self, *args):
        return subprocess.run(
            [os.path.join(self.folder, "kubectl"),
             "--kubeconfig=" + self.kubeconfig, *args],
            check=True, text=True, stdout=subprocess.PIPE,
            # For its cache.
            env=dict(os.environ, HOME=os.path.dirname(self.kubeconfig)))

    def apply(self, folder, *args):
        """The objects as the API server takes them: it checks each key."""
        return json.loads(self.run(
            "apply", "--server-side", "--validate=strict", "--output=json",
            # Another test may have made an object.
            "--force-conflicts", "-k", folder, *args).stdout)["items"]

    def delete(self, folder):
        self.run("delete", "-k", folder)


def write_overlay(folder, image, values, components=(), patches=()):
    """Makes 'folder' one with values of node.env.  'image' is a pair, its name
    and tag."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "kustomization.yaml"), "w") as stream:
        json.dump({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(TREE, folder)],
            "components": [os.path.relpath(os.path.join(TREE, part), folder)
                           for part in components],
            "configMapGenerator": [{
                "name": "ovs-ext-node", "namespace": "kube-system",
                "behavior": "merge",
                "literals": ["%s=%s" % pair for pair in values.items()]}],
            "images": [{"name": "openvswitch-ext", "newName": image[0],
                        "newTag": image[1]}],
            "patches": [{"patch": json.dumps(patch)} for patch in patches],
        }, stream)
    return folder
