# SPDX-License-Identifier: Apache-2.0

KUBE_CPPFLAGS = $(OVS_CPPFLAGS) $(CURL_CFLAGS) $(YAML_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
KUBE_LIBS = $(OVS)/extended/lib/libopenvswitch.la \
	$(CURL_LIBS) $(YAML_LIBS) $(MICROHTTPD_LIBS) -lcrypto

# Reading what an API server or manifests say.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/kube/libkube.la
endif
utilities_kube_libkube_la_SOURCES = \
	$(KUBE_OBJECT_SOURCES) \
	utilities/kube/kube-api.c \
	utilities/kube/kube-api.h \
	utilities/kube/kube-cidr.h \
	utilities/kube/kube-config.c \
	utilities/kube/kube-config.h \
	utilities/kube/kube-curl.c \
	utilities/kube/kube-curl.h \
	utilities/kube/kube-direct.h \
	utilities/kube/kube-file.c \
	utilities/kube/kube-file.h \
	utilities/kube/kube-health.c \
	utilities/kube/kube-health.h \
	utilities/kube/kube-kind.h \
	utilities/kube/kube-lines.c \
	utilities/kube/kube-lines.h \
	utilities/kube/kube-node.h \
	utilities/kube/kube-object.h \
	utilities/kube/kube-page.c \
	utilities/kube/kube-page.h \
	utilities/kube/kube-sink.h \
	utilities/kube/kube-source.c \
	utilities/kube/kube-source.h \
	utilities/kube/kube-value.h \
	utilities/kube/kube-watch.c \
	utilities/kube/kube-watch.h \
	utilities/kube/kube-writer.c \
	utilities/kube/kube-writer.h \
	utilities/kube/kube-yaml.c \
	utilities/kube/kube-yaml.h
KUBE_OBJECT_SOURCES = \
	utilities/kube/kube-cidr.c \
	utilities/kube/kube-kind.c \
	utilities/kube/kube-node.c \
	utilities/kube/kube-object.c \
	utilities/kube/kube-sink.c \
	utilities/kube/kube-value.c
utilities_kube_libkube_la_CPPFLAGS = $(KUBE_CPPFLAGS)
$(utilities_kube_libkube_la_OBJECTS): | $(OVS)/headers.stamp
