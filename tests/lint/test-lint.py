#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each part of build-aux/lint finds its faults in a made-up project, and none
in one that is right."""

import os
import shutil
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SPDX = '# SPDX-License-Identifier: Apache-2.0\n'

# For each part: a file, its text, and what the part says of it.
FAULTS = [
    ('layers', 'lib/lb/a.c', '#include "util.h"\n',
     'lib/lb/a.c:1: lib/lb may not use openvswitch'),
    ('checkpatch', 'lib/lb/a.c', 'int\na(void)\n{\n    if(1) {\n    }\n}\n',
     'lib/lb/a.c:4: Improper whitespace around control block'),
    ('links', 'a.md', 'See [b](b.md).\n', 'a.md:1: no file b.md'),
    ('links', 'a.md', '# B c\n\n[d](#b-d)\n', 'a.md:3: no heading #b-d'),
    ('links', 'a.c', '/* ' + 'Documentation/' + 'a.md */\n',
     'a.c:1: no file Documentation'),
    ('shellcheck', 'a.sh', '#!/bin/sh\necho $1\n', 'a.sh:2:6: note: Double'),
    ('shellcheck', 'run', '#!/bin/bash\n. ./b.sh\n', 'run:2:3: note: Not'),
    ('pyflakes', 'a.py', 'import os\n', "a.py:1:1: 'os' imported but unused"),
    ('pyflakes', 'run', '#!/usr/bin/env python3\na()\n',
     "run:2:1: undefined name 'a'"),
    ('pycodestyle', 'a.py', 'a = [1,2]\n', 'a.py:1:7: E231'),
    ('codespell', 'a.md', 'This is mis' + 'pelt, and te' + 'h end.\n',
     'a.md:1: te' + 'h ==> the'),
    ('editorconfig', 'a.c', 'int a;\n' + 'x' * 40 + ' ' + 'x' * 40 + '\n',
     'a.c:2: 81 columns, 79 allowed'),
    ('editorconfig', 'run', '#!/bin/sh\necho ' + 'x' * 80 + '\n',
     'run:2: 85 columns, 79 allowed'),
    ('editorconfig', 'a.h', '\tint a;\n', 'a.h:1: indented by a tab'),
    ('editorconfig', 'a.md', 'a \n', 'a.md:1: blank at the end'),
    ('editorconfig', 'a.md', 'a\r\n', 'a.md:1: carriage return'),
    ('editorconfig', 'a.md', 'a', 'a.md:1: no newline at the end'),
    ('licence', 'a.c', 'int a;\n', 'a.c:1: no line "SPDX'),
    ('programs', 'a.sh', SPDX, 'a.sh:1: executable without "#!"'),
    ('programs', 'a.md', '#!/bin/sh\n', 'a.md:1: not executable'),
    ('programs', 'run', '#!/usr/bin/python3\n', 'run:1: not "#!/usr/bin/env'),
    ('programs', 'b.sh', '#!/bin/sh\n', 'b.sh:1: not the extension'),
    ('programs', 'b', '#!/usr/bin/env python3\n', 'b:1: not the extension'),
    ('release', 'NEWS', '0.0.9 - yesterday\n', 'NEWS:1: the newest release'),
    ('release', 'AUTHORS', 'Nobody\n', 'AUTHORS:1: no A U Thor'),
    ('release', 'a.yaml', 'image: openvswitch-ext:0.0.9\n', 'a.yaml:1: image'),
    ('dist', 'lib/lb/b.h', '', 'lib/lb/b.h:1: no automake.mk names it'),
    ('help', 'a.mk', '.PHONY: b c\n#: b  it\n', 'a.mk:1: no line "#: c'),
    ('help', 'a.mk', '#: d  it\n', 'a.mk:1: there is no target d'),
    ('self', 'tests/lint/test-a.py', 'raise SystemExit("no")\n', 'no'),
]

# Files without faults.
RIGHT = {
    'NEWS': 'All releases.\n\n0.1.0 - now\n',
    'AUTHORS': 'A U Thor\n',
    'configure.ac': SPDX + 'AC_INIT([a], [0.1.0])\n',
    'a.mk': SPDX + '#: b  what it does\n.PHONY: b clean-b\nb:\n\t:\n'
            'EXTRA_DIST = NEWS AUTHORS a a.md a.mk lib/lb/a.c \\\n'
            '\tlib/lb/b.c tests/lint/test-a.py build-aux/layers \\\n'
            '\tbuild-aux/codespell-words\n',
    'lib/lb/a.c': '/* SPDX-License-Identifier: Apache-2.0 */\n',
    'lib/lb/b.c': '/* SPDX-License-Identifier: Apache-2.0 */\n\n'
                  '#include <stdlib.h>\n\nvoid\nb(void)\n{\n'
                  '    free(malloc(1));   /* https://a.test */\n}\n',
    'a.md': '| ' + 'x ' * 100 + '|\nhttps://' + 'x' * 200 + '\n',
    'a': '#!/bin/sh\n' + SPDX + 'echo a\n',
    'tests/lint/test-a.py': '#!/usr/bin/env python3\n' + SPDX,
}


class Lint(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.top = tmp.name
        for name in ('.editorconfig', 'build-aux/layers',
                     'build-aux/codespell-words'):
            self.write(name, '')
            shutil.copy(os.path.join(TOP, name),
                        os.path.join(self.top, name))
        with open(os.path.join(self.top, 'build-aux/layers')) as f:
            self.write('build-aux/layers', ''.join(
                line for line in f if not line.startswith('circle')))
        self.git('init', '-q')
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'empty')
        for name, text in RIGHT.items():
            self.write(name, text)
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'right')

    def git(self, *args):
        subprocess.run(['git', '-c', 'user.name=A U Thor',
                        '-c', 'user.email=a@a.test'] + list(args),
                       cwd=self.top, check=True)

    def write(self, name, text):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', newline='') as f:
            f.write(text)
        if name == 'a' or name.endswith(('.sh', '.py', 'run')):
            os.chmod(path, 0o755)

    def lint(self, *parts):
        """Returns the exit status and the output."""
        command = [os.path.join(TOP, 'build-aux', 'lint'), '--top', self.top]
        if os.environ.get('LINT_SOURCE'):
            command += ['--source', os.environ['LINT_SOURCE']]
        env = dict(os.environ, LINT_BASE='')
        run = subprocess.run(command + list(parts), env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             universal_newlines=True)
        return run.returncode, run.stdout

    def test_right(self):
        status, output = self.lint()
        self.assertEqual(status, 0, output)
        self.assertNotIn('FAILED', output)

    def test_faults(self):
        for part, name, text, expected in FAULTS:
            with self.subTest(part=part, name=name):
                if part == 'checkpatch' and not os.environ.get('LINT_SOURCE'):
                    self.skipTest('no source of Open vSwitch')
                old = RIGHT.get(name)
                self.write(name, text)
                status, output = self.lint(part)
                self.assertIn(expected, output)
                self.assertRegex(output, 'FAILED +' + part)
                self.assertEqual(status, 1)
                if old is None:
                    os.unlink(os.path.join(self.top, name))
                else:
                    self.write(name, old)

    def test_all_parts_have_faults(self):
        parts = {line.split()[1] for line in self.lint()[1].splitlines()
                 if line.startswith(('ok', 'FAILED', 'skipped'))}
        self.assertEqual(parts, {fault[0] for fault in FAULTS})

    def test_last_commit_and_base(self):
        if not os.environ.get('LINT_SOURCE'):
            self.skipTest('no source of Open vSwitch')
        self.write('lib/lb/c.c', 'int a;\t\nint\nc(void)\n{\n    if(1) {\n'
                                 '    }\n}\n')
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'wrong')
        self.assertEqual(self.lint('checkpatch')[0], 1)
        self.git('commit', '-q', '--allow-empty', '-m', 'nothing')
        self.assertEqual(self.lint('checkpatch')[0], 0)
        self.assertEqual(self.lint('--base=HEAD~2', 'checkpatch')[0], 1)

    def test_no_checkout(self):
        shutil.rmtree(os.path.join(self.top, '.git'))
        self.assertEqual(self.lint()[0], 77)


if __name__ == '__main__':
    unittest.main()
