# SPDX-License-Identifier: Apache-2.0

"""ADD, DEL and CHECK, with packets."""

import json
import re
import select
import socket
import subprocess

from world import Failure, run

SERVE = """
import socket, sys
s = socket.create_server(("", 7), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    c = s.accept()[0]
    while True:
        data = c.recv(65536)
        if not data:
            break
        c.sendall(data)
    c.close()
"""

ECHO = """
import socket, sys
data = bytes(range(256)) * 400
s = socket.create_connection((sys.argv[1], 7), 10)
s.sendall(data)
s.shutdown(socket.SHUT_WR)
back = b""
while True:
    more = s.recv(65536)
    if not more:
        break
    back += more
assert back == data, len(back)
"""


def addresses(result):
    return [ip["address"].split("/")[0] for ip in result["ips"]]


def test_packets(node):
    """Two pods, over IPv4 and IPv6: ICMP, and TCP with right checksums."""
    a, b = node.pod(), node.pod()
    node.call("ADD", a)
    theirs = addresses(node.call("ADD", b))
    assert len(theirs) == 2, theirs
    server = b.popen("python3", "-c", SERVE, stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == "ready\n"
        for address in theirs:
            # At once: IPv6 does not spend a second on the detection of
            # duplicates.
            a.run("ping", "-c", "2", "-i", "0.2", "-w", "5", address)
            a.run("python3", "-c", ECHO, address)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    for pod in a, b:
        node.call("DEL", pod)
    node.assert_clean()


def test_setup(node):
    """MTU, MAC, addresses, routes, and the rows of the database."""
    pod = node.pod()
    result = node.call("ADD", pod)
    host, inner = result["interfaces"]
    assert host["name"] == node.switch.ports()[0]
    assert "sandbox" not in host
    # The bridge takes the lowest MAC of its ports for its own.
    assert host["mac"].startswith("fe:")
    assert inner["name"] == "eth0" and inner["sandbox"] == pod.netns
    link = pod.run("ip", "link", "show", "eth0")
    assert "mtu 1400" in link and inner["mac"] in link, link
    shown = pod.run("ip", "address", "show", "eth0")
    for ip in result["ips"]:
        assert ip["address"] in shown and ip["interface"] == 1
    assert "tentative" not in re.search(r"inet6 fd01.*", shown)[0], shown
    assert "default via 10.1.0.1 " in pod.run("ip", "route")
    assert "default via fd01::1 " in pod.run("ip", "-6", "route")

    ids = node.switch.ids(host["name"])
    assert ids == {
        "cni-owner": "ovs-ext-cni", "cni-network": "net",
        "cni-container": pod.id, "cni-ifname": "eth0",
        "cni-netns": pod.netns, "cni-namespace": "default",
        "cni-pod": pod.name, "cni-mac": inner["mac"],
        "cni-uid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "cni-addresses": " ".join(ip["address"] for ip in result["ips"]),
    }, ids

    # The same pod gets the same MAC and names again.
    node.call("DEL", pod)
    node.assert_clean()
    again = node.call("ADD", pod)
    assert again["interfaces"] == result["interfaces"]
    node.call("DEL", pod)


def test_versions(node):
    """The result has the form of the requested version."""
    for version in "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0":
        pod = node.pod()
        config = node.config(version, dns={"nameservers": ["10.1.0.10"]})
        result = node.call("ADD", pod, config)
        assert result["cniVersion"] == version
        assert result["dns"] == {"nameservers": ["10.1.0.10"]}
        assert {r["dst"] for r in result["routes"]} == {"0.0.0.0/0", "::/0"}
        old = version.startswith("0")
        assert [ip.get("version") for ip in result["ips"]] == (
            ["4", "6"] if old else [None, None]), result
        assert [i.get("mtu") for i in result["interfaces"]] == (
            [1400, 1400] if version == "1.1.0" else [None, None]), result
        if version >= "0.4.0":
            node.call("CHECK", pod, dict(config, prevResult=result))
        node.call("DEL", pod, dict(config, prevResult=result))
    node.assert_clean()
    for version in "0.2.0", "1.1.0":
        said = node.call("VERSION", config={"cniVersion": version})
        assert said == {"cniVersion": version, "supportedVersions": [
            "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]}, said


def test_layer_2(node):
    """Without IPAM, and two interfaces of a pod, one with a MAC that the pod
    asks for and a VLAN."""
    pod = node.pod()
    config = node.config(ipam=None, vlan=7,
                         runtimeConfig={"mac": "02:00:00:00:00:2a"})
    first = node.call("ADD", pod)
    result = node.call("ADD", pod, config, "net1")
    assert result["ips"] == [] and result["routes"] == []
    assert result["interfaces"][1]["mac"] == "02:00:00:00:00:2a"
    link = pod.run("ip", "link", "show", "net1")
    assert "02:00:00:00:00:2a" in link and "state UP" in link, link
    port = result["interfaces"][0]["name"]
    assert node.switch.run("ovs-vsctl", "get", "Port", port,
                           "tag").strip() == "7"
    node.call("CHECK", pod, dict(config, prevResult=result), "net1")
    node.call("DEL", pod, config, "net1")
    assert node.switch.ports() == [first["interfaces"][0]["name"]]
    node.call("DEL", pod)
    node.assert_clean()


def test_chain(node):
    """After another plugin, whose result is passed on."""
    pod = node.pod()
    before = {"cniVersion": "1.0.0",
              "interfaces": [{"name": "lo", "sandbox": pod.netns}],
              "ips": [{"address": "127.0.0.1/8", "interface": 0}],
              "dns": {"domain": "cluster.local"}}
    result = node.call("ADD", pod, node.config(prevResult=before))
    assert result["interfaces"][0] == before["interfaces"][0]
    assert result["ips"][0] == before["ips"][0]
    assert [ip["interface"] for ip in result["ips"]] == [0, 2, 2]
    assert result["dns"] == before["dns"]
    node.call("CHECK", pod, node.config(prevResult=result))
    node.call("DEL", pod)


def test_on_link_gateway(node):
    """A gateway outside of the pod's network, as for /32 addresses."""
    pod = node.pod()
    node.call("ADD", pod, node.config(ipam={
        "type": "static",
        "addresses": [{"address": "10.1.0.5/32", "gateway": "169.254.1.1"},
                      {"address": "fd01::5/128", "gateway": "fe80::1"}],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}))
    assert "default via 169.254.1.1 dev eth0 onlink" in pod.run("ip", "route")
    assert "default via fe80::1 " in pod.run("ip", "-6", "route")
    node.call("DEL", pod)


LISTEN = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
s.settimeout(10)
print("ready", flush=True)
while True:
    frame = s.recv(2048)
    if frame[12:14] == b"\\x08\\x06" and frame[28:32] == frame[38:42]:
        print(frame[22:28].hex(":"), socket.inet_ntop(2, frame[28:32]),
              flush=True)
    elif frame[12:14] == b"\\x86\\xdd" and frame[54] == 136:
        print(frame[80:86].hex(":"), socket.inet_ntop(10, frame[62:78]),
              flush=True)
"""


def test_announced(node):
    """Neighbors learn the MAC of an address that another pod had."""
    a, b = node.pod(), node.pod()
    node.call("ADD", a)
    listener = a.popen("python3", "-c", LISTEN, stdout=subprocess.PIPE)
    try:
        assert listener.stdout.readline() == "ready\n"
        result = node.call("ADD", b)
        said = [listener.stdout.readline().strip() for _ in range(2)]
        mac = result["interfaces"][1]["mac"]
        assert said == ["%s %s" % (mac, ip) for ip in addresses(result)], said
    finally:
        listener.kill()
        listener.wait()
        listener.stdout.close()
    for pod in a, b:
        node.call("DEL", pod)


def test_ipv6_disabled(node):
    """A runtime that switches IPv6 off for new interfaces."""
    pod = node.pod()
    pod.run("sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1")
    result = node.call("ADD", pod)
    assert result["ips"][1]["address"] in pod.run("ip", "address")
    node.call("DEL", pod)


def test_delete(node):
    """DEL twice, without the namespace, the link, or the port."""
    for damage in ("nothing", "namespace", "link", "port", "path"):
        pod = node.pod()
        result = node.call("ADD", pod)
        port = result["interfaces"][0]["name"]
        env = {}
        if damage == "namespace":
            pod.delete()
        elif damage == "link":
            run("ip", "link", "delete", port)
        elif damage == "port":
            node.switch.run("ovs-vsctl", "del-port", port)
        elif damage == "path":
            env = {"CNI_NETNS": None}
        node.call("DEL", pod, **env)
        node.assert_clean()
        node.call("DEL", pod, **env)


def test_repeat(node):
    """ADD of a pod that is attached already: the runtime missed the result."""
    pod = node.pod()
    first = node.call("ADD", pod)
    again = node.call("ADD", pod)
    assert again["interfaces"] == first["interfaces"]
    assert len(node.lease_files()) == 2, node.lease_files()
    assert len(node.switch.ports()) == 1
    node.call("DEL", pod)
    node.assert_clean()


def test_check(node):
    """CHECK finds changes."""
    pod = node.pod()
    result = node.call("ADD", pod)
    config = node.config(prevResult=result)
    port = result["interfaces"][0]["name"]
    address = result["ips"][0]["address"]
    node.call("CHECK", pod, config)

    def differs(text):
        try:
            node.call("CHECK", pod, config)
        except Failure as failure:
            assert failure.code in (101, 102), failure
            assert text in failure.msg, failure
        else:
            raise AssertionError("CHECK does not see " + text)

    ids = ["set", "Interface", port, "external_ids:cni-addresses="]
    node.switch.run("ovs-vsctl", *ids[:3], ids[3] + "10.9.9.9/24")
    differs("10.9.9.9/24")
    node.switch.run("ovs-vsctl", *ids[:3], '%s"%s"' % (
        ids[3], " ".join(ip["address"] for ip in result["ips"])))
    pod.run("ip", "route", "delete", "default")
    differs("route to 0.0.0.0/0")
    pod.run("ip", "route", "add", "default", "via", "10.1.0.1")
    node.call("CHECK", pod, config)
    pod.run("ip", "link", "set", "eth0", "address", "02:00:00:00:00:01")
    differs("02:00:00:00:00:01")
    pod.run("ip", "link", "set", "eth0", "address",
            result["interfaces"][1]["mac"])
    pod.run("ip", "address", "delete", address, "dev", "eth0")
    differs(address)
    node.switch.run("ovs-vsctl", "del-port", port)
    pod.run("ip", "address", "add", address, "dev", "eth0")
    pod.run("ip", "route", "add", "default", "via", "10.1.0.1")
    differs("removed from the switch")
    run("ip", "link", "delete", port)
    differs("no link")
    node.call("DEL", pod)


SEND = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3):
    s.sendto(b"x", ("192.0.2.1", 7777))
"""


def test_host_is_apart(node):
    """The host's own stack ignores packets of a pod."""
    run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")
    run("ip", "tuntap", "add", "uplink", "mode", "tap")
    run("ip", "link", "set", "uplink", "up")
    run("ip", "route", "add", "10.1.0.0/16", "dev", "uplink")
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("192.0.2.1", 7777))
    try:
        pod = node.pod()
        port = node.call("ADD", pod)["interfaces"][0]["name"]
        pod.run("ip", "route", "add", "192.0.2.1/32", "dev", "eth0")
        for probe in [], ["-D"]:
            said = pod.run("arping", *probe, "-c", "1", "-w", "1", "-I",
                           "eth0", "192.0.2.1", check=False)
            assert "Received 0 " in said, said
        # To the MAC of the host's end, which a pod might learn.
        mac = re.search(r"link/ether (\S+)",
                        run("ip", "link", "show", port))[1]
        pod.run("ip", "neigh", "replace", "192.0.2.1", "lladdr", mac, "dev",
                "eth0")
        pod.run("python3", "-c", SEND)
        assert not select.select([server], [], [], 0.5)[0]
        assert "inet" not in run("ip", "address", "show", port)
        node.call("DEL", pod)
    finally:
        server.close()
        run("ip", "link", "delete", "uplink")
        run("ip", "address", "delete", "192.0.2.1/32", "dev", "lo")


def test_netns_by_pid(node):
    """CNI_NETNS in the form of some runtimes."""
    pod = node.pod()
    holder = pod.popen("sleep", "60")
    try:
        with open("/proc/%d/comm" % holder.pid) as stream:
            while stream.read().strip() != "sleep":
                stream.seek(0)
        netns = "/proc/%d/ns/net" % holder.pid
        result = node.call("ADD", pod, CNI_NETNS=netns)
        assert result["interfaces"][1]["sandbox"] == netns
        node.call("DEL", pod, CNI_NETNS=netns)
    finally:
        holder.kill()
        holder.wait()
    node.assert_clean()


def test_output_lost(node):
    """A runtime that does not read the result gets an error."""
    pod = node.pod()
    process = subprocess.run(
        ["sh", "-c", '"$0" > /dev/full', node.plugin], text=True,
        input=json.dumps(node.config()), check=False,
        env=node.environment("ADD", pod))
    assert process.returncode == 1
    node.call("DEL", pod)
    node.assert_clean()
