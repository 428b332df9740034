# SPDX-License-Identifier: Apache-2.0
"""Commands in the documentation: prints them for tests, and checks that tests
run them.

    doc-example.py PAGE HEADING     the commands below the heading of that name
    doc-example.py PAGE             all commands of the page that can run in a
                                    test: those that nothing marks
    doc-example.py check SOURCE     every command of the pages of folder SOURCE
                                    is run by a test or says why not

Commands are code blocks with the language "sh".  In the line above, a block
may have "<!-- not run: REASON -->", or "<!-- tested by: FILE: TEXT -->", where
a FILE below SOURCE/tests must have TEXT in it.  All others must be of a page
that documentation.at names.  What make is asked for must be a target.  Code
that is written in another way has no language, and is refused.

What is printed for a page has "doc_block LINE" before each block, a function
that the test defines.
"""

import glob
import os
import re
import sys

LANGUAGES = ("sh", "text", "diff", "python")


class Block:
    """A code block: its language, its lines' text, and where it is."""

    def __init__(self, line, heading, language, mark):
        self.line = line
        self.heading = heading
        self.language = language
        self.mark = mark
        self.text = ""


def blocks(path):
    """The code blocks of the page 'path'."""
    found, block, heading, mark, fence, indent = [], None, "", None, "", 0
    with open(path, encoding="utf-8") as page:
        for number, line in enumerate(page, 1):
            start = re.match(r"( *)(`{3,})(\w*)\s*$", line)
            if block and start and start[2] == fence and not start[3]:
                found.append(block)
                block = mark = None
            elif block:
                block.text += line[indent:] if line.strip() else "\n"
            elif start:
                indent, fence = len(start[1]), start[2]
                block = Block(number, heading, start[3], mark)
            elif line.startswith("#"):
                heading, mark = line.strip("# \n"), None
            elif line.strip():
                comment = re.match(r" *<!-- (.*) -->$", line.rstrip())
                mark = comment[1] if comment else None
                if re.match(r"    +(ovs-|make |ip )", line):
                    found.append(Block(number, heading, "", None))
    if block:
        sys.exit("%s:%d: a code block that does not end" % (path, block.line))
    return found


def show(path, heading=None):
    text = "".join(
        b.text if heading else "doc_block %d\n%s" % (b.line, b.text)
        for b in blocks(path) if b.language == "sh"
        and (b.heading == heading if heading else not b.mark))
    if not text:
        sys.exit('%s: no commands below "%s"' % (path, heading or "all"))
    print(text, end="")


def in_tests(source, name):
    """The path of file 'name' below the tests, or None."""
    return next(glob.iglob(os.path.join(source, "tests", "**", name),
                           recursive=True), None)


def make_targets(source):
    """The targets of 'make', by the rules of Open vSwitch's extension and by
    automake."""
    targets = {"install", "clean", "dist", "distcheck", "check", "all"}
    for path in [os.path.join(source, "Makefile.am")] + glob.glob(
            os.path.join(source, "**", "*.mk"), recursive=True):
        with open(path) as f:
            for names in re.findall(r"^([\w./ -]+):(?!=)", f.read(), re.M):
                targets |= set(names.split())
    return targets


def fault(block, covered, targets, source):
    """The reason why the block is at fault, or None."""
    if block.language not in LANGUAGES:
        return "code without a language, or with an unknown one"
    if block.language != "sh":
        return None
    for target in re.findall(r"^(?:.*&& )?make ([a-z][\w-]*)", block.text,
                             re.M):
        if target not in targets:
            return "no target of make: " + target
    kind, _, rest = (block.mark or "").partition(": ")
    if kind == "not run" and rest:
        return None
    if kind == "tested by":
        name, _, text = rest.partition(": ")
        path = in_tests(source, name)
        if not path:
            return "no file " + name
        with open(path) as f:
            if text not in f.read():
                return '"%s" is not in %s' % (text, name)
        return None
    return None if covered else "no test runs this"


def check(source):
    with open(in_tests(source, "documentation.at")) as f:
        named = set(re.findall(r"^DOC_PAGE\(\[([^],]*)\]", f.read(), re.M))
    targets = make_targets(source)
    pages = ["README.md"] + sorted(
        os.path.relpath(p, source) for p in glob.glob(
            os.path.join(source, "Documentation", "**", "*.md"),
            recursive=True))
    failed = False
    for page in sorted(named - set(pages)):
        failed = True
        print("documentation.at: no page " + page)
    for page in pages:
        for block in blocks(os.path.join(source, page)):
            why = fault(block, page in named, targets, source)
            if why:
                failed = True
                print("%s:%d: %s" % (page, block.line, why))
    return 1 if failed else 0


if len(sys.argv) == 3 and sys.argv[1] == "check":
    sys.exit(check(sys.argv[2]))
elif len(sys.argv) in (2, 3):
    show(*sys.argv[1:])
else:
    sys.exit(__doc__)
