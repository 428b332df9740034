# SPDX-License-Identifier: Apache-2.0

"""Images of one static program each, as "ctr images import" takes them."""

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = "images.test/pause:1"
AGNHOST = "images.test/agnhost:1"
COREDNS = "images.test/coredns:1"
# As Go calls them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def add(tar, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = mode
    tar.addfile(info, io.BytesIO(data))


def make_image(path, name, program):
    """Writes an image 'name' whose entry point is 'program' to 'path'."""
    entry = os.path.basename(program)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        directory = tarfile.TarInfo("tmp")
        directory.type = tarfile.DIRTYPE
        directory.mode = 0o1777
        tar.addfile(directory)
        with open(program, "rb") as stream:
            add(tar, entry, stream.read(), 0o755)
    machine = platform.machine()
    config = {
        "architecture": ARCHITECTURES.get(machine, machine), "os": "linux",
        "config": {"Entrypoint": ["/" + entry], "Env": ["PATH=/"]},
        "rootfs": {"type": "layers", "diff_ids": [
            "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name],
                 "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        add(tar, "config.json", json.dumps(config).encode())
        add(tar, "manifest.json", json.dumps(manifest).encode())
        add(tar, "layer.tar", layer.getvalue())
    return path


def make_images(folder, programs):
    """Makes the images of all pods in 'folder'.  'programs' is what
    tests/kube/build made.  Returns their paths."""
    pause = os.path.join(folder, "pause")
    subprocess.run(["cc", "-static", "-O2", "-s", "-Wall", "-o", pause,
                    os.path.join(HERE, "pause.c")], check=True)
    return [make_image(os.path.join(folder, "pause.tar"), PAUSE, pause)] + [
        make_image(os.path.join(folder, program + ".tar"), name,
                   os.path.join(programs, program))
        for name, program in ((AGNHOST, "agnhost"), (COREDNS, "coredns"))]
