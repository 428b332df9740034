# SPDX-License-Identifier: Apache-2.0

# A cluster of Kubernetes
# =======================

EXTRA_DIST += \
	tests/cluster/control.py \
	tests/cluster/coredns.py \
	tests/cluster/demo.py \
	tests/cluster/e2e-left-out \
	tests/cluster/e2e.py \
	tests/cluster/e2e_images.py \
	tests/cluster/host.py \
	tests/cluster/images.py \
	tests/cluster/killer \
	tests/cluster/lookups.py \
	tests/cluster/machines.py \
	tests/cluster/objects.py \
	tests/cluster/pause.c \
	tests/cluster/run \
	tests/cluster/tests_changes.py \
	tests/cluster/tests_dns.py \
	tests/cluster/tests_kills.py \
	tests/cluster/tests_nodes.py \
	tests/cluster/tests_pods.py \
	tests/cluster/traffic.py

# CLUSTERTESTFLAGS names tests.
#: check-cluster     a Kubernetes cluster of two nodes on this machine, as root
.PHONY: check-cluster
check-cluster: extended utilities/ovs-ext-cni/ovs-ext-cni \
    utilities/ovs-ext-node/ovs-ext-node \
    utilities/ovs-kube-proxy/ovs-kube-proxy
	$(AM_V_at)/usr/bin/python3 $(srcdir)/tests/cluster/run \
	    $(abs_top_builddir) $(CLUSTERTESTFLAGS)

# E2EFLAGS are regular expressions for the names of tests.
#: check-e2e         Kubernetes' own tests of the network in it, as root
.PHONY: check-e2e
check-e2e: extended utilities/ovs-ext-cni/ovs-ext-cni \
    utilities/ovs-ext-node/ovs-ext-node \
    utilities/ovs-kube-proxy/ovs-kube-proxy
	$(AM_V_at)/usr/bin/python3 $(srcdir)/tests/cluster/run \
	    $(abs_top_builddir) --e2e $(E2EFLAGS)
