# SPDX-License-Identifier: Apache-2.0
"""The ports of bench-traffic.c, from the measuring side."""

import mmap
import os
import struct
import time

from packets import PCAP_HEADER, read_records

N_SLOTS = 8
SLOT = struct.Struct("=32s192sIIIIQQQQQQQQ80x")
FIELDS = {"sink": (224, "=I"), "epoch": (228, "=I"), "run": (232, "=I"),
          "error": (236, "=I"), "limit": (240, "=Q"), "done": (248, "=Q"),
          "size": (256, "=Q"), "used": (264, "=Q"), "rate": (272, "=Q"),
          "window": (280, "=Q"), "after": (288, "=Q"), "base": (296, "=Q")}
NO_LIMIT = (1 << 64) - 1


class Port:
    """Slot 'index': a source or a sink."""

    def __init__(self, memory, index, device):
        self._memory, self._base = memory, index * SLOT.size
        self.index = index
        memory[self._base:self._base + 32] = device.encode().ljust(32, b"\0")
        self.device = device

    def __getitem__(self, field):
        ofs, fmt = FIELDS[field]
        return struct.unpack_from(fmt, self._memory, self._base + ofs)[0]

    def __setitem__(self, field, value):
        ofs, fmt = FIELDS[field]
        struct.pack_into(fmt, self._memory, self._base + ofs, value)

    def set_file(self, path):
        ofs = self._base + 32
        self._memory[ofs:ofs + 192] = path.encode().ljust(192, b"\0")
        self["epoch"] += 1


class Traffic:
    """The control file and the ports of one switch."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "traffic")
        self.folder = folder
        with open(self.path, "wb") as f:
            f.write(bytes(N_SLOTS * SLOT.size))
        with open(self.path, "r+b") as f:
            self._memory = mmap.mmap(f.fileno(), 0)
        self.ports = []

    def _port(self, device):
        index = len(self.ports)
        port = Port(self._memory, index, device or "net_null%d" % index)
        self.ports.append(port)
        return port

    def source(self, pcap, device=None):
        """A source of the packets of 'pcap', or of none yet if None."""
        port = self._port(device)
        port["limit"] = NO_LIMIT
        if pcap:
            port.set_file(pcap)
        return port

    def sink(self, capacity=1 << 23, device=None):
        """A sink that keeps up to 'capacity' bytes of packets."""
        port = self._port(device)
        port["sink"] = 1
        port["size"] = capacity
        port["used"] = len(PCAP_HEADER)
        path = os.path.join(self.folder,
                            "sink%d.pcap" % (len(self.ports) - 1))
        with open(path, "wb") as f:
            f.write(PCAP_HEADER)
            f.truncate(capacity)
        port.set_file(path)
        port.path = path
        return port

    def captured(self, sink):
        return read_records(sink.path, sink["used"])

    def sources(self):
        return [p for p in self.ports if not p["sink"]]

    def sinks(self):
        return [p for p in self.ports if p["sink"]]

    def start(self, sources=None):
        for port in sources or self.sources():
            port["limit"] = NO_LIMIT
            port["run"] = 1

    def stop(self):
        for port in self.sources():
            port["run"] = 0
        self.settle()

    def settle(self):
        """Waits until sinks receive no more."""
        last, quiet, deadline = None, 0, time.monotonic() + 20
        while quiet < 5 and time.monotonic() < deadline:
            now = [p["done"] for p in self.ports]
            quiet = quiet + 1 if now == last else 0
            last = now
            time.sleep(0.02)

    @staticmethod
    def rewind(source, after=None):
        """Lets 'source' load its file and begin with the first packet.  From
        then on, its packets wait for those that sink 'after' receives."""
        source["after"] = 1 + after.index if after else 0
        source["base"] = after["done"] if after else 0
        source["limit"] = source["done"]
        source["error"] = 2
        source["epoch"] += 1
        source["run"] = 1
        deadline = time.monotonic() + 60
        while source["error"] == 2:
            if time.monotonic() > deadline:
                raise RuntimeError("%s: file not loaded" % source.device)
            time.sleep(0.002)
        source["run"] = 0

    def send(self, source, n, timeout=60):
        """Sends 'n' packets from 'source' and waits until they are through.
        Returns the number of lost ones."""
        return self.send_all([(source, n)], timeout)

    def send_all(self, work, timeout=60):
        """The same for pairs of a source and its number of packets."""
        before = sum(p["done"] for p in self.sinks())
        for source, n in work:
            source["limit"] = source["done"] + n
        for source, _ in work:
            source["run"] = 1
        deadline = time.monotonic() + timeout
        for source, n in work:
            while source["done"] < source["limit"]:
                if source["error"] == 1:
                    raise RuntimeError("%s: bad traffic file" % source.device)
                if time.monotonic() > deadline:
                    raise RuntimeError("%s: %d of %d packets left in %d s" % (
                        source.device, source["limit"] - source["done"], n,
                        timeout))
                time.sleep(0.002)
        for source, _ in work:
            source["run"] = 0
        self.settle()
        return (sum(n for _, n in work)
                - (sum(p["done"] for p in self.sinks()) - before))

    def capture(self, sink, on):
        if on:
            sink["used"] = len(PCAP_HEADER)
        sink["run"] = int(on)
