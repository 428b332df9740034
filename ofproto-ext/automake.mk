# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += ofproto-ext/hooks.cocci
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += ofproto-ext/libofproto-ext.la
endif
ofproto_ext_libofproto_ext_la_SOURCES = \
	ofproto-ext/gtpu-config.c \
	ofproto-ext/gtpu-paths.c \
	ofproto-ext/gtpu-ports.c \
	ofproto-ext/gtpu-stats.c \
	ofproto-ext/gtpu-underlay.c \
	ofproto-ext/gtpu-xlate.c \
	ofproto-ext/lb-bucket.c \
	ofproto-ext/lb-config.c \
	ofproto-ext/lb-fields.c \
	ofproto-ext/lb-fields.h \
	ofproto-ext/lb-group.c \
	ofproto-ext/lb-group.h \
	ofproto-ext/lb-liveness.c \
	ofproto-ext/lb-show.c \
	ofproto-ext/lb-stats.c \
	ofproto-ext/lb-support.c \
	ofproto-ext/lb-xlate.c \
	ofproto-ext/ofproto-hooks.h
ofproto_ext_libofproto_ext_la_CPPFLAGS = $(OVS_CPPFLAGS)
$(ofproto_ext_libofproto_ext_la_OBJECTS): | openvswitch/headers.stamp
