# SPDX-License-Identifier: Apache-2.0

if BUILD_OPENVSWITCH
bin_PROGRAMS += utilities/ovs-ext-node/ovs-ext-node
endif
utilities_ovs_ext_node_ovs_ext_node_SOURCES = \
	$(RT_NETLINK_SOURCES) \
	utilities/ovs-ext-node/node-address.c \
	utilities/ovs-ext-node/node-address.h \
	utilities/ovs-ext-node/node-cluster.c \
	utilities/ovs-ext-node/node-cluster.h \
	utilities/ovs-ext-node/node-database-private.h \
	utilities/ovs-ext-node/node-database.c \
	utilities/ovs-ext-node/node-database.h \
	utilities/ovs-ext-node/node-features.c \
	utilities/ovs-ext-node/node-features.h \
	utilities/ovs-ext-node/node-flows.c \
	utilities/ovs-ext-node/node-flows.h \
	utilities/ovs-ext-node/node-host.c \
	utilities/ovs-ext-node/node-host.h \
	utilities/ovs-ext-node/node-kept.c \
	utilities/ovs-ext-node/node-kept.h \
	utilities/ovs-ext-node/node-kernel.h \
	utilities/ovs-ext-node/node-link.c \
	utilities/ovs-ext-node/node-link.h \
	utilities/ovs-ext-node/node-model.h \
	utilities/ovs-ext-node/node-options.c \
	utilities/ovs-ext-node/node-options.h \
	utilities/ovs-ext-node/node-pipeline-private.h \
	utilities/ovs-ext-node/node-pipeline.c \
	utilities/ovs-ext-node/node-pipeline.h \
	utilities/ovs-ext-node/node-pod.c \
	utilities/ovs-ext-node/node-pod.h \
	utilities/ovs-ext-node/node-route.c \
	utilities/ovs-ext-node/node-route.h \
	utilities/ovs-ext-node/node-rule.c \
	utilities/ovs-ext-node/node-rule.h \
	utilities/ovs-ext-node/node-show.c \
	utilities/ovs-ext-node/ovs-ext-node.c
utilities_ovs_ext_node_ovs_ext_node_CPPFLAGS = $(KUBE_CPPFLAGS) \
	$(MNL_CFLAGS) -DEXT_VERSION='"$(PACKAGE_VERSION)"'
utilities_ovs_ext_node_ovs_ext_node_LDADD = \
	utilities/kube/libkube.la \
	utilities/of-sync/libof-sync.la \
	utilities/common/libcommon.la \
	$(KUBE_LIBS) $(MNL_LIBS)
$(utilities_ovs_ext_node_ovs_ext_node_OBJECTS): | $(OVS)/headers.stamp

# With the folders that the program has been built with.
if BUILD_OPENVSWITCH
nodist_systemdunit_DATA += utilities/ovs-ext-node/ovs-ext-node.service
endif
utilities/ovs-ext-node/ovs-ext-node.service: \
    utilities/ovs-ext-node/ovs-ext-node.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed -e 's,[@]bindir[@],$(bindir),g' \
	    -e 's,[@]rundir[@],$(localstatedir)/run/openvswitch,g' \
	    -e 's,[@]logdir[@],$(localstatedir)/log/openvswitch,g' \
	    $(srcdir)/utilities/ovs-ext-node/ovs-ext-node.service.in > $@.tmp && \
	mv $@.tmp $@
CLEANFILES += utilities/ovs-ext-node/ovs-ext-node.service

EXTRA_DIST += \
	utilities/ovs-ext-node/ovs-ext-node.service.in
