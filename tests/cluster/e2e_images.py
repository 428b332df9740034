# SPDX-License-Identifier: Apache-2.0

"""Images for Kubernetes' end-to-end tests, under the names that these use."""

import os
import re
import shutil
import subprocess

import images
from nodes import run

# Programs of this system that the tests start in pods, and their packages.
# Others are those of busybox.
PROGRAMS = {"busybox": "busybox-static", "curl": "curl",
            "dig": "bind9-dnsutils", "getent": "libc-bin",
            "nc": "netcat-openbsd", "nslookup": "bind9-dnsutils",
            "sh": "dash", "ss": "iproute2", "wget": "wget"}
# agnhost with these programs stands for each of them.
NAMES = ("agnhost", "busybox", "jessie-dnsutils", "nginx")
OUT_OF_ORDER = "regression-issue-74839"


def add_program(image, program):
    """Adds a program of this system, and its libraries."""
    path = shutil.which(program)
    image.copy(path, "/bin/" + program)
    # A static program has none.
    needed = run("ldd", path, check=False)
    for library in re.findall(r"(/\S+) \(0x", needed):
        image.copy(library, library)


def make_agnhost(folder, programs, names):
    """agnhost as the tests know it: with a shell, tools and CoreDNS."""
    image = images.Image(folder, "image-e2e")
    for name in "agnhost", "coredns":
        image.copy(os.path.join(programs, name), "/" + name)
    for name in PROGRAMS:
        add_program(image, name)
    for name in run("busybox", "--list").split():
        if name not in PROGRAMS:
            os.symlink("busybox", image.in_root("/bin/" + name))
    os.mkdir(image.in_root("/etc"))
    with open(image.in_root("/etc/nsswitch.conf"), "w") as stream:
        stream.write("hosts: files dns\n")
    os.mkdir(image.in_root("/uploads"))
    # What "agnhost porter" shows to clients.
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
        "-days", "2", "-subj", "/CN=localhost",
        "-keyout", image.in_root("/localhost.key"),
        "-out", image.in_root("/localhost.crt"))
    return image.write(names, "/agnhost", ["pause"])


def make_images(folder, programs):
    """Makes the images in 'folder'.  Returns their paths."""
    listed = subprocess.run(
        [os.path.join(programs, "e2e.test"), "--list-images"], check=True,
        text=True, cwd=folder, stdout=subprocess.PIPE).stdout.split()

    def called(*names):
        return [i for i in listed if i.split("/")[-1].split(":")[0] in names]

    return images.make_images(folder, programs, *called("pause")) + [
        make_agnhost(folder, programs, called(*NAMES)),
        images.make_static(folder, os.path.join(programs, OUT_OF_ORDER),
                           *called(OUT_OF_ORDER))]
