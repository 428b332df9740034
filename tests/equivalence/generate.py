# SPDX-License-Identifier: Apache-2.0
"""Random pipelines and the traffic that goes through them.

generate(seed) returns a list of steps, the same for the same seed: see
Pair.step() for what they mean.  One run holds several pipelines ("slots"), so
that the cost of a step is shared: each has ports, tables, zones and group
numbers of its own.  Rules of a slot match reg15, which says whose the packet
is; registers are no part of what the datapath matches.

Values are drawn from small pools, so that packets meet the rules.
"""

import random

import frames
from frames import ACK, FIN, ICMP, ICMP6, PSH, RST, SCTP, SYN, TCP, UDP
from pair import LOCAL_IP, N_PORTS, PORTS, REMOTE_IP, TUNNELS, UNDERLAY

N_SLOTS = N_PORTS // PORTS
UNDERLAY_MAC = bytes.fromhex("02000000bb02")

V4 = ["10.0.%d.%d" % (a, b) for a in (0, 1) for b in (1, 2, 3, 129)]
V6 = ["fc00::%d" % n for n in (1, 2, 3)] + ["fc00:1::1", "fc00:1::8001"]
NAT_V4 = ["10.0.2.%d" % n for n in (1, 2, 3)]
NAT_V6 = ["fc00:2::%d" % n for n in (1, 2, 3)]
PORT_POOL = [80, 443, 1024, 1025, 5000, 33333]
TTLS = [64, 63, 2, 1, 255]
TOS = [0, 4, 0xb8, 1, 3]
VLANS = [None, None, None, 5, 6]


class Slot:
    def __init__(self, rng, number, normal):
        self.rng, self.number, self.normal = rng, number, normal
        first = number * PORTS
        self.ports = ["p%d" % (first + i) for i in range(PORTS)]
        self.numbers = [first + i + 1 for i in range(PORTS)]
        self.depth = rng.randint(1, 5)
        # One for Service and groups, then one for each table: see target().
        self.zones = [number * 20 + i + 1 for i in range(10)]
        self.groups, self.meters = [], []
        self.maglev = set()     # Those of the groups that are.
        self.buckets = 10       # The number of the next bucket to come.
        self.hashes = False     # Is there a select group that uses dp_hash?
        self.nat = rng.random() < 0.6
        self.tunnel = rng.choice(list(TUNNELS) + [None, None])
        self.key = 100 + number
        self.ct_tables = set()
        self.six = rng.random() < 0.3
        self.strange = rng.random() < 0.25  # Uses what is never stored.
        self.conversations = []

    def pick(self, *choices):
        return self.rng.choice(choices)

    def chance(self, p):
        return self.rng.random() < p

    def table(self, depth):
        return 1 + self.number * 10 + depth

    # Groups and meters.

    def make_groups(self):
        lines = []
        for i in range(self.rng.randint(0, 2)):
            group = self.number * 10 + i + 1
            lines.append(self.group(group))
            self.groups.append(group)
        return lines

    def group(self, group):
        method = self.pick("maglev", "maglev", "dp_hash", "hash", None)
        kind = "select" if self.chance(0.85) else self.pick("all", "indirect")
        text = "group_id=%d,type=%s" % (group, kind)
        self.hashes |= kind == "select" and not method
        self.maglev.discard(group)
        if kind == "select" and method:
            text += ",selection_method=%s" % method
            self.hashes |= method == "dp_hash"
            if method == "maglev":
                self.maglev.add(group)
                sticky = self.pick(0, 0, 60)
                text += ",selection_method_param=%d" % (
                    sticky << 32 | self.rng.randint(1, 1000))
        n = 1 if kind == "indirect" else self.rng.randint(1, 4)
        for b in range(n):
            text += ",bucket=bucket_id:%d" % b
            if kind == "select":
                text += ",weight:%d" % self.pick(100, 100, 50, 1)
            text += ",actions=" + self.bucket()
        return text

    def bucket(self):
        actions = []
        if self.chance(0.6):
            actions.append("set_field:02:00:00:00:01:%02x->eth_dst"
                           % self.rng.randint(0, 255))
        if self.nat and self.chance(0.5):
            actions.append(
                "ct(commit,zone=%d,nat(dst=%s),table=%d)"
                % (self.zones[0], self.target(), self.table(8)))
            return ",".join(actions)
        if self.chance(0.4) and not self.six:
            actions.append("set_field:%s->ip_dst" % self.rng.choice(V4))
        actions.append(self.output())
        return ",".join(actions)

    def target(self):
        """Where NAT leads: one address and at most one port, for with more
        the choice depends on a random number of the switch.

        An address that nobody has, and no packet goes through NAT twice in a
        zone: where connections collide, Open vSwitch 3.1.0 may find a reverse
        entry for a packet that is under NAT already, and dies of the
        assertion in conn_update_state()."""
        if self.six:
            return self.rng.choice(NAT_V6)
        port = ":%d" % self.rng.choice(PORT_POOL) if self.chance(0.5) else ""
        return self.rng.choice(NAT_V4) + port

    def make_meters(self):
        if not self.strange or not self.chance(0.4):
            return []
        self.meters = [self.number + 1]
        return ["meter=%d,pktps,burst,band=type=drop,rate=%d,burst_size=%d"
                % (self.meters[0], self.pick(1, 5, 1000),
                   self.pick(1, 10, 1000))]

    # Rules.

    def match(self, depth):
        """Returns a match, and the protocol that it needs, if any: "vlan" is
        a VLAN tag."""
        fields, proto = [], None
        family = "ipv6" if self.six else "ip"
        kind = self.pick("any", "any", "l3", "l3", "l4", "l4", "vlan", "mac")
        if kind in ("l3", "l4"):
            proto = family
            if kind == "l4":
                proto = self.pick("tcp", "udp") + ("6" if self.six else "")
            fields.append(proto)
            if self.chance(0.5):
                pool = V6 if self.six else V4
                mask = self.pick("", "", "/112" if self.six else "/24",
                                 "/16" if not self.six else "/64")
                name = self.pick("src", "dst")
                fields.append("%s_%s=%s%s" % (
                    "ipv6" if self.six else "nw", name,
                    self.rng.choice(pool), mask))
            if self.chance(0.15):
                fields.append("nw_ttl=%d" % self.rng.choice(TTLS))
            if self.chance(0.15):
                fields.append("nw_tos=%d" % self.pick(0, 4, 0xb8))
            if self.chance(0.1):
                fields.append("nw_ecn=%d" % self.pick(0, 1, 3))
            if self.chance(0.08):
                fields.append("ip_frag=%s" % self.pick("no", "yes", "first",
                                                       "later", "not_later"))
            if kind == "l4" and fields[-1] == "ip_frag=later":
                proto = family  # No ports to be set.
            elif kind == "l4" and self.chance(0.6):
                fields.append("tp_%s=%d" % (self.pick("src", "dst"),
                                            self.rng.choice(PORT_POOL)))
            if self.strange and proto == "tcp" and self.chance(0.4):
                fields.append("tcp_flags=%s" % self.pick("+syn-ack", "+fin",
                                                         "+ack", "+rst"))
        elif kind == "vlan":
            fields.append(self.pick("dl_vlan=5", "dl_vlan=6",
                                    "vlan_tci=0x0000",
                                    "vlan_tci=0x1000/0x1000"))
            proto = None if "0x0000" in fields[0] else "vlan"
        elif kind == "mac":
            fields.append(self.pick("dl_src=02:00:00:00:00:01",
                                    "dl_dst=02:00:00:00:00:02",
                                    "dl_dst=02:00:00:00:00:00/"
                                    "ff:ff:ff:ff:ff:f0"))
        if depth in self.ct_tables and self.chance(0.6):
            fields.append("ct_state=" + self.pick(
                "+trk+new", "+trk+est", "+trk+est+rpl", "+trk-rpl", "+trk+inv",
                "+trk", "+trk+rel", "-trk", "+trk+dnat", "+trk-new"))
            if self.chance(0.2):
                fields.append(self.pick("ct_mark=1", "ct_mark=0/1",
                                        "ct_label=5", "ct_zone=%d"
                                        % self.zones[0]))
        return ",".join(fields), proto

    def actions(self, depth, proto):
        found, tags = [], 0
        if proto == "vlan":
            proto, tags = None, 1
        v4 = proto in ("ip", "tcp", "udp")
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            choices = ["eth_src", "eth_dst", "reg"]
            if tags < 2:
                choices.append("vlan")
            if tags:
                choices += ["pop", "pop", "vid"]
            if proto:
                choices += ["tos", "ecn", "dec_ttl", "address", "address"]
                choices += ["ttl"] if v4 else []
            if proto in ("tcp", "udp", "tcp6", "udp6"):
                choices += ["port", "port"]
            what = self.rng.choice(choices)
            if what in ("eth_src", "eth_dst"):
                found.append("set_field:02:00:00:00:02:%02x->%s"
                             % (self.rng.randint(0, 255), what))
            elif what == "vlan":
                found.append("push_vlan:0x8100,set_field:%d->vlan_vid"
                             % (4096 + self.pick(5, 6, 7)))
                tags += 1
            elif what == "pop":
                found.append("pop_vlan")
                tags -= 1
            elif what == "vid":
                found.append("set_field:%d->vlan_vid"
                             % (4096 + self.pick(5, 6, 7)))
            elif what == "reg":
                found.append("set_field:%d->reg1" % self.rng.randint(0, 3))
            elif what == "tos":
                found.append("mod_nw_tos:%d" % self.pick(0, 4, 0xb8))
            elif what == "ecn":
                found.append("mod_nw_ecn:%d" % self.pick(0, 1, 2, 3))
            elif what == "dec_ttl":
                found.append("dec_ttl")
            elif what == "ttl":
                found.append("mod_nw_ttl:%d" % self.pick(64, 2, 10))
            elif what == "address":
                found.append("set_field:%s->%s_%s" % (
                    self.rng.choice(V6 if not v4 else V4),
                    "ip" if v4 else "ipv6", self.pick("src", "dst")))
            elif what == "port":
                found.append("set_field:%d->%s_%s" % (
                    self.rng.choice(PORT_POOL), proto[:3],
                    self.pick("src", "dst")))
        if self.meters and self.chance(0.3):
            found.insert(0, "meter:%d" % self.meters[0])
        if self.strange and self.chance(0.2):
            found.append(self.pick(
                "sample(probability=1,collector_set_id=1,obs_domain_id=0,"
                "obs_point_id=0)", "check_pkt_larger(80)->NXM_NX_REG2[0]",
                "clone(%s)" % self.output(), "debug_recirc"))
        ending = self.last(depth, depth == self.depth, proto)
        return [ending] if ending == "drop" else found + [ending]

    def last(self, depth, last, proto):
        """The action that ends a rule."""
        if self.chance(0.06):
            return "drop"
        if self.groups and proto and self.chance(0.3):
            return "group:%d" % self.rng.choice(self.groups)
        if last or self.chance(0.15):
            return self.outputs()
        following = self.table(depth + 1)
        if self.chance(0.45) and proto:
            return self.ct(following, depth + 1, proto)
        return "resubmit(,%d)" % following

    def ct(self, table, depth, proto):
        self.ct_tables.add(depth)
        nat = self.nat and self.chance(0.7)
        zone = self.zones[depth]
        args = ["zone=%d" % zone, "table=%d" % table]
        if self.chance(0.6):
            args.insert(0, "commit")
            if self.chance(0.4):
                args.append("exec(set_field:%s)" % self.pick(
                    "1->ct_mark", "2->ct_mark", "0x5->ct_label"))
            if nat and self.chance(0.5):
                args.append("nat(%s=%s)" % (self.pick("src", "dst", "dst"),
                                            self.target()))
            elif nat:
                args.append("nat")
            if self.chance(0.05):
                args.insert(0, "force")
            if self.strange and self.chance(0.2) and proto == "tcp":
                args.append("alg=ftp")
        elif nat:
            args.append("nat")
        return "ct(%s)" % ",".join(args)

    def output(self):
        if self.tunnel and self.chance(0.35):
            return ("set_field:%d->tun_id,set_field:%s->tun_dst,output:%d"
                    % (self.key, REMOTE_IP, TUNNELS[self.tunnel]))
        return "output:%d" % self.rng.choice(self.numbers)

    def outputs(self):
        if self.chance(0.08):
            return "%s,%s" % (self.output(), self.output())
        if self.normal and self.chance(0.4):
            return "NORMAL"
        if self.chance(0.04):
            return "in_port"
        return self.output()

    def rule(self, depth, extra=""):
        match, proto = self.match(depth)
        text = "table=%d,priority=%d,reg15=%d" % (
            self.table(depth), self.rng.choice((10, 20, 30)),
            self.number + 1)
        if self.chance(0.05):
            text += ",idle_timeout=60"
        elif self.chance(0.03):
            text += ",hard_timeout=60"
        if match:
            text += "," + match
        actions = ",".join(self.actions(depth, proto))
        if "ct(" in actions:
            # A rule that sends invalid packets to ct is refused.
            text = text.replace("+trk+inv", "+trk-inv")
        return text + ",actions=" + actions

    def rules(self):
        lines = []
        entry = "set_field:%d->reg15,resubmit(,%d)" % (self.number + 1,
                                                       self.table(1))
        for port in self.numbers:
            lines.append("table=0,priority=5,in_port=%d,actions=%s"
                         % (port, entry))
        if self.tunnel:
            lines.append("table=0,priority=5,in_port=%d,tun_id=%d,actions=%s"
                         % (TUNNELS[self.tunnel], self.key, entry))
        lines.append("table=%d,priority=20,reg15=%d,actions=output:%d" % (
            self.table(8), self.number + 1, self.numbers[1]))
        if self.nat and self.chance(0.7):
            # A Service, as controllers write it.
            lines += self.service()
        for depth in range(1, self.depth + 1):
            for _ in range(self.rng.randint(1, 4)):
                lines.append(self.rule(depth))
            ending = (self.outputs() if depth == self.depth
                      else "resubmit(,%d)" % self.table(depth + 1))
            if self.chance(0.8):
                lines.append("table=%d,priority=1,reg15=%d,actions=%s" % (
                    self.table(depth), self.number + 1, ending))
        return lines

    def service(self):
        """ct(nat) for all, est straight on, new to be committed."""
        t = [self.table(6 + i) for i in range(3)]
        own, zone = "reg15=%d" % (self.number + 1), self.zones[0]
        family = "ipv6" if self.six else "ip"
        new = ("ct(commit,zone=%d,nat(dst=%s),table=%d)"
               % (zone, self.target(), t[2]))
        if self.groups and self.chance(0.5):
            new = "group:%d" % self.groups[0]
        return [
            "table=%d,priority=40,%s,%s,actions=ct(zone=%d,nat,table=%d)"
            % (self.table(1), own, family, zone, t[1]),
            "table=%d,priority=20,%s,%s,ct_state=+trk+new,actions=%s"
            % (t[1], own, family, new),
            "table=%d,priority=20,%s,%s,ct_state=+trk+est-rpl,"
            "actions=set_field:02:00:00:00:03:01->eth_src,output:%d"
            % (t[1], own, family, self.numbers[1]),
            "table=%d,priority=20,%s,%s,ct_state=+trk+est+rpl,"
            "actions=set_field:02:00:00:00:03:02->eth_dst,output:%d"
            % (t[1], own, family, self.numbers[0])]

    # Traffic.

    def make_conversations(self):
        for _ in range(self.rng.randint(2, 5)):
            six = self.six if self.chance(0.9) else not self.six
            pool = V6 if six else V4
            proto = self.rng.choice((TCP, TCP, TCP, UDP, UDP, UDP, SCTP,
                                     ICMP6 if six else ICMP))
            flow = {"src": self.rng.choice(pool),
                    "dst": self.rng.choice(pool), "proto": proto,
                    "sport": self.rng.choice(PORT_POOL),
                    "dport": self.rng.choice(PORT_POOL),
                    "smac": self.pick(1, 3), "dmac": self.pick(2, 4),
                    "ttl": self.pick(64, 64, 64, 2, 1), "tos": self.pick(
                        0, 0, 0, 0xb8), "vlan": self.rng.choice(VLANS)}
            self.conversations.append(
                {"flow": flow, "port": self.rng.choice(self.ports),
                 "seq": 1000, "ack": 5001, "open": False,
                 "no_csum": self.pick(0, 0, 0.3, 0.7),
                 "tunnel": self.tunnel and self.chance(0.4)})

    def frame(self, c, **changes):
        """The next frame of conversation 'c'."""
        flow, extra = c["flow"], dict(changes)
        payload = b"x" * self.pick(0, 6, 6, 20, 100)
        if flow["proto"] == TCP and "flags" not in extra:
            if not c["open"]:
                c["open"] = True
                extra["flags"], payload = SYN, b""
                extra["seq"], extra["ack"] = c["seq"], 0
                c["seq"] += 1
            else:
                flags = ACK | (PSH if self.chance(0.3) else 0)
                extra.update(flags=flags, seq=c["seq"], ack=c["ack"])
                c["seq"] += len(payload)
        elif flow["proto"] == TCP:
            if extra["flags"] & (FIN | RST | SYN):
                payload = b""
            extra.update(seq=c["seq"], ack=c["ack"])
            if extra["flags"] & (FIN | RST):
                c["seq"] += 1
                c["open"] = False
                if self.chance(0.5):
                    # The same ports, opened anew.
                    c["seq"] = 100000 + self.rng.randint(0, 1000)
        elif flow["proto"] in (ICMP, ICMP6):
            c["seq"] += 1
            extra["seq"] = c["seq"]
        elif flow["proto"] == UDP:
            extra["no_csum"] = self.chance(c["no_csum"])
        data = frames.frame(flow, payload, ident=self.rng.randint(0, 65535),
                            **extra)
        if c["tunnel"]:
            outer = frames.tunnel(self.tunnel, self.key, data, REMOTE_IP,
                                  LOCAL_IP, 40000 + flow["sport"] % 100)
            return UNDERLAY, UNDERLAY_MAC + outer[6:]
        return c["port"], data

    def oddity(self):
        """What is strange about a packet, if anything."""
        if not self.chance(0.18):
            return {}
        return self.rng.choice((
            {"ttl": self.rng.choice(TTLS)}, {"ttl": 1}, {"ttl": 0},
            {"tos": self.rng.choice(TOS)}, {"tos": 3},
            {"frag": "first"}, {"frag": "later"}, {"options": True},
            {"bad": "l4"}, {"bad": "ip"}, {"bad": "long"}, {"bad": "short"},
            {"bad": "cut"}, {"vlan": 5}, {"vlan": 7 | 3 << 13},
            {"flags": ACK | FIN}, {"flags": RST}, {"flags": SYN},
            {"flags": RST | ACK}, {"flags": 0}))

    def packets(self, n):
        found = []
        for _ in range(n):
            c = self.rng.choice(self.conversations)
            # Runs of one flow, so that it gets into the cache.
            for _ in range(self.pick(1, 3, 4, 6)):
                odd = self.oddity()
                if "flags" in odd and c["flow"]["proto"] != TCP:
                    odd = {}
                # Open vSwitch 3.1.0 may compute a dp_hash of 0 for them.  The
                # megaflow that follows recirculates whatever meets it.
                if self.hashes and odd.get("bad") in ("long", "short", "cut"):
                    odd = {}
                port, data = self.frame(c, **odd)
                found.append((port, data.hex()))
        return found

    def event(self):
        """Something that happens in the middle."""
        what = self.pick("rule", "rule", "delete", "delete all", "group",
                         "flush", "flush zone", "warp", "warp", "long warp",
                         "port", "fdb", "mac move", "purge", "group gone",
                         "neighbour", "bucket", "datapath", "modify", "modify")
        own = "reg15=%d" % (self.number + 1)
        if what == "rule":
            return [{"flows": [self.rule(self.rng.randint(1, self.depth))]}]
        if what == "modify":
            return [{"ofctl": ["mod-flows", "br0", "table=%d,%s,actions=%s" % (
                self.table(self.depth), own, self.output())]}]
        if what == "delete":
            return [{"ofctl": ["del-flows", "br0", "table=%d,%s" % (
                self.table(self.rng.randint(1, self.depth)), own)]}]
        if what == "delete all":
            return [{"ofctl": ["del-flows", "br0", own]},
                    {"flows": self.rules()}]
        if what == "group" and self.groups:
            group = self.rng.choice(self.groups)
            before = group in self.maglev
            steps = [{"ofctl": ["mod-group", "br0", self.group(group)]}]
            if before and group not in self.maglev:
                # Another method takes the tokens of maglev's megaflows for
                # hashes, and they begin at random in each daemon.
                steps.append({"appctl": ["revalidator/purge"]})
            return steps
        if what == "bucket" and self.groups:
            self.buckets += 1
            return [{"ofctl": ["insert-buckets", "br0",
                               "group_id=%d,command_bucket_id=last,"
                               "bucket=bucket_id:%d,actions=%s" % (
                                   self.groups[0], self.buckets,
                                   self.output())]}]
        if what == "group gone" and self.groups:
            return [{"ofctl": ["del-groups", "br0", "group_id=%d"
                               % self.groups.pop()]}]
        if what == "flush":
            return [{"appctl": ["dpctl/flush-conntrack"]}]
        if what == "flush zone":
            return [{"appctl": ["dpctl/flush-conntrack",
                                "zone=%d" % self.rng.choice(self.zones[:4])]}]
        if what == "warp":
            return [{"warp": self.pick(100, 1000, 3000)}]
        if what == "long warp":
            return [{"warp": self.pick(100000, 400000)}]
        if what == "port":
            return [{"replug": self.rng.choice(self.ports)}]
        if what == "fdb":
            return [{"appctl": ["fdb/flush", "br0"]}]
        if what == "purge":
            return [{"appctl": ["revalidator/purge"]}]
        if what == "datapath":
            return [{"appctl": ["dpctl/del-flows"]}]
        if what == "neighbour":
            return [{"appctl": ["tnl/neigh/set", "br-phy", REMOTE_IP,
                                "02:00:00:00:aa:0%d" % self.pick(2, 3)]}]
        if what == "mac move":
            c = self.rng.choice(self.conversations)
            port, data = self.frame(dict(c, port=self.rng.choice(self.ports),
                                         tunnel=None))
            return [{"packets": [(port, data.hex())]}]
        return []


def generate(seed):
    rng = random.Random(seed)
    # Slow, see Pair.packets(); MAC addresses are all that it is about.
    normal = rng.random() < 0.1
    slots = [Slot(rng, i, normal and rng.random() < 0.5)
             for i in range(N_SLOTS)]
    steps, groups, meters, flows = [], [], [], []
    for slot in slots:
        groups += slot.make_groups()
        meters += slot.make_meters()
        flows += slot.rules()
        slot.make_conversations()
    if meters:
        steps.append({"meters": meters})
    if groups:
        steps.append({"groups": groups})
    steps.append({"flows": flows})
    everywhere = ["p%d" % i for i in range(N_PORTS)]
    for _ in range(rng.randint(3, 6)):
        for _ in range(rng.randint(1, 3)):
            batch = []
            for slot in slots:
                batch += slot.packets(rng.randint(2, 6))
            steps.append({"packets": batch})
            if rng.random() < 0.7:
                steps.append({"reply": {"ports": everywhere,
                                        "most": rng.randint(2, 20)}})
        if rng.random() < 0.3:
            steps.append({"check": []})
        for slot in slots:
            if rng.random() < 0.5:
                steps += slot.event()
    steps.append({"check": []})
    return steps
