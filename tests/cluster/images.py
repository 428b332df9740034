# SPDX-License-Identifier: Apache-2.0

"""Images of static programs, as "ctr images import" takes them."""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = "images.test/pause:1"
AGNHOST = "images.test/agnhost:1"
COREDNS = "images.test/coredns:1"
# As Go calls them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


class Image:
    """An image in the making: the folder 'root' is the one of its
    containers."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".tar")
        self.root = os.path.join(folder, name)
        os.makedirs(self.in_root("/tmp"))
        os.chmod(self.in_root("/tmp"), 0o1777)

    def in_root(self, path):
        return self.root + path

    def copy(self, source, path):
        """Copies a file of this system."""
        os.makedirs(os.path.dirname(self.in_root(path)), exist_ok=True)
        shutil.copy(source, self.in_root(path))

    def write(self, names, entry, args=()):
        """Writes the image, to be called each of 'names'.  Its containers run
        'entry', with 'args' if they have none.  Returns its path."""
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            tar.add(self.root, ".")
        shutil.rmtree(self.root)
        machine = platform.machine()
        config = {
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Entrypoint": [entry], "Cmd": list(args),
                       "Env": ["PATH=/bin:/"]},
            "rootfs": {"type": "layers", "diff_ids": [
                "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]},
        }
        manifest = [{"Config": "config.json", "RepoTags": list(names),
                     "Layers": ["layer.tar"]}]
        with tarfile.open(self.path, "w") as tar:
            add(tar, "config.json", json.dumps(config).encode())
            add(tar, "manifest.json", json.dumps(manifest).encode())
            add(tar, "layer.tar", layer.getvalue())
        return self.path


def make_static(folder, program, *names):
    """Makes an image of one static program.  Returns its path."""
    name = os.path.basename(program)
    image = Image(folder, "image-" + name)
    image.copy(program, "/" + name)
    return image.write(names, "/" + name)


def make_pause(folder, *names):
    program = os.path.join(folder, "pause")
    subprocess.run(["cc", "-static", "-O2", "-s", "-Wall", "-o", program,
                    os.path.join(HERE, "pause.c")], check=True)
    return make_static(folder, program, PAUSE, *names)


def make_images(folder, programs, *pauses):
    """Makes the images of our pods in 'folder'.  'programs' is what
    tests/kube/build made, 'pauses' are more names for the one that the runtime
    needs.  Returns their paths."""
    return [make_pause(folder, *pauses)] + [
        make_static(folder, os.path.join(programs, program), name)
        for name, program in ((AGNHOST, "agnhost"), (COREDNS, "coredns"))]
