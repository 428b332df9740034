# SPDX-License-Identifier: Apache-2.0

# What a node has to do, out of the objects.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/ovs-kube-proxy/libkube-service.la
endif
utilities_ovs_kube_proxy_libkube_service_la_SOURCES = \
	$(KUBE_SERVICE_SOURCES) \
	utilities/ovs-kube-proxy/service/gateway-attach.h \
	utilities/ovs-kube-proxy/service/gateway-model.h \
	utilities/ovs-kube-proxy/service/gateway-parse.h \
	utilities/ovs-kube-proxy/service/gateway-route.h \
	utilities/ovs-kube-proxy/service/gateway-spread.h \
	utilities/ovs-kube-proxy/service/gateway-status.h \
	utilities/ovs-kube-proxy/service/gateway-store-private.h \
	utilities/ovs-kube-proxy/service/gateway-store.h \
	utilities/ovs-kube-proxy/service/kube-parse.h \
	utilities/ovs-kube-proxy/service/kube-peers.h \
	utilities/ovs-kube-proxy/service/kube-store-private.h \
	utilities/ovs-kube-proxy/service/kube-store.h \
	utilities/ovs-kube-proxy/service/service-candidates-private.h \
	utilities/ovs-kube-proxy/service/service-equal.h \
	utilities/ovs-kube-proxy/service/service-format.h \
	utilities/ovs-kube-proxy/service/service-journal.h \
	utilities/ovs-kube-proxy/service/service-json.h \
	utilities/ovs-kube-proxy/service/service-model.h \
	utilities/ovs-kube-proxy/service/service-policy.h \
	utilities/ovs-kube-proxy/service/service-ranges.h \
	utilities/ovs-kube-proxy/service/service-time.h
KUBE_SERVICE_SOURCES = \
	utilities/ovs-kube-proxy/service/gateway-attach.c \
	utilities/ovs-kube-proxy/service/gateway-parse.c \
	utilities/ovs-kube-proxy/service/gateway-route.c \
	utilities/ovs-kube-proxy/service/gateway-spread.c \
	utilities/ovs-kube-proxy/service/gateway-status.c \
	utilities/ovs-kube-proxy/service/gateway-store-status.c \
	utilities/ovs-kube-proxy/service/gateway-store.c \
	utilities/ovs-kube-proxy/service/kube-parse.c \
	utilities/ovs-kube-proxy/service/kube-peers.c \
	utilities/ovs-kube-proxy/service/kube-store-results.c \
	utilities/ovs-kube-proxy/service/kube-store.c \
	utilities/ovs-kube-proxy/service/service-candidates.c \
	utilities/ovs-kube-proxy/service/service-direct.c \
	utilities/ovs-kube-proxy/service/service-equal.c \
	utilities/ovs-kube-proxy/service/service-format.c \
	utilities/ovs-kube-proxy/service/service-journal.c \
	utilities/ovs-kube-proxy/service/service-json.c \
	utilities/ovs-kube-proxy/service/service-policy.c \
	utilities/ovs-kube-proxy/service/service-ranges.c \
	utilities/ovs-kube-proxy/service/service-time.c
utilities_ovs_kube_proxy_libkube_service_la_CPPFLAGS = $(KUBE_CPPFLAGS)
$(utilities_ovs_kube_proxy_libkube_service_la_OBJECTS): | $(OVS)/headers.stamp

# The program.
if BUILD_OPENVSWITCH
bin_PROGRAMS = utilities/ovs-kube-proxy/ovs-kube-proxy
endif
utilities_ovs_kube_proxy_ovs_kube_proxy_SOURCES = \
	utilities/ovs-kube-proxy/ovs-kube-proxy.c \
	utilities/ovs-kube-proxy/pipeline/service-addrs.c \
	utilities/ovs-kube-proxy/pipeline/service-addrs.h \
	utilities/ovs-kube-proxy/pipeline/service-base.c \
	utilities/ovs-kube-proxy/pipeline/service-base.h \
	utilities/ovs-kube-proxy/pipeline/service-claims.c \
	utilities/ovs-kube-proxy/pipeline/service-claims.h \
	utilities/ovs-kube-proxy/pipeline/service-config.c \
	utilities/ovs-kube-proxy/pipeline/service-config.h \
	utilities/ovs-kube-proxy/pipeline/service-errors.c \
	utilities/ovs-kube-proxy/pipeline/service-errors.h \
	utilities/ovs-kube-proxy/pipeline/service-explain.c \
	utilities/ovs-kube-proxy/pipeline/service-explain.h \
	utilities/ovs-kube-proxy/pipeline/service-flows.c \
	utilities/ovs-kube-proxy/pipeline/service-flows.h \
	utilities/ovs-kube-proxy/pipeline/service-groups.c \
	utilities/ovs-kube-proxy/pipeline/service-groups.h \
	utilities/ovs-kube-proxy/pipeline/service-hairpins.c \
	utilities/ovs-kube-proxy/pipeline/service-hairpins.h \
	utilities/ovs-kube-proxy/pipeline/service-handover.c \
	utilities/ovs-kube-proxy/pipeline/service-handover.h \
	utilities/ovs-kube-proxy/pipeline/service-metrics.c \
	utilities/ovs-kube-proxy/pipeline/service-metrics.h \
	utilities/ovs-kube-proxy/pipeline/service-node.c \
	utilities/ovs-kube-proxy/pipeline/service-node.h \
	utilities/ovs-kube-proxy/pipeline/service-options.h \
	utilities/ovs-kube-proxy/pipeline/service-pipeline.c \
	utilities/ovs-kube-proxy/pipeline/service-pipeline.h \
	utilities/ovs-kube-proxy/pipeline/service-port.c \
	utilities/ovs-kube-proxy/pipeline/service-port.h \
	utilities/ovs-kube-proxy/pipeline/service-put.c \
	utilities/ovs-kube-proxy/pipeline/service-put.h \
	utilities/ovs-kube-proxy/pipeline/service-recall.c \
	utilities/ovs-kube-proxy/pipeline/service-recall.h \
	utilities/ovs-kube-proxy/pipeline/service-reject.c \
	utilities/ovs-kube-proxy/pipeline/service-reject.h \
	utilities/ovs-kube-proxy/pipeline/service-show.c \
	utilities/ovs-kube-proxy/pipeline/service-show.h \
	utilities/ovs-kube-proxy/pipeline/service-state.h \
	utilities/ovs-kube-proxy/pipeline/service-tables.h \
	utilities/ovs-kube-proxy/pipeline/service-terms.c \
	utilities/ovs-kube-proxy/pipeline/service-terms.h \
	utilities/ovs-kube-proxy/pipeline/service-udp.c \
	utilities/ovs-kube-proxy/pipeline/service-udp.h \
	utilities/ovs-kube-proxy/proxy-compat.c \
	utilities/ovs-kube-proxy/proxy-compat.h \
	utilities/ovs-kube-proxy/proxy-configz.c \
	utilities/ovs-kube-proxy/proxy-configz.h \
	utilities/ovs-kube-proxy/proxy-explain.c \
	utilities/ovs-kube-proxy/proxy-explain.h \
	utilities/ovs-kube-proxy/proxy-options.c \
	utilities/ovs-kube-proxy/proxy-options.h \
	utilities/ovs-kube-proxy/proxy-page.c \
	utilities/ovs-kube-proxy/proxy-page.h \
	utilities/ovs-kube-proxy/proxy-ports.c \
	utilities/ovs-kube-proxy/proxy-ports.h
utilities_ovs_kube_proxy_ovs_kube_proxy_CPPFLAGS = $(KUBE_CPPFLAGS) \
	-DEXT_VERSION='"$(PACKAGE_VERSION)"' -I.
utilities_ovs_kube_proxy_ovs_kube_proxy_LDADD = \
	utilities/ovs-kube-proxy/libkube-service.la \
	utilities/kube/libkube.la \
	utilities/of-sync/libof-sync.la \
	utilities/common/libcommon.la \
	$(KUBE_LIBS)
$(utilities_ovs_kube_proxy_ovs_kube_proxy_OBJECTS): | $(OVS)/headers.stamp

# The page, as a C string.
utilities/ovs-kube-proxy/page.inc: utilities/ovs-kube-proxy/page.html
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' \
	    $(srcdir)/utilities/ovs-kube-proxy/page.html > $@.tmp && \
	mv $@.tmp $@
$(utilities_ovs_kube_proxy_ovs_kube_proxy_OBJECTS): \
    utilities/ovs-kube-proxy/page.inc
CLEANFILES += utilities/ovs-kube-proxy/page.inc

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

# For Grafana and Prometheus.
monitoringdir = $(datadir)/openvswitch-ext/monitoring
if BUILD_OPENVSWITCH
dist_monitoring_DATA = \
	utilities/ovs-kube-proxy/monitoring/alerts.yaml \
	utilities/ovs-kube-proxy/monitoring/dashboard.json
endif

EXTRA_DIST += \
	utilities/ovs-kube-proxy/Containerfile \
	utilities/ovs-kube-proxy/daemonset.yaml \
	utilities/ovs-kube-proxy/page.html \
	utilities/ovs-kube-proxy/ovs-kube-proxy.8.in \
	utilities/ovs-kube-proxy/ovs-kube-proxy.service.in
