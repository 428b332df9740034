# SPDX-License-Identifier: Apache-2.0
"""Prints the commands of an example in the documentation.

    doc-example.py PAGE HEADING

They are the indented lines below the heading of that name, without their
indentation.  Fails if there are none.
"""

import sys

lines = []
inside = False
for line in open(sys.argv[1]):
    if line.startswith('#'):
        inside = line.strip('# \n') == sys.argv[2]
    elif inside and line.startswith('    '):
        lines.append(line[4:])
if not lines:
    sys.exit('%s: no example "%s"' % tuple(sys.argv[1:]))
print(''.join(lines), end='')
