# SPDX-License-Identifier: Apache-2.0

SYSTEM_TESTSUITE_AT = \
	tests/system/system-fuse.at \
	tests/system/system-gtpu.at \
	tests/system/system-gtpu-macros.at \
	tests/system/system-gtpu-network.at \
	tests/system/system-gtpu-wire.at \
	tests/system/system-gtpu-signalling.at \
	tests/system/system-lb.at \
	tests/system/system-macros.at \
	$(OVN_AT) \
	tests/system/system-robustness.at \
	tests/system/system-testsuite.at


EXTRA_DIST += \
	$(SYSTEM_TESTSUITE_AT) \
	tests/system/gtpu-traffic.py \
	tests/system/lb-storm.py \
	tests/system/system-traffic.py

tests/system-testsuite: $(SYSTEM_TESTSUITE_AT) tests/autotest/ext-macros.at \
    tests/package.m4 $(OVS)/pristine.stamp
	$(AM_V_GEN)$(AUTOTEST) -o $@.tmp $(srcdir)/tests/system/system-testsuite.at
	$(AM_V_at)mv $@.tmp $@


#: check-system      with DPDK and network namespaces, as root
.PHONY: check-system
# One PMD thread at a time: no -j.
check-system: extended utilities/ovs-kube-proxy/ovs-kube-proxy \
    tests/system-testsuite tests/atconfig tests/atlocal
	$(AM_V_at)network=; suite=system-testsuite; $(RUN_TESTSUITE) -j1; \
	    $(FUSE_SUMMARY)
