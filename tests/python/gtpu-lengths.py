#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the fields tun_metadata0 in the flows of a bridge, as they are on the
wire.

    gtpu-lengths.py SOCKET

One line for each: the number of octets and the octets in hexadecimal, by
OpenFlow 1.5.  They are found by their OXM header: a strict decoder of a
controller looks at the length there.
"""

import re
import struct
import sys

sys.dont_write_bytecode = True
import lb_wire  # noqa: E402

FLOW_DESC = 1
OXM = re.compile(rb'\x00\x01\x50(.)', re.DOTALL)    # NXM_1, 40, no mask.


def main():
    switch = lb_wire.Switch(sys.argv[1])
    body = struct.pack('!HH4xBxxxIIxxxxQQHH4x', FLOW_DESC, 0, 0xff,
                       0xffffffff, 0xffffffff, 0, 0, 1, 4)
    switch.send(lb_wire.message(lb_wire.MULTIPART_REQUEST, body, 7))
    reply = switch.receive(lb_wire.MULTIPART_REPLY, 7)
    for match in OXM.finditer(reply):
        n = match.group(1)[0]
        print(n, reply[match.end():match.end() + n].hex())


main()
