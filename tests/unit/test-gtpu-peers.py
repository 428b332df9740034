#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""The GTP-U codec against two others: scapy and Wireshark's tshark.

Usage: test-gtpu-peers.py [CODEC_TOOL]

CODEC_TOOL is tests/gtpu-codec-tool as built, by default the one in the
directory "tests" below the current one.  Exits with status 77 if scapy or
tshark is not there.

    what scapy builds  -> our parser says what scapy was asked to build
    what we build      -> scapy finds in it what we were asked to build
    both               -> tshark finds the same as our parser, and nothing
                          malformed or worth a warning

Where the peers differ from 3GPP TS 29.281 they are not asked: scapy 2.5 writes
two octets of length in an Extension Header Type List (figure 8.5-1 has one, as
has tshark) and one octet of enterprise number in a Private Extension (figure
8.6-1 has two, as has tshark).
"""

import ipaddress
import os
import random
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
N_RANDOM = 300
GTPU_PORT = 2152
# Display filter: what tshark holds against a packet.
COMPLAINT = '_ws.malformed or _ws.expert.severity >= "Warning"'

FIELDS = ['gtp.flags', 'gtp.message', 'gtp.length', 'gtp.teid',
          'gtp.seq_number', 'gtp.npdu_number', 'gtp.ext_hdr.length',
          'gtp.ext_hdr.pdu_ses_con.pdu_type',
          'gtp.ext_hdr.pdu_ses_con.qos_flow_id',
          'gtp.ext_hdr.pdu_ses_cont.rqi', 'gtp.ext_hdr.pdu_ses_cont.ppi',
          'gtp.ext_hdr.udp_port', 'gtp.recovery', 'gtp.teid_data',
          'gtp.gsn_ipv4', 'gtp.gsn_ipv6', 'gtp.ext_hdr_type', 'gtp.ext_id',
          'gtp.ext_val', 'ip.version']


def skip(missing):
    print('SKIP: %s is missing' % missing)
    sys.exit(SKIP)


try:
    import logging
    logging.getLogger('scapy.runtime').setLevel(logging.ERROR)
    from scapy.contrib import gtp
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether
    from scapy.packet import Raw
    from scapy.utils import wrpcap
except ImportError:
    skip('scapy (Debian: python3-scapy)')


class Codec:
    """Our codec, one process for all commands."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def command(self, *args):
        self.process.stdin.write(' '.join(map(str, args)) + '\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line.endswith('\n'), 'codec tool died on %s' % (args,)
        return line.strip()

    def parse(self, octets):
        words = self.command('parse', octets.hex()).split()
        return dict(word.split('=', 1) for word in words)

    def build(self, *args):
        return bytes.fromhex(self.command(*args))

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def expect(what, got, **expected):
    """Fails unless the dictionary 'got' has each value of 'expected', None
    meaning that it must not be there."""
    for key, value in expected.items():
        value = None if value is None else str(value)
        if got.get(key) != value:
            raise AssertionError('%s: %s is %s, should be %s, in %s'
                                 % (what, key, got.get(key), value, got))


def random_inner(rng):
    """Returns an IP packet that no dissector has anything to say about."""
    payload = UDP(sport=rng.randrange(40000, 50000), dport=9) \
        / Raw(bytes(rng.randrange(256) for _ in range(rng.randrange(40))))
    if rng.randrange(2):
        return IP(src='10.0.0.1', dst='10.0.0.2',
                  ttl=rng.randrange(1, 256)) / payload
    return IPv6(src='2001:db8::1', dst='fe80::%x' % rng.randrange(1, 65536),
                hlim=rng.randrange(1, 256)) / payload


def random_psc(rng, all_fields):
    """Returns the fields of a PDU Session Container in scapy's terms; with
    'all_fields' those that our builder has no use for, too."""
    psc = {'type': rng.randrange(2), 'QFI': rng.randrange(64)}
    if psc['type'] == 0:
        psc['RQI'] = rng.randrange(2)
        if rng.randrange(2):
            psc.update(PPP=1, PPI=rng.randrange(8))
    if all_fields:
        psc.update(QMP=rng.randrange(2), SNP=rng.randrange(2))
        if psc['type'] == 1:
            psc.update(dlDelayInd=rng.randrange(2),
                       ulDelayInd=rng.randrange(2),
                       N3N9DelayInd=rng.randrange(2))
    return psc


def psc_flags(psc):
    """Returns the flags that our parser reports for 'psc'."""
    flags = psc.get('QMP', 0) << 3
    if psc['type'] == 0:
        return flags | psc.get('SNP', 0) << 2
    return (flags | psc.get('dlDelayInd', 0) << 2
            | psc.get('ulDelayInd', 0) << 1 | psc.get('SNP', 0)
            | psc.get('N3N9DelayInd', 0) << 7)


def expect_psc(what, got, psc):
    expect(what, got, psc=psc['type'], qfi=psc['QFI'],
           rqi=psc.get('RQI', 0), ppi=psc.get('PPI'),
           psc_flags=psc_flags(psc))


def random_gpdu(rng):
    """Returns what a G-PDU's header is to have."""
    return {'teid': rng.randrange(1 << 32),
            'seq': rng.choice([None, rng.randrange(1 << 16)]),
            'npdu': rng.choice([None, rng.randrange(256)])}


def scapy_gpdus(codec, rng):
    """Has scapy build G-PDUs and our parser parse them."""
    packets = []
    for i in range(N_RANDOM):
        want = random_gpdu(rng)
        psc = random_psc(rng, True) if rng.randrange(4) else None
        inner = random_inner(rng)
        header = gtp.GTP_U_Header(
            teid=want['teid'], gtp_type=255, E=int(psc is not None),
            S=int(want['seq'] is not None), seq=want['seq'] or 0,
            PN=int(want['npdu'] is not None), npdu=want['npdu'] or 0)
        if psc is not None:
            header.next_ex = 0x85
            header /= gtp.GTPPDUSessionContainer(NextExtHdr=0, **psc)
        octets = bytes(header / inner)
        got = codec.parse(octets)
        what = 'scapy G-PDU %d %s' % (i, octets.hex())
        expect(what, got, error='ok', msg=255, trailing=0,
               payload_len=len(inner), inner_error='ok',
               inner='ipv4' if IP in inner else 'ipv6',
               n_exts=int(psc is not None), **want)
        if psc is not None:
            expect_psc(what, got, psc)
        packets.append(octets)
    return packets


def our_gpdus(codec, rng):
    """Builds G-PDUs and has scapy dissect them."""
    packets = []
    for i in range(N_RANDOM):
        want = random_gpdu(rng)
        psc = random_psc(rng, False) if rng.randrange(4) else None
        inner = bytes(random_inner(rng))
        args = ['%s=%d' % (key, value) for key, value in want.items()
                if value is not None]
        if psc is not None:
            names = {'type': 'psc', 'QFI': 'qfi', 'RQI': 'rqi', 'PPI': 'ppi'}
            args += ['%s=%d' % (names[key], value)
                     for key, value in psc.items() if key in names]
        octets = codec.build('header', len(inner), *args) + inner
        what = 'our G-PDU %d %s' % (i, octets.hex())

        header = gtp.GTP_U_Header(octets)
        got = {'teid': header.teid, 'length': header.length,
               'seq': header.seq if header.S else None,
               'npdu': header.npdu if header.PN else None}
        assert got == dict(want, length=len(octets) - 8), (what, got)
        if psc is not None:
            container = header[gtp.GTPPDUSessionContainer]
            for key, value in psc.items():
                assert getattr(container, key) == value, (what, key)
        assert gtp.GTPPDUSessionContainer in header or psc is None, what
        layer = header.getlayer(IP) or header.getlayer(IPv6)
        assert layer is not None and bytes(layer) == inner, what
        packets.append(octets)
    return packets


def scapy_signalling(codec):
    """Has scapy build signalling messages and our parser parse them."""
    v4 = gtp.IE_GSNAddress(length=4, ipv4_address='192.0.2.7')
    v6 = gtp.IE_GSNAddress(length=16, ipv6_address='2001:db8::7')
    packets = []

    def check(packet, **expected):
        octets = bytes(packet)
        expect('scapy %s' % octets.hex(), codec.parse(octets), error='ok',
               ies='ok', trailing=0, **expected)
        packets.append(octets)

    check(gtp.GTPHeader(gtp_type=1, S=1, seq=4660) / gtp.GTPEchoRequest(),
          msg=1, seq=4660, teid=0)
    check(gtp.GTPHeader(gtp_type=2, S=1, seq=4660) / gtp.GTPEchoResponse(
        IE_list=[gtp.IE_Recovery(restart_counter=3)]),
        msg=2, seq=4660, recovery=3)
    check(gtp.GTP_U_Header(gtp_type=26, S=1) / gtp.GTPErrorIndication(
        IE_list=[gtp.IE_TEIDI(TEIDI=0x89abcdef), v4]),
        msg=26, ie_teid=0x89abcdef, peer='c0000207')
    check(gtp.GTP_U_Header(gtp_type=26, S=1) / gtp.GTPErrorIndication(
        IE_list=[gtp.IE_TEIDI(TEIDI=1), v6]),
        msg=26, ie_teid=1, peer='20010db8000000000000000000000007')
    check(gtp.GTP_U_Header(gtp_type=26, S=1, E=1, next_ex=64)
          / gtp.GTP_UDPPort_ExtensionHeader(udp_port=50000)
          / gtp.GTPErrorIndication(IE_list=[gtp.IE_TEIDI(TEIDI=1), v4]),
          msg=26, udp_port=50000, peer='c0000207')
    check(gtp.GTP_U_Header(gtp_type=254, teid=77), msg=254, teid=77)
    return packets


def our_signalling(codec):
    """Builds signalling messages and has scapy dissect those it can."""
    v4 = ipaddress.ip_address('192.0.2.7').packed.hex()
    v6 = ipaddress.ip_address('2001:db8::7').packed.hex()

    octets = codec.build('echo-request', 65535)
    echo = gtp.GTPHeader(octets)
    assert (echo.gtp_type, echo.S, echo.seq, echo.teid) == (1, 1, 65535, 0)
    packets = [octets]

    octets = codec.build('echo-response', 65535)
    echo = gtp.GTPHeader(octets)
    assert (echo.gtp_type, echo.S, echo.seq, echo.teid) == (2, 1, 65535, 0)
    assert echo.IE_list[0].restart_counter == 0
    packets.append(octets)

    for address, length in (v4, 4), (v6, 16):
        octets = codec.build('error-indication', 0, 0x89abcdef, address)
        ei = gtp.GTP_U_Header(octets)
        assert (ei.gtp_type, ei.S, ei.teid) == (26, 1, 0)
        teid, peer = ei.IE_list
        assert teid.TEIDI == 0x89abcdef
        assert (peer.length, bytes(peer)[3:].hex()) == (length, address)
        packets.append(octets)

        octets = codec.build('error-indication', 0, 1, address, 50000)
        ei = gtp.GTP_U_Header(octets)
        assert (ei.E, ei.next_ex) == (1, 64)
        assert ei[gtp.GTP_UDPPort_ExtensionHeader].udp_port == 50000
        packets.append(octets)

    octets = codec.build('end-marker', 77)
    marker = gtp.GTP_U_Header(octets)
    assert (marker.gtp_type, marker.S, marker.teid) == (254, 0, 77)
    packets.append(octets)

    # Not for scapy: see the top of this file.
    packets.append(codec.build('end-marker', 77, 0, 9))
    packets.append(codec.build('ext-notification', 0, 0x40, 0x85))
    packets.append(codec.build('ext-notification', 0))
    packets.append(codec.build('ext-notification', 0, 3, 4, 0x20, 0x40, 0x81,
                               0x82, 0x83, 0x84, 0x85, 0x86, 0xc0))
    # Two extension headers, and a Private Extension that we only parse.
    packets.append(codec.build('header', 28, 'teid=1', 'psc=1', 'qfi=9',
                               'ext=0x20:0100', 'ext=0x03:000001000000')
                   + bytes(IP(src='10.0.0.1', dst='10.0.0.2')
                           / UDP(sport=40000, dport=9)))
    packets.append(bytes.fromhex('320100 0b 00000000 00010000'
                                 'ff00040009abcd'))
    return packets


def in_udp(octets):
    return (Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')
            / IP(src='192.0.2.1', dst='192.0.2.2')
            / UDP(sport=GTPU_PORT, dport=GTPU_PORT) / Raw(octets))


def tshark(pcap, *args):
    result = subprocess.run(('tshark', '-n', '-r', pcap) + args,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, check=False)
    if result.returncode:
        raise AssertionError('tshark: %s' % result.stderr)
    return result.stdout.splitlines()


def our_fields(codec, octets):
    """Returns what tshark should print for FIELDS, from our parser."""
    got = codec.parse(octets)
    assert got['error'] == 'ok', (octets.hex(), got)
    chain = []
    ofs = 12
    while len(chain) < int(got['n_exts']):
        chain.append(str(octets[ofs]))
        ofs += 4 * octets[ofs]

    def hexadecimal(key, digits):
        return '0x%0*x' % (digits, int(got[key])) if key in got else ''

    def address(version):
        packed = bytes.fromhex(got.get('peer', ''))
        known = len(packed) == {4: 4, 6: 16}[version]
        return str(ipaddress.ip_address(packed)) if known else ''

    downlink = got.get('psc') == '0'
    versions = {None: '4', 'ipv4': '4,4', 'ipv6': '4,6'}  # Outer, inner.
    return [hexadecimal('flags', 2), hexadecimal('msg', 2),
            str(len(octets) - 8), hexadecimal('teid', 8),
            hexadecimal('seq', 4), hexadecimal('npdu', 2), ','.join(chain),
            got.get('psc', ''), got.get('qfi', ''),
            got['rqi'] if downlink else '', got.get('ppi', ''),
            got.get('udp_port', ''), got.get('recovery', ''),
            hexadecimal('ie_teid', 8), address(4), address(6),
            got.get('ext_types', ''), got.get('private_id', ''),
            got.get('private', ''), versions[got.get('inner')]]


def against_tshark(codec, packets, directory):
    pcap = os.path.join(directory, 'good.pcap')
    wrpcap(pcap, [in_udp(octets) for octets in packets])
    args = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a']
    for field in FIELDS:
        args += ['-e', field]
    lines = tshark(pcap, *args)
    assert len(lines) == len(packets), (len(lines), len(packets))
    for octets, line in zip(packets, lines):
        ours = our_fields(codec, octets)
        theirs = line.split('\t')
        for field, our, their in zip(FIELDS, ours, theirs):
            assert our == their, ('%s is %r for us, %r for tshark: %s'
                                  % (field, our, their, octets.hex()))

    complaints = tshark(pcap, '-Y', COMPLAINT)
    assert not complaints, complaints

    # The filter does find what is wrong: a chain past the end.
    pcap = os.path.join(directory, 'bad.pcap')
    bad = [bytes.fromhex('34ff0008000000010000008505100900'),
           bytes.fromhex('321a00080000000000010000100000')]
    wrpcap(pcap, [in_udp(octets) for octets in bad])
    assert len(tshark(pcap, '-Y', COMPLAINT)) == len(bad)


def main():
    if not shutil.which('tshark'):
        skip('tshark (Debian: tshark)')
    codec = Codec(sys.argv[1] if len(sys.argv) > 1
                  else 'tests/gtpu-codec-tool')
    rng = random.Random(29281)

    packets = scapy_gpdus(codec, rng)
    packets += our_gpdus(codec, rng)
    packets += scapy_signalling(codec)
    packets += our_signalling(codec)
    with tempfile.TemporaryDirectory() as directory:
        against_tshark(codec, packets, directory)
    assert codec.close() == 0
    print('%d packets agree' % len(packets))


if __name__ == '__main__':
    main()
