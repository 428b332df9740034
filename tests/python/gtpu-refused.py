#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a GTP-U tunnel must refuse, and what it must not, as packets.

    gtpu-refused.py frames [4|6]

prints a line "NAME REASON FRAME" for each: the name of a line in the table of
Documentation/reference/gtpu-input.md, the counter that it must be in, "ok"
if it must be taken, or "host" if it is left to the host, and an Ethernet frame
in hexadecimal.  They come from both families' peers, or the one that is named.

    gtpu-refused.py drops [4|6]

prints the counters, "REASON N", as they must be after all of them.

    gtpu-refused.py errors|dropped [4|6]

prints how many of them a port counts as rx_errors or as rx_dropped.

    gtpu-refused.py inner [4|6]

prints the inner packets that come out, in the same order.

    gtpu-refused.py send INTERFACE MAC SRC DST

sends the IPv4 ones from an interface to MAC, between those addresses, but for
fragments, with a good G-PDU of TEID 2 after each, and prints how many there
were of each kind: "bad N good N".

    gtpu-refused.py fragments INTERFACE MAC SRC DST

sends the IPv4 fragments, the first ones once more than the later ones, and a
good G-PDU after them."""

import collections
import importlib.machinery
import os
import socket
import struct
import sys

gtpu = importlib.machinery.SourceFileLoader(
    'gtpu_packet', os.path.join(os.path.dirname(__file__),
                                'gtpu-packet.py')).load_module()

INNER = {4: gtpu.make_inner('ipv4').hex(), 6: gtpu.make_inner('ipv6').hex()}
PSC = '01100900'

# Dropped without an error.
NOT_ERRORS = {'fragment', 'ext_required'}
# Their address and TEID cannot be believed: they belong to no port.
NO_PORT = {'ip_csum'}

# Name of the line, reason, and arguments of make_outer(): payload, then keys.
# "INNER" stands for an inner packet.
ROWS = [
    ('version', 'version', 'INNER', {'flags': '0x10'}),
    ('version', 'version', 'INNER', {'flags': '0x50'}),
    ('version', 'version', 'INNER', {'flags': '0xf0'}),
    ('pt', 'pt', 'INNER', {'flags': '0x20'}),
    ('truncated', 'opt_trunc', '', {'flags': '0x31'}),
    ('truncated', 'opt_trunc', '', {'flags': '0x32', 'opt': '12'}),
    ('truncated', 'opt_trunc', '', {'flags': '0x34', 'opt': '123456'}),
    ('truncated', 'opt_trunc', '', {'flags': '0x37'}),
    ('truncated', 'opt_trunc', 'INNER',
     {'flags': '0x32', 'opt': '00000000', 'len': '3'}),
    ('length-longer', 'length', 'INNER', {'len': '37'}),
    ('length-longer', 'length', 'INNER', {'len': '0xffff'}),
    ('length-shorter', 'inner_length', 'INNER', {'len': '35'}),
    ('length-shorter', 'ok', 'INNER', {'trail': 'deadbeef'}),
    ('ext-zero', 'ext_zero', 'INNER',
     {'flags': '0x34', 'opt': '00000085', 'ext': '00100900'}),
    ('ext-zero', 'ext_zero', 'INNER',
     {'flags': '0x34', 'opt': '00000085', 'ext': '01100901' '00000000'}),
    ('ext-past-end', 'ext_trunc', '', {'flags': '0x34', 'opt': '00000085'}),
    ('ext-past-end', 'ext_trunc', '',
     {'flags': '0x34', 'opt': '00000085', 'ext': '021009'}),
    ('ext-past-end', 'ext_trunc', '',
     {'flags': '0x34', 'opt': '00000085', 'ext': '01100985'}),
    ('ext-past-end', 'ext_trunc', 'INNER',
     {'flags': '0x34', 'opt': '00000001', 'ext': 'ff000000'}),
    ('ext-many', 'ext_count', 'INNER',
     {'flags': '0x34', 'opt': '00000001',
      'ext': '01000001' * 8 + '01000000'}),
    ('ext-many', 'ok', 'INNER',
     {'flags': '0x34', 'opt': '00000001',
      'ext': '01000001' * 7 + '01000000'}),
    ('ext-required', 'ext_required', 'INNER',
     {'flags': '0x34', 'opt': '000000c0', 'ext': '01000000'}),
    ('psc', 'psc_type', 'INNER',
     {'flags': '0x34', 'opt': '00000085', 'ext': '01f00900'}),
    ('psc', 'psc_trunc', 'INNER',
     {'flags': '0x34', 'opt': '00000085', 'ext': '01008900'}),
    ('psc', 'psc_dup', 'INNER',
     {'flags': '0x34', 'opt': '00000085', 'ext': '01100985' '01100900'}),
    ('next-without-e', 'ok', 'INNER', {'flags': '0x32', 'opt': '12340085'}),
    ('next-without-e', 'ok', 'INNER', {'flags': '0x31', 'opt': '000012c0'}),
    ('inner-version', 'inner_version', '55', {'ext': '55aa' * 20}),
    ('inner-version', 'inner_version', '', {'ext': '00' * 40}),
    ('inner-version', 'inner_version', '', {'ext': 'f5' + 'ff' * 39}),
    ('inner-tiny', 'inner_empty', '', {}),
    ('inner-tiny', 'inner_empty', '',
     {'flags': '0x34', 'opt': '00000085', 'ext': PSC}),
    ('inner-tiny', 'inner_trunc', '45', {}),
    ('inner-tiny', 'inner_trunc', '45' + '00' * 18, {}),
    ('inner-tiny', 'inner_trunc', '60' + '00' * 38, {}),
    ('inner-tiny', 'inner_length', '44' + '00' * 19, {}),
    ('inner-tiny', 'inner_length', '45000013' + '00' * 16, {}),
    ('inner-tiny', 'inner_length', '60000000ffff' + '00' * 34, {}),
    ('no-next', 'ok', 'INNER', {'flags': '0x34', 'opt': '00000000'}),
    ('spare-bit', 'ok', 'INNER', {'flags': '0x38'}),
    ('teid-0', 'ok', 'INNER', {'teid': '0'}),
    ('udp-length', 'udp_length', 'INNER', {'udplen': '7', 'csum': '0'}),
    ('udp-length', 'udp_length', 'INNER', {'udplen': '999', 'csum': '0'}),
    ('udp-length', 'short', 'INNER', {'udplen': '15', 'csum': '0'}),
    ('udp-length', 'short', 'INNER', {'udplen': '8', 'csum': '0'}),
    ('udp-csum', 'udp_csum', 'INNER', {'csum': 'wrong'}),
    ('padding', 'ok', 'INNER', {'pad': 'deadbeef' * 5}),
    ('fragment', 'fragment', 'INNER', {'frag': '0x2000'}),
    ('fragment', 'host', 'INNER', {'frag': '0x0001'}),
    ('fragment', 'host', 'INNER', {'frag': '0x2001'}),
]
ROWS_IPV4 = [
    ('ip-csum', 'ip_csum', 'INNER', {'ip_csum': 'wrong'}),
    ('ip-options', 'ok', 'INNER', {'ipopt': '01010101'}),
    ('ip-options', 'version', 'INNER', {'ipopt': '01' * 40, 'flags': '0'}),
]


def ipv6_fragment(frame, field):
    """Puts a fragment header into an Ethernet frame with IPv6; 'field' is that
    of IPv4."""
    offset, more = field & 0x1fff, field >> 13 & 1
    header = struct.pack('!BBHI', 17, 0, offset << 3 | more, 1)
    length = struct.unpack('!H', frame[18:20])[0] + len(header)
    return (frame[:18] + struct.pack('!HB', length, 44) + frame[21:54]
            + header + frame[54:])


def build(payload, keys, af, **more):
    keys = dict(keys, af=str(af), **more)
    field = int(keys.get('frag', '0x4000'), 0)
    ip_csum = keys.pop('ip_csum', None)
    if af == 6 and keys.get('csum') == '0':
        # UDP over IPv6 requires a checksum, but the length is checked first.
        pass
    frame = gtpu.make_outer(payload, **keys)
    if af == 6 and field & 0x3fff:
        frame = ipv6_fragment(frame, field)
    if ip_csum:
        frame = frame[:24] + bytes([frame[24] ^ 0x55]) + frame[25:]
    return frame


def table(families):
    """Yields (name, reason, payload of the G-PDU or None, frame)."""
    nested = gtpu.make_outer(INNER[4])[14:].hex()
    for af in families:
        for name, reason, payload, keys in ROWS + (ROWS_IPV4 if af == 4
                                                   else []):
            inners = INNER.values() if reason == 'ok' else [INNER[4]]
            for inner in inners:
                data = inner if payload == 'INNER' else payload
                yield name, reason, data, build(data, keys, af)
        yield 'gtpu-in-gtpu', 'ok', nested, build(nested, {}, af)


def send(interface, mac, src, dst):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    own = sock.getsockname()[4].hex()
    mac = bytes.fromhex(mac.replace(':', ''))
    outer = {'src': src, 'dst': dst, 'smac': own}
    bad = []
    for name, reason, payload, keys in ROWS + ROWS_IPV4:
        if reason not in ('ok', 'host', 'fragment'):
            data = INNER[4] if payload == 'INNER' else payload
            bad.append(build(data, keys, 4, **outer))
    good = mac + build(INNER[4], {'teid': '2'}, 4, **outer)[6:]
    for frame in bad:
        sock.send(mac + frame[6:])
        sock.send(good)
    print('bad %d good %d' % (len(bad), len(bad)))


def fragments(interface, mac, src, dst):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    outer = {'src': src, 'dst': dst, 'smac': sock.getsockname()[4].hex()}
    for field in '0x2000', '0x0001', '0x2001', '0x2000', '0x4000':
        frame = build(INNER[4], {'frag': field}, 4, **outer)
        sock.send(bytes.fromhex(mac.replace(':', '')) + frame[6:])


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == 'send':
        send(*args)
        return
    if command == 'fragments':
        fragments(*args)
        return
    rows = list(table([int(arg) for arg in args] or [4, 6]))
    drops = collections.Counter(
        reason for _, reason, _, _ in rows if reason not in ('ok', 'host'))
    if command == 'frames':
        for name, reason, _, frame in rows:
            print(name, reason, frame.hex())
    elif command == 'drops':
        for reason, n in sorted(drops.items()):
            print(reason, n)
    elif command == 'errors':
        print(sum(n for reason, n in drops.items()
                  if reason not in NOT_ERRORS | NO_PORT))
    elif command == 'dropped':
        print(sum(n for reason, n in drops.items() if reason in NOT_ERRORS))
    elif command == 'inner':
        for _, reason, inner, _ in rows:
            if reason == 'ok':
                print(inner)


if __name__ == '__main__':
    main()
