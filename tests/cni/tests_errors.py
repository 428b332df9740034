# SPDX-License-Identifier: Apache-2.0

"""Bad input gets a code, and a sentence that says what to do."""

import os

from world import Failure, run


def expect(node, code, text, *args, **kwargs):
    """The plugin fails with "code" and a message with "text", and says what to
    do."""
    try:
        result = node.call(*args, **kwargs)
    except Failure as failure:
        assert failure.code == code and text in failure.msg, (
            "wanted %d, %s" % (code, text), failure.code, failure.msg)
        assert failure.details, failure.msg
        return failure
    raise AssertionError("no error %d, %s: %s" % (code, text, result))


def vhost(**keys):
    return {"mode": "vhost-user", "vhost-user": keys}


def bandwidth(**keys):
    return {"runtimeConfig": {"bandwidth": keys}}


# Changes of the configuration, with the code and part of the message.
CONFIGS = [
    (1, '"0.2.0"', {"cniVersion": "0.2.0"}),
    (1, '"2.0.0"', {"cniVersion": "2.0.0"}),
    (1, '"cniVersion" is ""', {"cniVersion": None}),
    (7, '"cniVersion" is 1', {"cniVersion": 1}),
    (2, '"Bridge": "br0"', {"Bridge": "br0"}),
    (2, '"ipMasq": true', {"ipMasq": True}),
    (2, '"portMappings": [{"hostPort":80}]',
     {"runtimeConfig": {"portMappings": [{"hostPort": 80}]}}),
    (7, '"bandwidth" is 1', {"runtimeConfig": {"bandwidth": 1}}),
    (2, '"bandwidth" has "rate"', bandwidth(rate=1)),
    (7, '"ingressRate" is -1', bandwidth(ingressRate=-1)),
    (7, '"egressRate" is "1M"', bandwidth(egressRate="1M")),
    (7, '"egressRate" is 1.5', bandwidth(egressRate=1.5)),
    (7, '"egressRate" is 34000000001', bandwidth(egressRate=34000000001)),
    (7, 'a "egressRate" without a "egressBurst"', bandwidth(egressRate=12000)),
    (7, 'a "ingressBurst" without a "ingressRate"',
     bandwidth(ingressBurst=100000)),
    (7, '"ingressRate" of "bandwidth" is 11999',
     bandwidth(ingressRate=11999, ingressBurst=100000)),
    (7, '"ingressBurst" of "bandwidth" is 11343, and a frame has 11344',
     bandwidth(ingressRate=12000, ingressBurst=11343)),
    (7, '"name" is ""', {"name": None}),
    (7, '"name" is "../x"', {"name": "../x"}),
    (7, '"name" is "xx', {"name": "x" * 100000}),
    (7, '"bridge" is ""', {"bridge": None}),
    (7, '"bridge" is "a/b"', {"bridge": "a/b"}),
    (7, '"bridge" is "xxxxxxxxxxxxxxxx"', {"bridge": "x" * 16}),
    (7, '"bridge" is "??"', {"bridge": "\u00e9"}),
    (11, "no bridge br9", {"bridge": "br9"}),
    (7, '"mtu" is 67', {"mtu": 67}),
    (7, '"mtu" is 65536', {"mtu": 65536}),
    (100, "does not have IPv6", {"mtu": 1279}),
    (7, '"mtu" is "1500"', {"mtu": "1500"}),
    (7, '"mtu" is 1500.5', {"mtu": 1500.5}),
    (7, '"vlan" is 4095', {"vlan": 4095}),
    (7, '"timeout" is 0', {"timeout": 0}),
    (7, '"database" is "ssl:', {"database": "ssl:127.0.0.1:6640"}),
    (11, "cannot be reached at tcp:127.0.0.1:9",
     {"database": "tcp:127.0.0.1:9"}),
    (11, "cannot be reached at unix:/nonexistent/db.sock",
     {"database": "unix:/nonexistent/db.sock"}),
    (7, '"ipam" is []', {"ipam": []}),
    (7, '"type" is 1', {"ipam": {"type": 1}}),
    (7, '"../../bin/sh"', {"ipam": {"type": "../../bin/sh"}}),
    (7, "IPAM plugin nosuch is not in CNI_PATH", {"ipam": {"type": "nosuch"}}),
    (7, '"mode" is "tap"', {"mode": "tap"}),
    (7, '"vhost-user" is missing', {"mode": "vhost-user"}),
    (7, 'for another "mode"', {"vhost-user": {"directory": "/run/x"}}),
    (2, '"vhost-user" has "dir"', vhost(dir="/run/x")),
    (7, '"directory" of "vhost-user" is ""', vhost()),
    (7, '"/run/../etc"', vhost(directory="/run/../etc")),
    (7, '"/run/x/"', vhost(directory="/run/x/")),
    (7, '"/run//x"', vhost(directory="/run//x")),
    (7, '"run/x"', vhost(directory="run/x")),
    (7, '"/."', vhost(directory="/.")),
    (7, '"directory" of "vhost-user"', vhost(directory="/" + "x" * 100)),
    (7, "path of a socket is too long", vhost(directory="/" + "x" * 90)),
    (7, '"uid" is -1', vhost(directory="/run/x", uid=-1)),
    (7, '"mode" of "vhost-user" is "770"',
     vhost(directory="/run/x", mode="770")),
    (7, '"CNIDeviceInfoFile" is "info"', dict(
        vhost(directory="/run/x"),
        runtimeConfig={"CNIDeviceInfoFile": "info"})),
    (101, "the switch refuses port", vhost(directory="/run/netns/vhost")),
    (5, "no directory for a socket: /proc/x", vhost(directory="/proc/x")),
    (7, '"dns" is "10.0.0.10"', {"dns": "10.0.0.10"}),
    (7, '"prevResult" is []', {"prevResult": []}),
    (7, '"runtimeConfig" is 0', {"runtimeConfig": 0}),
    (7, '"mac" of "runtimeConfig" is "01:00:00:00:00:01"',
     {"runtimeConfig": {"mac": "01:00:00:00:00:01"}}),
    (7, '"mac" of "runtimeConfig" is "0:0:0:0:0:0"',
     {"runtimeConfig": {"mac": "0:0:0:0:0:0"}}),
    (7, '"mac" of "runtimeConfig" is "00:00:00:00:00:00"',
     {"runtimeConfig": {"mac": "00:00:00:00:00:00"}}),
    (999, "IPAM plugin host-local", {"ipam": {"type": "host-local"}}),
]

# Changes of the environment of ADD.
ENVIRONMENTS = [
    ({"CNI_COMMAND": None}, "CNI_COMMAND"),
    ({"CNI_COMMAND": "add"}, "CNI_COMMAND"),
    ({"CNI_CONTAINERID": None}, "CNI_CONTAINERID"),
    ({"CNI_CONTAINERID": ""}, "CNI_CONTAINERID"),
    ({"CNI_CONTAINERID": "../x"}, "CNI_CONTAINERID"),
    ({"CNI_CONTAINERID": "-x"}, "CNI_CONTAINERID"),
    ({"CNI_CONTAINERID": "x\ny"}, "CNI_CONTAINERID"),
    ({"CNI_CONTAINERID": "x" * 256}, "CNI_CONTAINERID"),
    ({"CNI_IFNAME": None}, "CNI_IFNAME"),
    ({"CNI_IFNAME": ""}, "CNI_IFNAME"),
    ({"CNI_IFNAME": "x" * 16}, "CNI_IFNAME"),
    ({"CNI_IFNAME": ".."}, "CNI_IFNAME"),
    ({"CNI_IFNAME": "a/b"}, "CNI_IFNAME"),
    ({"CNI_IFNAME": "a b"}, "CNI_IFNAME"),
    ({"CNI_NETNS": None}, "CNI_NETNS"),
    ({"CNI_NETNS": ""}, "CNI_NETNS"),
    ({"CNI_NETNS": "netns"}, "CNI_NETNS"),
    ({"CNI_NETNS": "/" + "x" * 5000}, "CNI_NETNS"),
    ({"CNI_NETNS": "/etc/passwd"}, "is no network namespace"),
    ({"CNI_NETNS": "/proc/self/ns/net"}, "host's own"),
    ({"CNI_ARGS": "K8S_POD_NAME"}, "CNI_ARGS"),
    ({"CNI_ARGS": "K8S_POD_NAME=a b"}, "CNI_ARGS"),
    ({"CNI_ARGS": "K8S_POD_NAMESPACE=" + "x" * 254}, "CNI_ARGS"),
    ({"CNI_ARGS": "x=" + "y" * 70000}, "CNI_ARGS"),
]


def test_configurations(node):
    pod = node.pod()
    for code, text, changes in CONFIGS:
        expect(node, code, text, "ADD", pod, node.config(**changes))
        # Otherwise the pod could not be deleted.  host-local parses as little
        # for DEL.
        wrong = [key for key in ("dns", "prevResult", "runtimeConfig")
                 if not isinstance(changes.get(key, {}), dict)]
        if not wrong and not {"cniVersion", "name", "database",
                              "ipam"} & set(changes):
            node.call("DEL", pod, node.config(**changes))
            node.assert_clean()
    node.call("DEL", pod)
    node.assert_clean()


def test_input(node):
    """Standard input without a configuration."""
    pod = node.pod()
    for text in ("", "{", "[]", "{} x", '{"name": "\0"}', '"net"',
                 '{"x": "' + "y" * 1100000 + '"}', "[" * 100000):
        expect(node, 6, "network configuration", "ADD", pod, config=text)


def test_environments(node):
    pod = node.pod()
    for changes, text in ENVIRONMENTS:
        expect(node, 4, text, "ADD", pod, **changes)
    # The runtime need not call DEL.
    expect(node, 3, "/run/netns/gone", "ADD", pod,
           CNI_NETNS="/run/netns/gone")
    expect(node, 7, "CNI_PATH", "ADD", pod, CNI_PATH=None)
    node.call("DEL", pod)
    node.assert_clean()


def test_commands_of_versions(node):
    """Commands that the version does not have, and required input that is
    missing."""
    pod = node.pod()
    expect(node, 1, "CNI 0.3.1 ", "CHECK", pod, node.config("0.3.1"))
    for command in "GC", "STATUS":
        expect(node, 1, "CNI 1.0.0 ", command, config=node.config("1.0.0"))
    expect(node, 7, '"prevResult" is missing', "CHECK", pod)
    expect(node, 7, "no interface eth0", "CHECK", pod, node.config(
        prevResult={"interfaces": [{"name": "eth1", "sandbox": "/x"}]}))
    expect(node, 103, "no IP address", "CHECK", pod, node.config(
        prevResult={"ips": [{"address": "10.1.0.1/33"}]}))


def test_interface_exists(node):
    """The name is taken in the pod, or the port is another's."""
    pod = node.pod()
    pod.run("ip", "tuntap", "add", "eth0", "mode", "tap")
    expect(node, 100, "has an interface eth0 already", "ADD", pod)
    node.assert_clean()
    assert "eth0" in pod.run("ip", "link"), "it was the pod's own"
    pod.run("ip", "link", "delete", "eth0")

    port = node.call("ADD", pod)["interfaces"][0]["name"]
    node.switch.run("ovs-vsctl", "set", "Interface", port,
                    "external_ids:cni-container=other")
    expect(node, 101, "port %s exists" % port, "ADD", pod)
    node.switch.run("ovs-vsctl", "set", "Interface", port,
                    "external_ids:cni-container=" + pod.id)
    node.call("DEL", pod)
    node.assert_clean()


def test_foreign_port(node):
    """DEL leaves others' links and ports alone."""
    pod = node.pod()
    port = node.call("ADD", pod)["interfaces"][0]["name"]
    node.call("DEL", pod)
    node.switch.run("ovs-vsctl", "add-port", "br0", port, "--", "set",
                    "Interface", port, "type=internal")
    node.call("DEL", pod)
    assert node.switch.ports() == [port]
    node.switch.run("ovs-vsctl", "del-port", port)


def test_bridge_of_ovn(node):
    pod = node.pod()
    node.switch.run("ovs-vsctl", "set", "Open_vSwitch", ".",
                    "external_ids:ovn-remote=tcp:192.0.2.1:6642",
                    "external_ids:ovn-bridge=br0")
    expect(node, 7, "bridge br0 is OVN's", "ADD", pod)
    node.switch.run("ovs-vsctl", "clear", "Open_vSwitch", ".", "external_ids")


def test_addresses_used_up(node):
    """The range is full; host-local's error is passed on."""
    config = node.config(ipam={
        "type": "host-local", "dataDir": node.leases,
        "subnet": "10.2.0.0/30"})
    pod, more = node.pod(), node.pod()
    node.call("ADD", pod, config)
    failure = expect(node, 999, "no IP addresses available", "ADD", more,
                     config)
    assert "host-local" in failure.msg
    assert len(node.switch.ports()) == 1 == len(node.links())
    node.call("DEL", pod, config)
    node.assert_clean()


# IPAM plugins with errors: output, status, and the message.
FAULTY = [
    ("", 0, "no address"),
    ("{}", 0, "no address"),
    ("nonsense", 1, "does not say why"),
    ('{"code": 42, "msg": "no luck"}', 1, "no luck"),
    ('{"code": 42, "msg": "no luck"}', 0, "no luck"),
    ('{"ips": {}}', 0, "not an array"),
    ('{"ips": [{"address": "10.1.0.300/16"}]}', 0, "no IP address"),
    ('{"ips": [{"address": "10.1.0.3"}]}', 0, "no IP address"),
    ('{"ips": [{"address": "10.1.0.3/16", "gateway": "::1"}]}', 0, "two"),
    ('{"ips": [{"gateway": "10.1.0.1"}]}', 0, "without an address"),
    ('{"ips": [%s]}' % ",".join(['{"address": "10.1.0.3/16"}'] * 65), 0,
     "more than 64"),
    ('{"ips": [{"address": "10.1.0.3/16"}], "routes": [{"gw": "10.1.0.1"}]}',
     0, "without a destination"),
    ('{"ips": [{"address": "10.1.0.3/16"}, {"address": "10.1.0.3/16"}]}', 0,
     "refuses address"),
    ('{"ips": [{"address": "10.1.0.3/16"}], "routes": [{"dst": "10.2.0.1/16",'
     ' "gw": "10.1.0.1"}]}', 0, "refuses a route to"),
]


def test_faulty_ipam(node):
    """Each error is reported, and the plugin's DEL is called."""
    folder = os.path.join(node.dir, "plugins")
    os.mkdir(folder)
    path = os.path.join(folder, "faulty")
    calls = os.path.join(folder, "calls")
    pod = node.pod()
    for output, status, text in FAULTY:
        with open(path, "w") as stream:
            stream.write("#!/bin/sh\necho $CNI_COMMAND >> %s\n"
                         "test $CNI_COMMAND = ADD || exit 0\n"
                         "cat << 'END'\n%s\nEND\nexit %d\n" %
                         (calls, output, status))
        os.chmod(path, 0o755)
        code = 42 if "42" in output else 100 if "refuses" in text else (
            7 if "not an" in text or "more than" in text else 103)
        expect(node, code, text, "ADD", pod,
               node.config(ipam={"type": "faulty"}), CNI_PATH=folder)
        with open(calls) as stream:
            assert stream.read() == "ADD\nDEL\n", output
        os.unlink(calls)
        node.assert_clean()
    run("rm", "-r", folder)
