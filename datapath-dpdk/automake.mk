# SPDX-License-Identifier: Apache-2.0
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += datapath-dpdk/libdatapath.la
endif
datapath_dpdk_libdatapath_la_SOURCES = \
	datapath-dpdk/compat/compat-batch.h \
	datapath-dpdk/compat/compat-conn.h \
	datapath-dpdk/compat/compat-dpif.h \
	datapath-dpdk/compat/compat-execute.h \
	datapath-dpdk/compat/compat-memory.h \
	datapath-dpdk/compat/compat-offload.h \
	datapath-dpdk/compat/compat-packet.h \
	datapath-dpdk/compat/compat-unixctl.h \
	datapath-dpdk/ct/ct-hooks.h \
	datapath-dpdk/ct/ct-nat.c \
	datapath-dpdk/ct/ct-new.c \
	datapath-dpdk/ct/ct-sctp.c \
	datapath-dpdk/fuse/fuse-chain.c \
	datapath-dpdk/fuse/fuse-chain.h \
	datapath-dpdk/fuse/fuse-conn-tcp.c \
	datapath-dpdk/fuse/fuse-conn-tcp.h \
	datapath-dpdk/fuse/fuse-conn.c \
	datapath-dpdk/fuse/fuse-conn.h \
	datapath-dpdk/fuse/fuse-flush.c \
	datapath-dpdk/fuse/fuse-flush.h \
	datapath-dpdk/fuse/fuse-hooks.h \
	datapath-dpdk/fuse/fuse-init.c \
	datapath-dpdk/fuse/fuse-input.c \
	datapath-dpdk/fuse/fuse-input.h \
	datapath-dpdk/fuse/fuse-lb.c \
	datapath-dpdk/fuse/fuse-learn.c \
	datapath-dpdk/fuse/fuse-learn.h \
	datapath-dpdk/fuse/fuse-memory.c \
	datapath-dpdk/fuse/fuse-memory.h \
	datapath-dpdk/fuse/fuse-owner.h \
	datapath-dpdk/fuse/fuse-reason.c \
	datapath-dpdk/fuse/fuse-reason.h \
	datapath-dpdk/fuse/fuse-record.c \
	datapath-dpdk/fuse/fuse-record.h \
	datapath-dpdk/fuse/fuse-refresh.c \
	datapath-dpdk/fuse/fuse-refresh.h \
	datapath-dpdk/fuse/fuse-run.c \
	datapath-dpdk/fuse/fuse-show.c \
	datapath-dpdk/fuse/fuse-show.h \
	datapath-dpdk/fuse/fuse-thread.c \
	datapath-dpdk/fuse/fuse-thread.h \
	datapath-dpdk/fuse/fuse-tunnel.c \
	datapath-dpdk/fuse/fuse-tunnel.h \
	datapath-dpdk/fuse/fuse-uses.h \
	datapath-dpdk/fuse/fuse.h \
	datapath-dpdk/gtpu/gtpu-count.c \
	datapath-dpdk/gtpu/gtpu-count.h \
	datapath-dpdk/gtpu/gtpu-decap.c \
	datapath-dpdk/gtpu/gtpu-drop-port.c \
	datapath-dpdk/gtpu/gtpu-drop-port.h \
	datapath-dpdk/gtpu/gtpu-drop.c \
	datapath-dpdk/gtpu/gtpu-drop.h \
	datapath-dpdk/gtpu/gtpu-encap.c \
	datapath-dpdk/gtpu/gtpu-hooks.h \
	datapath-dpdk/gtpu/gtpu-linear.c \
	datapath-dpdk/gtpu/gtpu-match.c \
	datapath-dpdk/gtpu/gtpu-options.c \
	datapath-dpdk/gtpu/gtpu-options.h \
	datapath-dpdk/gtpu/gtpu-outer.h \
	datapath-dpdk/gtpu/gtpu-peer.c \
	datapath-dpdk/gtpu/gtpu-peer.h \
	datapath-dpdk/gtpu/gtpu-psc.c \
	datapath-dpdk/gtpu/gtpu-psc.h \
	datapath-dpdk/gtpu/gtpu-push-text.c \
	datapath-dpdk/gtpu/gtpu-push.c \
	datapath-dpdk/gtpu/gtpu-push.h \
	datapath-dpdk/gtpu/gtpu-receive.c \
	datapath-dpdk/gtpu/gtpu-receive.h \
	datapath-dpdk/gtpu/gtpu-reply.c \
	datapath-dpdk/gtpu/gtpu-reply.h \
	datapath-dpdk/gtpu/gtpu-show.c \
	datapath-dpdk/gtpu/gtpu-vport.c \
	datapath-dpdk/gtpu/gtpu-vport.h \
	datapath-dpdk/lb/lb-action.c \
	datapath-dpdk/lb/lb-gtpu.c \
	datapath-dpdk/lb/lb-gtpu.h \
	datapath-dpdk/lb/lb-hash.c \
	datapath-dpdk/lb/lb-hash.h \
	datapath-dpdk/lb/lb-hooks.h
datapath_dpdk_libdatapath_la_CPPFLAGS = $(OVS_CPPFLAGS)
datapath_dpdk_libdatapath_la_LIBADD = lib/libext.la
$(datapath_dpdk_libdatapath_la_OBJECTS): | openvswitch/headers.stamp
