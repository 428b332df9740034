# SPDX-License-Identifier: Apache-2.0

# What programs share.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/common/libcommon.la
endif
utilities_common_libcommon_la_SOURCES = \
	utilities/common/compat-json.h \
	utilities/common/compat-library.h \
	utilities/common/complain.c \
	utilities/common/complain.h \
	utilities/common/kube-http.c \
	utilities/common/kube-http.h \
	utilities/common/metrics.c \
	utilities/common/metrics.h \
	utilities/common/switch-ask.c \
	utilities/common/switch-ask.h
utilities_common_libcommon_la_CPPFLAGS = $(OVS_CPPFLAGS) $(MICROHTTPD_CFLAGS)
$(utilities_common_libcommon_la_OBJECTS): | $(OVS)/headers.stamp
