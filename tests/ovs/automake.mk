# SPDX-License-Identifier: Apache-2.0

# Open vSwitch's own suites, compared with stock's.  They take OVSSUITEFLAGS:
# see tests/ovs/run --help.

EXTRA_DIST += \
	tests/ovs/known-failures \
	tests/ovs/run

#: check-ovs         Open vSwitch's own suite, compared (OVSSUITEFLAGS)
#: check-ovs-system  Open vSwitch's own system tests, the same way, as root
.PHONY: check-ovs check-ovs-system
check-ovs: extended
	$(AM_V_at)FUSE=$(FUSE) \
	    $(srcdir)/tests/ovs/run $(OVSSUITEFLAGS) $(OVS)/extended

check-ovs-system: extended stock
	$(AM_V_at)FUSE=$(FUSE) \
	    $(srcdir)/tests/ovs/run --system --stock $(OVS)/stock \
	    $(OVSSUITEFLAGS) $(OVS)/extended
