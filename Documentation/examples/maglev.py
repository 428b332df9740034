#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A controller, made with os-ken, for a switch with Maglev groups and GTP-U.

    maglev.py PORT

listens on TCP port PORT of this machine for switches that speak OpenFlow 1.5
or 1.3 ("ovs-vsctl set-controller br0 tcp:127.0.0.1:PORT").  To each it sends

  - a select group of two servers that chooses by consistent hashing over the
    client's address, and remembers clients for an hour; OpenFlow 1.3 cannot
    carry the selection method, so there it is a plain select group, which
    other_config:lb-dp-hash=maglev serves by consistent hashing;
  - a flow that sends a virtual address to the group;
  - the map that makes tun_metadata0 the PDU Session Container of GTP-U, and a
    flow that matches G-PDUs with QFI 9 in the uplink.

Prints what the switch refuses, or "VERSION: done".
Documentation/howto/controllers.md explains the bytes.
"""

import struct
import sys

from os_ken import cfg
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import (CONFIG_DISPATCHER, MAIN_DISPATCHER,
                                       set_ev_cls)
from os_ken.lib import type_desc
from os_ken.ofproto import ofproto_v1_3, ofproto_v1_5, oxm_fields

NETRONOME, NTRT_SELECTION_METHOD = 0x154d, 1
NICIRA, NXT_TLV_TABLE_MOD, NXTTMC_ADD = 0x2320, 24, 0
GTPU_CLASS, GTPU_PSC = 0xff29, 0x05
G_PDU = 255
GROUP, VIP = 10, "10.96.0.10"
SERVERS = ((2, "10.1.0.2"), (3, "10.1.0.3"))        # Port and address.

# os-ken does not know these fields of Open vSwitch.
for version in ofproto_v1_3, ofproto_v1_5:
    version.oxm_types += [
        oxm_fields.NiciraExtended1("tun_metadata0", 40, type_desc.Int4),
        oxm_fields.NiciraExperimenter("tun_gtpu_msgtype", 16, type_desc.Int1),
    ]
    oxm_fields.generate(version.__name__)


def words(data):
    """Bytes as os-ken wants the data of a property: numbers of 32 bits."""
    return list(struct.unpack("!%dI" % (len(data) // 4), data))


def selection_method(parser, ofp, method, seed=0, timeout=0, fields=b""):
    """The property that chooses 'method'.  'fields' are OXM headers with
    masks, a multiple of 4 bytes together."""
    data = struct.pack("!4x16sII", method.encode(), timeout, seed) + fields
    return parser.OFPGroupPropExperimenter(
        ofp.OFPGPT_EXPERIMENTER, None, NETRONOME, NTRT_SELECTION_METHOD,
        words(data))


def group_1_5(datapath):
    ofp, parser = datapath.ofproto, datapath.ofproto_parser
    buckets = []
    for i, (port, address) in enumerate(SERVERS):
        actions = [parser.OFPActionSetField(ipv4_dst=address),
                   parser.OFPActionOutput(port)]
        properties = [
            parser.OFPGroupBucketPropWeight(
                type_=ofp.OFPGBPT_WEIGHT, weight=100),
            parser.OFPGroupBucketPropWatch(
                type_=ofp.OFPGBPT_WATCH_PORT, watch=port)]
        buckets.append(parser.OFPBucket(i, actions, properties))
    # OXM_OF_IPV4_SRC, all bits of it.
    fields = struct.pack("!II", 0x80001604, 0xffffffff)
    return parser.OFPGroupMod(
        datapath, ofp.OFPGC_ADD, ofp.OFPGT_SELECT, GROUP, buckets=buckets,
        properties=[selection_method(parser, ofp, "maglev", timeout=3600,
                                     fields=fields)])


def group_1_3(datapath):
    ofp, parser = datapath.ofproto, datapath.ofproto_parser
    buckets = [
        parser.OFPBucket(100, port, ofp.OFPG_ANY,
                         [parser.OFPActionSetField(ipv4_dst=address),
                          parser.OFPActionOutput(port)])
        for port, address in SERVERS]
    return parser.OFPGroupMod(datapath, ofp.OFPGC_ADD, ofp.OFPGT_SELECT, GROUP,
                              buckets)


def tlv_map(datapath):
    """Maps the PDU Session Container, 4 octets, to tun_metadata0."""
    data = struct.pack("!H6xHBBH2x", NXTTMC_ADD, GTPU_CLASS, GTPU_PSC, 4, 0)
    return datapath.ofproto_parser.OFPExperimenter(
        datapath, NICIRA, NXT_TLV_TABLE_MOD, data)


def flow(datapath, actions, **match):
    ofp, parser = datapath.ofproto, datapath.ofproto_parser
    return parser.OFPFlowMod(
        datapath, priority=100, match=parser.OFPMatch(**match),
        instructions=[parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS,
                                                   actions)])


class Maglev(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION, ofproto_v1_5.OFP_VERSION]

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, ev):
        datapath = ev.msg.datapath
        ofp, parser = datapath.ofproto, datapath.ofproto_parser
        new = ofp.OFP_VERSION == ofproto_v1_5.OFP_VERSION
        self.refused = False
        for message in (
                group_1_5(datapath) if new else group_1_3(datapath),
                flow(datapath, [parser.OFPActionGroup(GROUP)],
                     eth_type=0x0800, ipv4_dst=VIP),
                tlv_map(datapath),
                # PDU type 1, uplink, and QFI 9; RQI and PPI do not matter.
                flow(datapath, [parser.OFPActionOutput(2)],
                     tun_gtpu_msgtype=G_PDU,
                     tun_metadata0=(0x01090000, 0xffff0000)),
                parser.OFPBarrierRequest(datapath)):
            datapath.send_msg(message)

    @set_ev_cls(ofp_event.EventOFPErrorMsg,
                [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def error(self, ev):
        self.refused = True
        print("refused: type %d, code %d" % (ev.msg.type, ev.msg.code),
              flush=True)

    @set_ev_cls(ofp_event.EventOFPBarrierReply,
                [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def barrier(self, ev):
        if not self.refused:
            print("OpenFlow 1.%d: done" % (ev.msg.version - 1), flush=True)


def main(port):
    cfg.CONF(["--ofp-listen-host=127.0.0.1", "--ofp-tcp-listen-port=" + port],
             project="os_ken")
    app_manager.AppManager.run_apps(
        [__name__, "os_ken.controller.ofp_handler"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
