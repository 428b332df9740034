# SPDX-License-Identifier: Apache-2.0
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += ofproto-ext/libofproto-ext.la
endif
ofproto_ext_libofproto_ext_la_SOURCES = \
	ofproto-ext/compat/compat-ofproto.h \
	ofproto-ext/gtpu/gtpu-config.c \
	ofproto-ext/gtpu/gtpu-ofproto-hooks.h \
	ofproto-ext/gtpu/gtpu-paths.c \
	ofproto-ext/gtpu/gtpu-ports.c \
	ofproto-ext/gtpu/gtpu-ports.h \
	ofproto-ext/gtpu/gtpu-stats.c \
	ofproto-ext/gtpu/gtpu-underlay.c \
	ofproto-ext/gtpu/gtpu-xlate.c \
	ofproto-ext/lb/lb-bucket.c \
	ofproto-ext/lb/lb-choose.c \
	ofproto-ext/lb/lb-choose.h \
	ofproto-ext/lb/lb-config.c \
	ofproto-ext/lb/lb-config.h \
	ofproto-ext/lb/lb-fields.c \
	ofproto-ext/lb/lb-fields.h \
	ofproto-ext/lb/lb-group.c \
	ofproto-ext/lb/lb-group.h \
	ofproto-ext/lb/lb-ident.c \
	ofproto-ext/lb/lb-ident.h \
	ofproto-ext/lb/lb-key.c \
	ofproto-ext/lb/lb-key.h \
	ofproto-ext/lb/lb-liveness.c \
	ofproto-ext/lb/lb-ofproto-hooks.h \
	ofproto-ext/lb/lb-params.c \
	ofproto-ext/lb/lb-params.h \
	ofproto-ext/lb/lb-rules.c \
	ofproto-ext/lb/lb-rules.h \
	ofproto-ext/lb/lb-show.c \
	ofproto-ext/lb/lb-stats.c \
	ofproto-ext/lb/lb-sticky-maker.c \
	ofproto-ext/lb/lb-sticky-maker.h \
	ofproto-ext/lb/lb-support.c \
	ofproto-ext/lb/lb-tables.c \
	ofproto-ext/lb/lb-tables.h \
	ofproto-ext/lb/lb-version.h \
	ofproto-ext/lb/lb-xlate.c
ofproto_ext_libofproto_ext_la_CPPFLAGS = $(OVS_CPPFLAGS)
$(ofproto_ext_libofproto_ext_la_OBJECTS): | openvswitch/headers.stamp
