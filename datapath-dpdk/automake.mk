# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += datapath-dpdk/hooks.cocci
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += datapath-dpdk/libdatapath.la
endif
datapath_dpdk_libdatapath_la_SOURCES = \
	datapath-dpdk/ct-nat.c \
	datapath-dpdk/ct-new.c \
	datapath-dpdk/ct-sctp.c \
	datapath-dpdk/datapath-hooks.h \
	datapath-dpdk/fuse-conn.c \
	datapath-dpdk/fuse-input.c \
	datapath-dpdk/fuse-learn.c \
	datapath-dpdk/fuse-netdev.h \
	datapath-dpdk/fuse-path.c \
	datapath-dpdk/fuse-record.c \
	datapath-dpdk/fuse-refresh.c \
	datapath-dpdk/fuse-show.c \
	datapath-dpdk/fuse-thread.c \
	datapath-dpdk/fuse.h \
	datapath-dpdk/gtpu-count.c \
	datapath-dpdk/gtpu-decap.c \
	datapath-dpdk/gtpu-drop.c \
	datapath-dpdk/gtpu-encap.c \
	datapath-dpdk/gtpu-linear.c \
	datapath-dpdk/gtpu-match.c \
	datapath-dpdk/gtpu-options.c \
	datapath-dpdk/gtpu-peer.c \
	datapath-dpdk/gtpu-psc.c \
	datapath-dpdk/gtpu-push-text.c \
	datapath-dpdk/gtpu-push.c \
	datapath-dpdk/gtpu-reply.c \
	datapath-dpdk/gtpu-show.c \
	datapath-dpdk/gtpu-signalling.c \
	datapath-dpdk/gtpu-signalling.h \
	datapath-dpdk/gtpu-tunnel.c \
	datapath-dpdk/gtpu-vport.c \
	datapath-dpdk/gtpu-vport.h \
	datapath-dpdk/lb-action.c \
	datapath-dpdk/lb-gtpu.c \
	datapath-dpdk/lb-gtpu.h \
	datapath-dpdk/lb-hash.c \
	datapath-dpdk/lb-hash.h
datapath_dpdk_libdatapath_la_CPPFLAGS = $(OVS_CPPFLAGS)
datapath_dpdk_libdatapath_la_LIBADD = lib/libext.la
$(datapath_dpdk_libdatapath_la_OBJECTS): | openvswitch/headers.stamp
