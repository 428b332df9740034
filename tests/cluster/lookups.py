#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks up a name again and again, by this system's resolver.

    lookups.py NAME ADDRESS...

Looks NAME up 50 ms after each answer, which has to be these ADDRESSes, until
standard input ends, but at most for 300 seconds.  Then prints a JSON object:
"answers" with the number of answers of each host name, and "faults", a list of
texts.
"""

import socket
import sys

from traffic import repeat


def main():
    name, expected = sys.argv[1], sorted(sys.argv[2:])

    def look_up():
        addresses = sorted(info[4][0] for info in socket.getaddrinfo(
            name, None, type=socket.SOCK_DGRAM))
        if addresses != expected:
            raise OSError("addresses %s" % addresses)
        return name

    repeat(look_up, 300)


if __name__ == "__main__":
    main()
