# SPDX-License-Identifier: Apache-2.0

# The packages of 'make deb', installed in a fresh Debian with a systemd of its
# own.

EXTRA_DIST += \
	tests/packages/boot \
	tests/packages/machine.sh \
	tests/packages/readme \
	tests/packages/restart-traffic.py \
	tests/packages/restarts \
	tests/packages/run

#: check-packages    install, upgrade and purge what make deb made, as root
.PHONY: check-packages
check-packages: deb
	$(AM_V_at)$(srcdir)/tests/packages/run deb

#: check-readme      README's example with what make deb made, as root
.PHONY: check-readme
check-readme: deb
	$(AM_V_at)$(srcdir)/tests/packages/readme deb

#: check-restarts    what a restart of the switch does to flows, as root
.PHONY: check-restarts
check-restarts: deb
	$(AM_V_at)$(srcdir)/tests/packages/restarts deb
