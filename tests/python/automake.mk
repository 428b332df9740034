# SPDX-License-Identifier: Apache-2.0

# What tests of several floors share: packets, peers, OpenFlow on the wire, the
# daemons of a switch, the examples of the manuals.
EXTRA_DIST += \
	tests/python/doc-example.py \
	tests/python/fuse-packet.py \
	tests/python/gtpu-lengths.py \
	tests/python/gtpu-networks.py \
	tests/python/gtpu-packet.py \
	tests/python/gtpu-peer.py \
	tests/python/gtpu-refused.py \
	tests/python/gtpu-segments.py \
	tests/python/lb_wire.py \
	tests/python/ovs_daemons.py
