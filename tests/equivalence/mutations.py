#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Breaks rules of the fused flow cache, one at a time, and tells whether
fuse-equivalence finds it.  A broken rule that is not found is a missing
test."""

import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def read_table(name):
    """Returns (name, file, lines out, lines in) of each block of a file."""
    with open(name, encoding="utf-8") as f:
        blocks = re.split(r"\n\n+", re.sub(r"(?m)^#.*\n", "", f.read()))
    for block in blocks:
        lines = block.strip("\n").split("\n")
        if len(lines) > 2:
            yield (lines[0], lines[1],
                   [x[1:] for x in lines[2:] if x.startswith("-")],
                   [x[1:] for x in lines[2:] if x.startswith("+")])


def mutate(path, out, put_in, to):
    """Writes the file 'path', changed, to below the folder 'to'."""
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = f.read()
    old = "".join(line + "\n" for line in out)
    if text.count(old) != 1:
        sys.exit(f"{path}: {text.count(old)} times, not once:\n{old}")
    name = os.path.join(to, path)
    os.makedirs(os.path.dirname(name))
    with open(name, "w", encoding="utf-8") as f:
        f.write(text.replace(old, "".join(line + "\n" for line in put_in)))


def sources_of(path):
    """Returns the C files that the file 'path' is part of."""
    if path.endswith(".c"):
        return [path]
    folder = os.path.dirname(path)
    found = []
    for name in sorted(os.listdir(os.path.join(TOP, folder))):
        if name.endswith(".c"):
            with open(os.path.join(TOP, folder, name), encoding="utf-8") as f:
                if f'#include "{path}"' in f.read():
                    found.append(f"{folder}/{name}")
    return found


def build(options, path, folder):
    """Builds the program with what is in 'folder'.  Returns its name."""
    objects = []
    for source in sources_of(path):
        name = os.path.join(folder, source)
        if not os.path.exists(name):
            name = os.path.join(TOP, source)
        objects.append(os.path.join(folder,
                                    os.path.basename(source) + ".o"))
        subprocess.run(f"{options.compile} -w -iquote {folder} -c {name} "
                       f"-o {objects[-1]}", shell=True, check=True)
    program = os.path.join(folder, "mutant")
    # An object that is named comes before the same one of a library.
    subprocess.run(options.link.replace("OUTPUT", program)
                   .replace("OBJECTS", " ".join(objects)),
                   shell=True, check=True, stdout=subprocess.DEVNULL)
    return program


def run(options, program):
    """Returns what 'program' found, or None."""
    try:
        done = subprocess.run(
            [program, "--corpus", os.path.join(HERE, "corpus"),
             "--count", str(options.count)], timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    found = re.search(r"seed (\d+): (a difference|aborted)", done.stdout)
    if found:
        return f"seed {found[1]}"
    return None if done.returncode == 0 else "exit status " + str(
        done.returncode)


def main():
    """Runs the table, or what of it has a word in its name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compile", required=True,
                        help="command that compiles")
    parser.add_argument("--link", required=True,
                        help="command that links OBJECTS into OUTPUT")
    parser.add_argument("--count", type=int, default=3000,
                        help="how many seeds each gets")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    n_found = n_missed = 0
    for name, path, out, put_in in read_table(
            os.path.join(HERE, "mutations.txt")):
        if options.word not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            mutate(path, out, put_in, folder)
            result = run(options, build(options, path, folder))
        print(f"{name}: {result or 'NOT FOUND'}", flush=True)
        n_found += result is not None
        n_missed += result is None
    print(f"mutations: {n_found} passed, {n_missed} failed, 0 skipped")
    return n_missed > 0


if __name__ == "__main__":
    sys.exit(main())
