# SPDX-License-Identifier: Apache-2.0

# Tests of ovs-ext-node
# =====================

if BUILD_OPENVSWITCH
NODE_UNIT_TESTS = tests/node/test-node-cluster
endif
if HAVE_CMOCKA
check_PROGRAMS += $(NODE_UNIT_TESTS)
endif
EXTRA_PROGRAMS += tests/node/test-node-cluster
tests_node_test_node_cluster_SOURCES = tests/node/test-node-cluster.c \
	utilities/common/complain.c \
	utilities/ovs-ext-node/node-cluster.c \
	$(KUBE_OBJECT_SOURCES)
tests_node_test_node_cluster_CPPFLAGS = $(KUBE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_node_test_node_cluster_CFLAGS = $(AM_CFLAGS) $(TEST_SANITIZE_CFLAGS)
tests_node_test_node_cluster_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_node_test_node_cluster_OBJECTS): | $(OVS)/headers.stamp

EXTRA_DIST += \
	tests/node/direct.py \
	tests/node/nodes.py \
	tests/node/run \
	tests/node/tests_direct.py \
	tests/node/tests_faults.py \
	tests/node/tests_node.py

# NODETESTFLAGS names tests.
#: check-node        ovs-ext-node with two nodes as network namespaces, as root
.PHONY: check-node
check-node: extended utilities/ovs-ext-cni/ovs-ext-cni \
    utilities/ovs-ext-node/ovs-ext-node \
    utilities/ovs-kube-proxy/ovs-kube-proxy
	$(AM_V_at)/usr/bin/python3 $(srcdir)/tests/node/run \
	    $(abs_top_builddir) $(NODETESTFLAGS)
