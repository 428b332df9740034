#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes packets for tests of the fused flow cache, as hexadecimal lines.

    fuse-packet.py KEY=VALUE...
        one packet: proto (tcp, udp, icmp, icmp-error), src, dst,
        sport, dport, flags (letters of FSRPAU), seq, ack, win, wscale, ttl,
        tos, id, df, vlan, len (of the payload), frag, options, badcsum,
        l4badcsum, nocsum, badlen, pad; payload, in hexadecimal instead of len.
        With tunnel (gtpu, vxlan, geneve), key, osrc, odst: the same in a
        tunnel, whose UDP checksum is there if ocsum is given, whose outer
        header is not right if obadcsum is, and which begins with octets head,
        if given
    fuse-packet.py random SEED N [KEY=VALUE...]
        N packets of a few flows, whose other fields vary
    fuse-packet.py tcp SEED N
        N packets of one TCP connection, after its handshake, that stays open:
        most are right, others late, repeated or forged
"""

import ipaddress
import random
import struct
import sys

PROTO = {'tcp': 6, 'udp': 17, 'icmp': 1, 'icmp-error': 1, 'sctp': 132}
TUNNEL_PORTS = {'gtpu': 2152, 'vxlan': 4789, 'geneve': 6081}
FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16, 'U': 32}


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def set16(data, offset, value):
    return data[:offset] + struct.pack('!H', value) + data[offset + 2:]


def l4(k, proto, src, dst):
    payload = bytes(i * 7 & 0xff for i in range(int(k.get('len', 26))))
    payload = bytes.fromhex(k['payload']) if 'payload' in k else payload
    sport, dport = int(k.get('sport', 1000)), int(k.get('dport', 80))
    kind = k.get('proto', 'udp')
    if kind == 'tcp':
        flags = sum(FLAGS[c] for c in k.get('flags', 'A'))
        options = b''
        if 'wscale' in k:
            options = struct.pack('!BBBB', 3, 3, int(k['wscale']), 1)
        data = struct.pack('!HHIIBBHHH', sport, dport,
                           int(k.get('seq', 1)) & 0xffffffff,
                           int(k.get('ack', 1)) & 0xffffffff,
                           0x50 + 4 * len(options), flags,
                           int(k.get('win', 1000)), 0, 0) + options + payload
        offset = 16
    elif kind == 'udp':
        data = struct.pack('!HHHH', sport, dport, 8 + len(payload), 0)
        data += payload
        offset = 6
    elif kind == 'sctp':
        return struct.pack('!HHII', sport, dport, 1, 0x1234567) + payload
    else:
        icmp = 3 if kind == 'icmp-error' else int(k.get('type', 8))
        data = struct.pack('!BBHHH', icmp, 0, 0, int(k.get('icmp_id', 1)),
                           int(k.get('seq', 1))) + payload
        offset = 2
    if 'nocsum' in k:
        return data
    pseudo = src + dst + struct.pack('!HH', proto, len(data))
    value = checksum(data if proto == 1 else pseudo + data)
    if not value and kind == 'udp':
        value = 0xffff
    return set16(data, offset, value ^ (0x5555 if 'l4badcsum' in k else 0))


def packet(k):
    src = ipaddress.ip_address(k.get('src', '10.0.0.1')).packed
    dst = ipaddress.ip_address(k.get('dst', '10.0.0.2')).packed
    proto = PROTO[k.get('proto', 'udp')]
    ttl, tos = int(k.get('ttl', 64)), int(k.get('tos', 0))
    data = l4(k, proto, src, dst)
    if len(src) == 16:
        ip = struct.pack('!IHBB', 6 << 28 | tos << 20, len(data), proto, ttl)
        ip += src + dst
        ethertype = 0x86dd
    else:
        options = b'\1\1\1\0' if 'options' in k else b''
        length = 20 + len(options) + len(data) + int(k.get('badlen', 0))
        frag = int(k.get('frag', 0)) | (0x4000 if 'df' in k else 0)
        ip = struct.pack('!BBHHHBBH', 0x45 + len(options) // 4, tos,
                         length & 0xffff,
                         int(k.get('id', 0)), frag, ttl, proto, 0)
        ip += src + dst + options
        value = checksum(ip) ^ (0x5555 if 'badcsum' in k else 0)
        ip = set16(ip, 10, value)
        ethertype = 0x0800
    eth = bytes.fromhex(k.get('dmac', '020000000001'))
    eth += bytes.fromhex(k.get('smac', '020000000002'))
    if 'vlan' in k:
        eth += struct.pack('!HH', 0x8100, int(k['vlan']))
    eth += struct.pack('!H', ethertype)
    return (eth + ip + data + b'\xee' * int(k.get('pad', 0))).hex()


def tunnel(k):
    """packet(k), in a tunnel."""
    kind, key = k['tunnel'], int(k.get('key', 5))
    inner = bytes.fromhex(packet(k))
    if kind == 'gtpu':
        inner = inner if 'ethernet' in k else inner[14:]
        head = struct.pack('!BBHI', 0x30, 255, len(inner), key)
    elif kind == 'vxlan':
        head = struct.pack('!II', 0x08000000, key << 8)
    else:
        head = struct.pack('!BBHI', 0, 0, 0x6558, key << 8)
    head = bytes.fromhex(k['head']) if 'head' in k else head
    outer = {'src': k.get('osrc', '1.1.2.92'),
             'dst': k.get('odst', '1.1.2.88'), 'sport': '40000',
             'dport': str(TUNNEL_PORTS[kind]), 'dmac': 'aa55aa550000',
             'smac': 'f8bc124434b6', 'payload': (head + inner).hex()}
    for name, outer_name in (('ocsum', None), ('obadcsum', 'badcsum'),
                             ('ottl', 'ttl'), ('ooptions', 'options')):
        if name in k and outer_name:
            outer[outer_name] = k[name]
    if 'ocsum' not in k:
        outer['nocsum'] = '1'
    return packet(outer)


def rarely(r, k, key, value='1'):
    if r.random() < 0.04:
        k[key] = value


def random_packet(r, common):
    """A packet of one of a few flows, with fields that vary."""
    kind = r.choice(['udp', 'udp', 'tcp', 'tcp', 'icmp', 'sctp'])
    n = r.randrange(4)
    k = {'proto': kind, 'src': '10.0.0.%d' % (n + 1),
         'sport': str(1000 + n), 'id': str(r.randrange(65536)),
         'len': str(r.choice([0, 1, 26, 100, 101, 500])),
         'seq': str(r.randrange(65536)), 'icmp_id': str(n)}
    if r.random() < 0.2 and kind != 'icmp':
        k.update(src='fc00::%d' % (n + 1), dst='fc00::ff')
    if r.random() < 0.2:
        k['vlan'] = str(r.choice([1, 2, 0x2001]))
    if r.random() < 0.1:
        k['ttl'] = str(r.choice([1, 2, 63, 255]))
    if r.random() < 0.1:
        k['tos'] = str(r.choice([1, 4, 184]))
    if kind == 'tcp':
        k['flags'] = r.choice(['A', 'A', 'A', 'PA', 'PA', 'UA', 'F', 'FA',
                               'RA', 'S', 'SA', 'P'])
    if r.random() < 0.3:
        k['df'] = '1'
    for key in ('options', 'badcsum', 'l4badcsum', 'nocsum'):
        rarely(r, k, key)
    rarely(r, k, 'frag', r.choice(['8192', '100']))
    rarely(r, k, 'badlen', r.choice(['-5', '7', '-300']))
    rarely(r, k, 'pad', r.choice(['1', '6', '18', '300']))
    k.update(common)
    return packet(k)


class Conversation:
    """Both sides of a TCP connection."""

    def __init__(self, r):
        self.r = r
        self.scale = [r.choice([0, 0, 2, 7, 14]) for _ in range(2)]
        # Numbers wrap soon.
        self.next = [2 ** 32 - r.randrange(200000) for _ in range(2)]
        # As the sender of the window sees it.
        self.edge = [0, 0]

    def packet(self, side, seq, ack, length, flags='A', win=None, **more):
        if win is None:
            win = self.r.choice([65535, 65535, 30000, 3000, 10])
        k = {'proto': 'tcp', 'flags': flags, 'seq': str(seq), 'ack': str(ack),
             'len': str(length), 'win': str(win)}
        if side:
            k.update(src='10.0.0.2', dst='10.0.0.1', sport='80', dport='1000')
        k.update(more)
        edge = ack + (win << (0 if 'wscale' in more else self.scale[side]))
        if ack <= self.next[1 - side]:
            self.edge[1 - side] = max(self.edge[1 - side], edge)
        return packet(k)

    def handshake(self):
        for side, flags in ((0, 'S'), (1, 'SA')):
            yield self.packet(side, self.next[side] - 1,
                              self.next[0] * side, 0, flags, 65535,
                              wscale=str(self.scale[side]))
        yield self.packet(0, self.next[0], self.next[1], 0, win=65535)

    def more(self):
        """The next packet of one side, or an odd one."""
        r, side = self.r, self.r.randrange(2)
        seq, ack = self.next[side], self.next[1 - side]
        length = r.choice([0, 1, 100, 1000, 1448])
        kind = r.randrange(20)
        if kind == 0:                                   # Repeated.
            return self.packet(side, seq - r.randrange(3000), ack, length)
        if kind == 1:                                   # Keepalive.
            return self.packet(side, seq - 1, ack, 1)
        if kind == 2:                                   # An old one.
            return self.packet(side, seq, ack - r.randrange(200000), 0)
        if kind == 3:                                   # Forged.
            flags = r.choice(['A', 'A', 'R', 'RA', 'FA'])
            far = seq + r.randrange(2 ** 30 + 2000000, 2 ** 31)
            if flags == 'A' and r.randrange(2):
                return self.packet(side, seq, far, length)
            return self.packet(side, far, ack, length, flags)
        if seq + length > self.edge[side]:
            length = 0
        if kind == 4 and length:                        # Ahead of another.
            self.next[side] += length + 10
            return self.packet(side, seq + 10, ack, length)
        self.next[side] += length
        return self.packet(side, seq, ack, length)


def main():
    args = sys.argv[1:]
    if args and args[0] == 'random':
        r = random.Random(int(args[1]))
        common = dict(a.split('=', 1) for a in args[3:])
        for _ in range(int(args[2])):
            print(random_packet(r, common))
    elif args and args[0] == 'tcp':
        conversation = Conversation(random.Random(int(args[1])))
        for line in conversation.handshake():
            print(line)
        for _ in range(int(args[2])):
            print(conversation.more())
    else:
        k = dict(a.split('=', 1) for a in args)
        print(tunnel(k) if 'tunnel' in k else packet(k))


if __name__ == '__main__':
    main()
