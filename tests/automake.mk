# SPDX-License-Identifier: Apache-2.0

# Each folder has a floor of tests, and its own targets:
#
#   lint/         make lint, check-layers
#   unit/         make check-unit, check-valgrind, check-asan, check-peers
#   fuzz/         make fuzz
#   autotest/     make check-autotest: on the dummy datapath
#   system/ ovn/  make check-system: with the DPDK datapath and network
#                 namespaces, as root
#   kube/         make check-kube, as root
#   cni/          make check-cni, as root
#   node/         make check-node, as root
#   cluster/      make check-cluster, as root
#   ovs/          make check-ovs, check-ovs-system: Open vSwitch's own suites
#   equivalence/  make check-equivalence, check-equivalence-unit,
#                 check-equivalence-threads, check-mutations
#   sanitized/    make check-sanitized
#   packages/     make check-packages, as root
#   releases/     other releases of Open vSwitch, in a chroot: releases/run
#   bench/        make bench
#   python/       no tests: what several floors share
#   fuse-on/      no tests: with FUSE=on, check-autotest, check-system,
#                 check-kube and check-ovs start each switch with the fused
#                 flow cache on
#
# 'make check' runs those that need neither root nor network.

EXTRA_DIST += tests/run.sh tests/releases/run

include tests/lint/automake.mk
include tests/unit/automake.mk
include tests/fuzz/automake.mk
include tests/python/automake.mk
include tests/autotest/automake.mk
include tests/system/automake.mk
include tests/ovn/automake.mk
include tests/kube/automake.mk
include tests/cni/automake.mk
include tests/node/automake.mk
include tests/cluster/automake.mk
include tests/ovs/automake.mk
include tests/sanitized/automake.mk
include tests/equivalence/automake.mk
include tests/bench/automake.mk
include tests/packages/automake.mk

if BUILD_OPENVSWITCH
CHECK_AUTOTEST = check-autotest
CHECK_SUITES = tests/testsuite tests/system-testsuite tests/atconfig \
	tests/atlocal
endif
#: check-programs    build what the checks run
.PHONY: check-programs
check-programs: $(check_PROGRAMS) $(CHECK_SUITES)

check-local: check-unit $(CHECK_AUTOTEST)
