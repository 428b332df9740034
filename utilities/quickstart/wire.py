# SPDX-License-Identifier: Apache-2.0
"""Listens on the wire between the two hosts and judges what it heard.

    wire.py INTERFACE PIDFILE REPORT

Runs until SIGTERM, then writes to REPORT one line for each kind of packet,
"COUNT what it was", and one line "bad COUNT why" for each faulty kind.  All
IPv4 packets must be GTP-U version 1, with the right lengths and checksums.
This program parses the bytes itself, by TS 29.281, section 5.1, and not by the
kernel's or Open vSwitch's parser.
"""

import array
import collections
import os
import signal
import socket
import struct
import sys

SO_RCVBUFFORCE = 33
ETH_P_ALL = 3
GTPU_PORT = 2152
GPDU = 255


def checksum(data):
    """The Internet checksum of 'data', 0 if 'data' holds a right one."""
    words = array.array("H", data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def judge(frame):
    """Returns (is it good, what it is) for an Ethernet frame."""
    ethertype, = struct.unpack_from("!H", frame, 12)
    if ethertype == 0x0806:
        return True, "ARP between the hosts"
    if ethertype != 0x0800:
        return False, f"Ethernet type {ethertype:#06x}"
    ip = frame[14:]
    header = (ip[0] & 15) * 4
    length, = struct.unpack_from("!H", ip, 2)
    if header < 20 or length > len(ip) or checksum(ip[:header]):
        return False, "IPv4 header with a wrong length or checksum"
    if ip[9] != socket.IPPROTO_UDP:
        return False, f"IP protocol {ip[9]}, not in the tunnel"
    src, dst = (socket.inet_ntoa(ip[at:at + 4]) for at in (12, 16))
    udp = ip[header:length]
    dport, udp_length, udp_sum = struct.unpack_from("!HHH", udp, 2)
    if dport != GTPU_PORT:
        return False, f"UDP port {dport}, not in the tunnel"
    if udp_length != len(udp):
        return False, "UDP with a wrong length"
    pseudo = ip[12:20] + struct.pack("!BBH", 0, ip[9], udp_length)
    if udp_sum and checksum(pseudo + udp):
        return False, "UDP with a wrong checksum"
    flags, kind, gtp_length, teid = struct.unpack_from("!BBHI", udp, 8)
    if flags >> 4 != 3:
        return False, f"GTP flags {flags:#04x}: not version 1, PT 1"
    if gtp_length != len(udp) - 16:
        return False, "GTP-U with a wrong length"
    if kind != GPDU:
        return True, f"GTP-U message {kind} {src} -> {dst}"
    return True, f"GTP-U packets {src} -> {dst}, TEID {teid:#x}"


def main(interface, pidfile, report):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.bind((interface, 0))
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    sock.settimeout(0.2)
    with open(pidfile + ".tmp", "w") as f:
        print(os.getpid(), file=f)
    os.rename(pidfile + ".tmp", pidfile)

    frames = []
    while True:
        try:
            frames.append(sock.recv(65535))
        except socket.timeout:
            if stop:
                break

    seen = collections.Counter()
    for frame in frames:
        try:
            seen[judge(frame)] += 1
        except (struct.error, IndexError):
            seen[False, "truncated packet"] += 1
    with open(report, "w") as f:
        for (good, what), count in sorted(seen.items()):
            print("" if good else "bad ", count, " ", what, sep="", file=f)


main(*sys.argv[1:])
