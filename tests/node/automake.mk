# SPDX-License-Identifier: Apache-2.0

# Tests of ovs-ext-node
# =====================

EXTRA_DIST += \
	tests/node/nodes.py \
	tests/node/run \
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
