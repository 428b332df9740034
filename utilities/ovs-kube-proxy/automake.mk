# SPDX-License-Identifier: Apache-2.0

KUBE_CPPFLAGS = $(OVS_CPPFLAGS) $(CURL_CFLAGS) $(YAML_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
KUBE_LIBS = $(OVS)/extended/lib/libopenvswitch.la \
	$(CURL_LIBS) $(YAML_LIBS) $(MICROHTTPD_LIBS) -lcrypto

# Reading what an API server or manifests say, and HTTP servers.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/ovs-kube-proxy/libkube-api.la
endif
utilities_ovs_kube_proxy_libkube_api_la_SOURCES = \
	utilities/ovs-kube-proxy/kube-api.c \
	utilities/ovs-kube-proxy/kube-api.h \
	utilities/ovs-kube-proxy/kube-config.c \
	utilities/ovs-kube-proxy/kube-config.h \
	utilities/ovs-kube-proxy/kube-curl.c \
	utilities/ovs-kube-proxy/kube-curl.h \
	utilities/ovs-kube-proxy/kube-file.c \
	utilities/ovs-kube-proxy/kube-file.h \
	utilities/ovs-kube-proxy/kube-health.c \
	utilities/ovs-kube-proxy/kube-health.h \
	utilities/ovs-kube-proxy/kube-http.c \
	utilities/ovs-kube-proxy/kube-http.h \
	utilities/ovs-kube-proxy/kube-lines.c \
	utilities/ovs-kube-proxy/kube-lines.h \
	utilities/ovs-kube-proxy/kube-object.c \
	utilities/ovs-kube-proxy/kube-object.h \
	utilities/ovs-kube-proxy/kube-store.h \
	utilities/ovs-kube-proxy/kube-watch.c \
	utilities/ovs-kube-proxy/kube-watch.h \
	utilities/ovs-kube-proxy/kube-yaml.c \
	utilities/ovs-kube-proxy/kube-yaml.h
utilities_ovs_kube_proxy_libkube_api_la_CPPFLAGS = $(KUBE_CPPFLAGS)
$(utilities_ovs_kube_proxy_libkube_api_la_OBJECTS): | $(OVS)/headers.stamp

# What a node has to do, out of the objects.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/ovs-kube-proxy/libkube-service.la
endif
utilities_ovs_kube_proxy_libkube_service_la_SOURCES = \
	$(KUBE_SERVICE_SOURCES) \
	utilities/ovs-kube-proxy/kube-parse.h \
	utilities/ovs-kube-proxy/kube-store.h \
	utilities/ovs-kube-proxy/kube-value.h \
	utilities/ovs-kube-proxy/service-model.h \
	utilities/ovs-kube-proxy/service-policy.h
KUBE_SERVICE_SOURCES = \
	utilities/ovs-kube-proxy/kube-parse.c \
	utilities/ovs-kube-proxy/kube-store.c \
	utilities/ovs-kube-proxy/kube-value.c \
	utilities/ovs-kube-proxy/service-format.c \
	utilities/ovs-kube-proxy/service-policy.c
utilities_ovs_kube_proxy_libkube_service_la_CPPFLAGS = $(KUBE_CPPFLAGS)
$(utilities_ovs_kube_proxy_libkube_service_la_OBJECTS): | $(OVS)/headers.stamp

# Flows and groups, to a switch.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/ovs-kube-proxy/libof-sync.la
endif
utilities_ovs_kube_proxy_libof_sync_la_SOURCES = \
	$(OF_SYNC_SOURCES) \
	utilities/ovs-kube-proxy/of-sync-private.h \
	utilities/ovs-kube-proxy/of-sync.h
OF_SYNC_SOURCES = \
	utilities/ovs-kube-proxy/of-bucket.c \
	utilities/ovs-kube-proxy/of-bundle.c \
	utilities/ovs-kube-proxy/of-dump.c \
	utilities/ovs-kube-proxy/of-flush.c \
	utilities/ovs-kube-proxy/of-item.c \
	utilities/ovs-kube-proxy/of-meter.c \
	utilities/ovs-kube-proxy/of-monitor.c \
	utilities/ovs-kube-proxy/of-sync.c
utilities_ovs_kube_proxy_libof_sync_la_CPPFLAGS = $(KUBE_CPPFLAGS)
$(utilities_ovs_kube_proxy_libof_sync_la_OBJECTS): | $(OVS)/headers.stamp

# The program.
if BUILD_OPENVSWITCH
bin_PROGRAMS = utilities/ovs-kube-proxy/ovs-kube-proxy
endif
utilities_ovs_kube_proxy_ovs_kube_proxy_SOURCES = \
	utilities/ovs-kube-proxy/ovs-kube-proxy.c \
	utilities/ovs-kube-proxy/proxy-options.c \
	utilities/ovs-kube-proxy/proxy-options.h \
	utilities/ovs-kube-proxy/service-base.c \
	utilities/ovs-kube-proxy/service-claims.c \
	utilities/ovs-kube-proxy/service-flows-private.h \
	utilities/ovs-kube-proxy/service-flows.c \
	utilities/ovs-kube-proxy/service-flows.h \
	utilities/ovs-kube-proxy/service-hairpins.c \
	utilities/ovs-kube-proxy/service-node.c \
	utilities/ovs-kube-proxy/service-pipeline-private.h \
	utilities/ovs-kube-proxy/service-pipeline.c \
	utilities/ovs-kube-proxy/service-pipeline.h \
	utilities/ovs-kube-proxy/service-port.c \
	utilities/ovs-kube-proxy/service-reject.c \
	utilities/ovs-kube-proxy/service-reject.h \
	utilities/ovs-kube-proxy/service-show.c \
	utilities/ovs-kube-proxy/service-terms.c \
	utilities/ovs-kube-proxy/service-udp.c
utilities_ovs_kube_proxy_ovs_kube_proxy_CPPFLAGS = $(KUBE_CPPFLAGS) \
	-DEXT_VERSION='"$(PACKAGE_VERSION)"'
utilities_ovs_kube_proxy_ovs_kube_proxy_LDADD = \
	utilities/ovs-kube-proxy/libkube-api.la \
	utilities/ovs-kube-proxy/libkube-service.la \
	utilities/ovs-kube-proxy/libof-sync.la \
	$(KUBE_LIBS)
$(utilities_ovs_kube_proxy_ovs_kube_proxy_OBJECTS): | $(OVS)/headers.stamp

# With the version of configure.ac.
man_MANS = utilities/ovs-kube-proxy/ovs-kube-proxy.8
utilities/ovs-kube-proxy/ovs-kube-proxy.8: \
    utilities/ovs-kube-proxy/ovs-kube-proxy.8.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed 's,[@]VERSION[@],$(PACKAGE_VERSION),g' \
	    $(srcdir)/utilities/ovs-kube-proxy/ovs-kube-proxy.8.in > $@.tmp && \
	mv $@.tmp $@
CLEANFILES += $(man_MANS)

# What links it is linked again when it changed: 'extended' is phony, the
# recipe is there for make to look at the file again.
$(OVS)/extended/lib/libopenvswitch.la: extended
	@:

# With the folders that the program has been built with.
if BUILD_OPENVSWITCH
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = utilities/ovs-kube-proxy/ovs-kube-proxy.service
endif
utilities/ovs-kube-proxy/ovs-kube-proxy.service: \
    utilities/ovs-kube-proxy/ovs-kube-proxy.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed -e 's,[@]bindir[@],$(bindir),g' \
	    -e 's,[@]rundir[@],$(localstatedir)/run/openvswitch,g' \
	    -e 's,[@]logdir[@],$(localstatedir)/log/openvswitch,g' \
	    $(srcdir)/utilities/ovs-kube-proxy/ovs-kube-proxy.service.in > $@.tmp && \
	mv $@.tmp $@
CLEANFILES += utilities/ovs-kube-proxy/ovs-kube-proxy.service

EXTRA_DIST += \
	utilities/ovs-kube-proxy/daemonset.yaml \
	utilities/ovs-kube-proxy/ovs-kube-proxy.8.in \
	utilities/ovs-kube-proxy/ovs-kube-proxy.service.in
