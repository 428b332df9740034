# SPDX-License-Identifier: Apache-2.0

# 'make bench': the stock and the extended switch, measured in turn.
# ===================================================================
#
#   make bench                              everything
#   make bench BENCH='lb svc' FLOWS='10k'   only these rows and flow counts
#   make bench BENCHFLAGS=--quick           short rounds
#   make bench BENCHFLAGS=--help            more
#
# See Documentation/internals/benchmarks.md.

EXTRA_DIST += \
	tests/bench/bench-cni.py \
	tests/bench/bench-kube.py \
	tests/bench/bench-lb-changes.py \
	tests/bench/bench-lb-sticky.c \
	tests/bench/bench-lb.py \
	tests/bench/bench-traffic.c \
	tests/bench/run \
	tests/bench/chart.py \
	tests/bench/conns.py \
	tests/bench/cores.py \
	tests/bench/measure.py \
	tests/bench/packets.py \
	tests/bench/report.py \
	tests/bench/switch.py \
	tests/bench/tcp.py \
	tests/bench/traffic.py \
	tests/bench/vhost.py \
	tests/bench/workloads.py

# Preloaded into ovs-vswitchd; built without libtool.
tests/bench/bench-traffic.so: tests/bench/bench-traffic.c
	$(AM_V_at)$(MKDIR_P) tests/bench
	$(AM_V_CC)$(CC) $(CFLAGS) -Wall -Wextra -shared -fPIC \
	    `pkg-config --cflags libdpdk` -o $@ $<
CLEANFILES += tests/bench/bench-traffic.so

#: bench             measure stock and extended in turn (BENCH, FLOWS)
.PHONY: bench
bench: extended stock tests/bench/bench-traffic.so
	/usr/bin/python3 $(srcdir)/tests/bench/run --build . \
	    --library tests/bench/bench-traffic.so --output bench-results \
	    --rows '$(BENCH)' --flows '$(FLOWS)' $(BENCHFLAGS)
