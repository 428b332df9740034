# SPDX-License-Identifier: Apache-2.0

# Unit tests of lib/
# ==================
#
# 'make check-unit' runs them as they are built, 'make check-valgrind' under
# valgrind, and 'make check-asan' builds lib/ and them once more, below asan/,
# with AddressSanitizer and UndefinedBehaviorSanitizer.  'make check-peers'
# compares the GTP-U codec with scapy's and tshark's.

UNIT_TESTS = \
	tests/unit/test-fuse \
	tests/unit/test-gtpu \
	tests/unit/test-gtpu-build \
	tests/unit/test-gtpu-limit \
	tests/unit/test-gtpu-path \
	tests/unit/test-lb-sticky \
	tests/unit/test-lb-sticky-schedules \
	tests/unit/test-lb-table \
	tests/unit/test-maglev \
	tests/unit/test-siphash

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS) tests/fuzz/replay-gtpu-parse \
	tests/unit/gtpu-codec-tool
endif
UNIT_LDADD = lib/libext.la $(CMOCKA_LIBS) -lm

GTPU_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib -I$(srcdir)/tests

tests_unit_test_gtpu_SOURCES = tests/unit/test-gtpu.c tests/unit/gtpu-hex.h \
	tests/unit/gtpu-naive.c tests/unit/gtpu-naive.h
tests_unit_test_gtpu_CPPFLAGS = $(GTPU_CPPFLAGS)
tests_unit_test_gtpu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_build_SOURCES = tests/unit/test-gtpu-build.c tests/unit/gtpu-hex.h
tests_unit_test_gtpu_build_CPPFLAGS = $(GTPU_CPPFLAGS)
tests_unit_test_gtpu_build_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_build_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_path_SOURCES = tests/unit/test-gtpu-path.c
tests_unit_test_gtpu_path_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_path_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_limit_SOURCES = tests/unit/test-gtpu-limit.c
tests_unit_test_gtpu_limit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_limit_LDADD = $(UNIT_LDADD) -lpthread

# The fuzz target's corpus, without a fuzzer: see the target on how to fuzz.
tests_fuzz_replay_gtpu_parse_SOURCES = tests/fuzz/fuzz-gtpu-parse.c \
	tests/unit/gtpu-naive.c tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_parse_CPPFLAGS = $(GTPU_CPPFLAGS) -DFUZZ_REPLAY
tests_fuzz_replay_gtpu_parse_LDADD = lib/libext.la

# The same of decapsulation, which needs Open vSwitch: what decapsulates, and
# what of Open vSwitch reads packets, is compiled once more, with sanitizers.
# 'make fuzz' fuzzes both, each for FUZZ_SECONDS.
DECAP_WRAP = -Wl,--wrap=gtpu_drop_count,--wrap=gtpu_vport_carried \
	-Wl,--wrap=gtpu_answer_admit,--wrap=gtpu_underlay_find \
	-Wl,--wrap=ovs_router_lookup,--wrap=rte_malloc,--wrap=rte_free \
	-Wl,--wrap=rte_malloc_virt2iova
DECAP_SOURCES = \
	tests/fuzz/fuzz-gtpu-decap.c \
	tests/unit/gtpu-naive.c \
	datapath-dpdk/gtpu/gtpu-decap.c \
	datapath-dpdk/gtpu/gtpu-linear.c \
	datapath-dpdk/gtpu/gtpu-psc.c \
	datapath-dpdk/gtpu/gtpu-reply.c \
	datapath-dpdk/gtpu/gtpu-signalling.c \
	datapath-dpdk/gtpu/gtpu-tunnel.c \
	lib/gtpu/gtpu-build.c \
	lib/gtpu/gtpu-ie.c \
	lib/gtpu/gtpu-parse.c \
	lib/gtpu/gtpu-tlv.c
DECAP_OVS = csum.c dp-packet.c flow.c packets.c
if BUILD_OPENVSWITCH
if HAVE_CMOCKA
DECAP_REPLAY = tests/fuzz/replay-gtpu-decap
endif
endif
check_PROGRAMS += $(DECAP_REPLAY)
EXTRA_PROGRAMS = tests/fuzz/replay-gtpu-decap
tests_fuzz_replay_gtpu_decap_SOURCES = $(DECAP_SOURCES) tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_decap_CPPFLAGS = $(OVS_CPPFLAGS) -I$(srcdir)/lib \
	-DFUZZ_REPLAY
tests_fuzz_replay_gtpu_decap_CFLAGS = $(AM_CFLAGS) $(TEST_SANITIZE_CFLAGS)
tests_fuzz_replay_gtpu_decap_LDFLAGS = $(DECAP_WRAP)
tests_fuzz_replay_gtpu_decap_LDADD = $(OVS)/extended/lib/libopenvswitch.la
$(tests_fuzz_replay_gtpu_decap_OBJECTS): | $(OVS)/headers.stamp

FUZZ_SECONDS = 600
FUZZ_CC = clang -g -O1 -march=x86-64-v2 -fno-sanitize-recover=all
FUZZ_SANITIZE = -fsanitize=fuzzer,address,undefined
# Open vSwitch has atomics of its own for Clang, which do not go together with
# C11's.
FUZZ_ATOMICS = '-D__has_extension(x)=0' -Wno-builtin-macro-redefined
.PHONY: fuzz
fuzz: extended
	@$(MKDIR_P) fuzz/gtpu-parse fuzz/gtpu-decap
	$(AM_V_GEN)$(FUZZ_CC) $(FUZZ_SANITIZE) -I$(srcdir)/lib \
	    -I$(srcdir)/tests $(srcdir)/tests/fuzz/fuzz-gtpu-parse.c \
	    $(srcdir)/tests/unit/gtpu-naive.c $(srcdir)/lib/gtpu/gtpu-build.c \
	    $(srcdir)/lib/gtpu/gtpu-ie.c $(srcdir)/lib/gtpu/gtpu-parse.c \
	    -o fuzz/fuzz-gtpu-parse
	$(AM_V_GEN)$(LIBTOOL) --silent --tag=CC --mode=link $(FUZZ_CC) \
	    $(FUZZ_SANITIZE) $(FUZZ_ATOMICS) -w $(OVS_CPPFLAGS) \
	    -I$(srcdir)/lib \
	    $(DECAP_SOURCES:%=$(srcdir)/%) \
	    $(DECAP_OVS:%=$(OVS)/extended-source/lib/%) \
	    $(DECAP_WRAP) $(OVS)/extended/lib/libopenvswitch.la \
	    -o fuzz/fuzz-gtpu-decap
	@for t in parse decap; do \
	    fuzz/fuzz-gtpu-$$t -max_len=4096 -print_final_stats=1 \
	        -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=fuzz/ \
	        fuzz/gtpu-$$t $(srcdir)/tests/fuzz/corpus/gtpu-$$t \
	        > fuzz/gtpu-$$t.log 2>&1; status=$$?; \
	    tail -n 12 fuzz/gtpu-$$t.log; \
	    test $$status = 0 || exit 1; \
	done

# Other implementations of GTP-U: scapy and tshark.
tests_unit_gtpu_codec_tool_SOURCES = tests/unit/gtpu-codec-tool.c tests/unit/gtpu-hex.h
tests_unit_gtpu_codec_tool_CPPFLAGS = $(GTPU_CPPFLAGS)
tests_unit_gtpu_codec_tool_LDADD = lib/libext.la

EXTRA_DIST += tests/fuzz/corpus tests/unit/test-gtpu-peers.py

tests_unit_test_fuse_SOURCES = tests/unit/test-fuse.c
tests_unit_test_fuse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_LDADD = $(UNIT_LDADD)

tests_unit_test_lb_sticky_SOURCES = tests/unit/test-lb-sticky.c
tests_unit_test_lb_sticky_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_sticky_LDFLAGS = -Wl,--wrap=mmap,--wrap=numa_available
tests_unit_test_lb_sticky_LDADD = $(UNIT_LDADD) -lpthread

# Includes lib/lb/lb-sticky.c, to interrupt it at each access to memory.
tests_unit_test_lb_sticky_schedules_SOURCES = tests/unit/test-lb-sticky-schedules.c
tests_unit_test_lb_sticky_schedules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_sticky_schedules_LDADD = $(CMOCKA_LIBS) -lpthread

EXTRA_DIST += \
	tests/bench/bench-lb-changes.py \
	tests/bench/bench-lb-sticky.c \
	tests/bench/bench-lb.py
include tests/bench/automake.mk
include tests/equivalence/automake.mk

tests_unit_test_lb_table_SOURCES = tests/unit/test-lb-table.c
tests_unit_test_lb_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_table_LDADD = $(UNIT_LDADD)

tests_unit_test_maglev_SOURCES = tests/unit/test-maglev.c
tests_unit_test_maglev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_maglev_LDFLAGS = -Wl,--wrap=malloc
tests_unit_test_maglev_LDADD = $(UNIT_LDADD)

tests_unit_test_siphash_SOURCES = tests/unit/test-siphash.c
tests_unit_test_siphash_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_siphash_LDADD = $(UNIT_LDADD)

.PHONY: check-unit check-valgrind check-asan check-peers
if HAVE_CMOCKA
check-unit: $(check_PROGRAMS)
	@for t in $(UNIT_TESTS) $(KUBE_UNIT_TESTS); do ./$$t || exit 1; done
	tests/fuzz/replay-gtpu-parse $(srcdir)/tests/fuzz/corpus/gtpu-parse
	@for t in $(DECAP_REPLAY); do \
	    $$t $(srcdir)/tests/fuzz/corpus/gtpu-decap || exit 1; \
	done
	@for t in $(KUBE_REPLAY); do \
	    $$t $(srcdir)/tests/fuzz/corpus/kube-yaml || exit 1; \
	done
check-peers: tests/unit/gtpu-codec-tool
	/usr/bin/python3 $(srcdir)/tests/unit/test-gtpu-peers.py tests/unit/gtpu-codec-tool
check-valgrind: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do \
	    TEST_LIGHT=1 $(LIBTOOL) --mode=execute valgrind -q --leak-check=full \
	        --error-exitcode=1 ./$$t || exit 1; \
	done
check-asan:
	@$(MKDIR_P) asan
	@cd asan && { test -f config.status || \
	    $(abs_top_srcdir)/configure --disable-openvswitch -q \
	        --enable-sanitizers=address,undefined > configure.out; }
	@cd asan && TEST_LIGHT=1 $(MAKE) check-unit
else
check-unit check-valgrind check-asan check-peers:
	@echo "cmocka is missing: install the Debian package 'libcmocka-dev'" >&2
	@exit 1
endif

# Test suites made by autotest.  They use Open vSwitch's own macros, which come
# from its unpacked source when the suite is generated, and run the programs of
# the extended build.
#
#   make check         ours, on the dummy datapath
#   make check-system  with the DPDK datapath and network namespaces, as root
#   make check-ovs     Open vSwitch's own suite, compared with stock's
#   make check-ovs-system
#                      Open vSwitch's own system tests, compared with stock:
#                      not part of check
#   make check-sanitized
#                      check-system, or SANITIZED=check-autotest or
#                      check-equivalence, with AddressSanitizer and then with
#                      ThreadSanitizer, each of which needs a build of Open
#                      vSwitch: not part of check
#
# Each takes TESTSUITEFLAGS: '-j4', '-k lb', '3-5 -v'.  Those of Open vSwitch take
# OVSSUITEFLAGS instead; see tests/ovs/run-ovs-suite --help.  With FUSE=on they, and
# check-kube, start each switch with the fused flow cache on.

TESTSUITE_AT = \
	tests/autotest/ext-macros.at \
	tests/autotest/fuse.at \
	tests/autotest/fuse-tunnel.at \
	tests/autotest/gtpu.at \
	tests/autotest/gtpu-output.at \
	tests/autotest/gtpu-robustness.at \
	tests/autotest/gtpu-signalling.at \
	tests/autotest/hooks.at \
	tests/autotest/lb-action.at \
	tests/autotest/lb-errors.at \
	tests/autotest/lb-group.at \
	tests/autotest/lb-examples.at \
	tests/autotest/lb-gtpu.at \
	tests/autotest/lb-sticky.at \
	tests/autotest/lb-traffic.at \
	tests/autotest/of-sync.at \
	tests/autotest/testsuite.at
SYSTEM_TESTSUITE_AT = \
	tests/system/system-gtpu.at \
	tests/system/system-gtpu-macros.at \
	tests/system/system-gtpu-network.at \
	tests/system/system-gtpu-wire.at \
	tests/system/system-gtpu-signalling.at \
	tests/system/system-lb.at \
	tests/system/system-macros.at \
	tests/ovn/system-ovn.at \
	tests/ovn/system-ovn-kube.at \
	tests/system/system-robustness.at \
	tests/system/system-testsuite.at

EXTRA_DIST += \
	$(TESTSUITE_AT) \
	$(SYSTEM_TESTSUITE_AT) \
	tests/atlocal.in \
	tests/python/doc-example.py \
	tests/fuse-on/ovs-appctl \
	tests/fuse-on/ovs-vsctl \
	tests/fuse-on/path.sh \
	tests/fuse-on/summary \
	tests/python/fuse-packet.py \
	tests/python/gtpu-packet.py \
	tests/python/gtpu-peer.py \
	tests/python/gtpu-refused.py \
	tests/python/gtpu-networks.py \
	tests/python/gtpu-segments.py \
	tests/system/gtpu-traffic.py \
	tests/autotest/lb-errors.py \
	tests/autotest/lb-gtpu-packets.py \
	tests/system/lb-storm.py \
	tests/python/lb_wire.py \
	tests/ovs/ovs-suite-known-failures \
	tests/ovs/run-ovs-suite \
	tests/sanitized/run-sanitized \
	tests/run.sh \
	tests/sanitized/sanitizer-suppressions-thread \
	tests/autotest/send-group.py \
	tests/ovn/system-ovn-traffic.py \
	tests/system/system-traffic.py

AUTOTEST = $(AUTOM4TE) --language=autotest \
	-I tests -I $(srcdir) -I $(OVS)/pristine
FUSE = off
RUN_TESTSUITE = \
	d=$(abs_top_builddir)/$(OVS)/extended; \
	f=; s=; \
	if test "$(FUSE)" = on; then \
	    f=$(abs_srcdir)/tests/fuse-on:; \
	    s=$(abs_top_builddir)/tests/$$suite.fuse; \
	    rm -f $$s; \
	fi; \
	FUSE=$(FUSE) FUSE_SHOWN=$$s \
	$(SHELL) tests/$$suite -C tests $(TESTSUITEFLAGS) \
	    AUTOTEST_PATH=$$f$$d/utilities:$$d/vswitchd:$$d/ovsdb:$$d/tests
# What RUN_TESTSUITE ends with.
FUSE_SUMMARY = \
	status=$$?; \
	test -z "$$s" || $(srcdir)/tests/fuse-on/summary $$s || status=1; \
	exit $$status

tests/package.m4: Makefile
	$(AM_V_at)$(MKDIR_P) tests
	$(AM_V_GEN){ \
	  echo '# Signature of the current package.'; \
	  echo 'm4_define([AT_PACKAGE_NAME],      [$(PACKAGE_NAME)])'; \
	  echo 'm4_define([AT_PACKAGE_TARNAME],   [$(PACKAGE_TARNAME)])'; \
	  echo 'm4_define([AT_PACKAGE_VERSION],   [$(PACKAGE_VERSION)])'; \
	  echo 'm4_define([AT_PACKAGE_STRING],    [$(PACKAGE_STRING)])'; \
	  echo 'm4_define([AT_PACKAGE_BUGREPORT], [$(PACKAGE_BUGREPORT)])'; \
	} > $@

# What Open vSwitch's macros take for the source and the build are the extended
# ones; only the tests are ours.
tests/atconfig: Makefile
	$(AM_V_at)$(MKDIR_P) tests
	$(AM_V_GEN){ \
	  echo "at_testdir='tests'"; \
	  echo "abs_builddir='$(abs_top_builddir)/tests'"; \
	  echo "at_srcdir='$(abs_top_srcdir)/tests'"; \
	  echo "abs_srcdir='$(abs_top_srcdir)/tests'"; \
	  echo "at_top_srcdir='$(abs_top_builddir)/$(OVS)/extended-source'"; \
	  echo "abs_top_srcdir='$(abs_top_builddir)/$(OVS)/extended-source'"; \
	  echo "at_top_build_prefix='../$(OVS)/extended/'"; \
	  echo "abs_top_builddir='$(abs_top_builddir)/$(OVS)/extended'"; \
	  echo "ext_builddir='$(abs_top_builddir)'"; \
	  echo "stock_builddir='$(abs_top_builddir)/$(OVS)/stock'"; \
	  echo "ovn_root='$(abs_top_builddir)/ovn'"; \
	  echo "EXEEXT=''"; \
	  echo "SHELL=\$${CONFIG_SHELL-'$(SHELL)'}"; \
	} > $@

tests/atlocal: $(srcdir)/tests/atlocal.in
	$(AM_V_at)$(MKDIR_P) tests
	$(AM_V_GEN)cp $(srcdir)/tests/atlocal.in $@

tests/testsuite: $(TESTSUITE_AT) tests/package.m4 $(OVS)/pristine.stamp
	$(AM_V_GEN)$(AUTOTEST) -o $@.tmp $(srcdir)/tests/autotest/testsuite.at
	$(AM_V_at)mv $@.tmp $@
tests/system-testsuite: $(SYSTEM_TESTSUITE_AT) tests/autotest/ext-macros.at \
    tests/package.m4 $(OVS)/pristine.stamp
	$(AM_V_GEN)$(AUTOTEST) -o $@.tmp $(srcdir)/tests/system/system-testsuite.at
	$(AM_V_at)mv $@.tmp $@

if BUILD_OPENVSWITCH
CHECK_AUTOTEST = check-autotest
endif
check-local: check-unit $(CHECK_AUTOTEST)

.PHONY: check-autotest check-system check-ovs
check-autotest: extended $(OF_SYNC_TOOL) tests/testsuite tests/atconfig \
    tests/atlocal
	$(AM_V_at)suite=testsuite; $(RUN_TESTSUITE); $(FUSE_SUMMARY)

# One PMD thread at a time: no -j.
check-system: extended utilities/ovs-kube-proxy/ovs-kube-proxy \
    tests/system-testsuite tests/atconfig tests/atlocal
	$(AM_V_at)suite=system-testsuite; $(RUN_TESTSUITE) -j1; $(FUSE_SUMMARY)

check-ovs: extended
	$(AM_V_at)FUSE=$(FUSE) \
	    $(srcdir)/tests/ovs/run-ovs-suite $(OVSSUITEFLAGS) $(OVS)/extended

.PHONY: check-ovs-system
check-ovs-system: extended stock
	$(AM_V_at)FUSE=$(FUSE) \
	    $(srcdir)/tests/ovs/run-ovs-suite --system --stock $(OVS)/stock \
	    $(OVSSUITEFLAGS) $(OVS)/extended

SANITIZED = check-system
.PHONY: check-sanitized
check-sanitized:
	$(AM_V_at)for s in address thread; do \
	    $(srcdir)/tests/sanitized/run-sanitized $$s $(abs_srcdir)/configure \
	        $(SANITIZED) TESTSUITEFLAGS='$(TESTSUITEFLAGS)' || exit 1; \
	done

clean-local: clean-testsuites
.PHONY: clean-testsuites
clean-testsuites:
	for suite in testsuite system-testsuite; do \
	    if test -f tests/$$suite && test -f tests/atconfig; then \
	        $(SHELL) tests/$$suite -C tests --clean; \
	    fi; \
	done
	rm -rf fuzz
	rm -f tests/testsuite tests/system-testsuite tests/*.fuse tests/atconfig \
	    tests/atlocal tests/package.m4
