# SPDX-License-Identifier: Apache-2.0

# Tests of ovs-ext-cni
# ====================

EXTRA_DIST += \
	tests/cni/run \
	tests/cni/tests_agent.py \
	tests/cni/tests_attach.py \
	tests/cni/tests_bandwidth.py \
	tests/cni/tests_errors.py \
	tests/cni/tests_kill.py \
	tests/cni/tests_switch.py \
	tests/cni/tests_vhost.py \
	tests/cni/world.py

# CNITESTFLAGS names tests.
#: check-cni         ovs-ext-cni with a switch and network namespaces, as root
.PHONY: check-cni
check-cni: extended utilities/ovs-ext-cni/ovs-ext-cni
	$(AM_V_at)/usr/bin/python3 $(srcdir)/tests/cni/run \
	    $(abs_top_builddir) $(CNITESTFLAGS)
