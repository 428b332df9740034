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
	tests/unit/test-fuse-gain \
	tests/unit/test-fuse-pace \
	tests/unit/test-fuse-pool \
	tests/unit/test-fuse-tcp \
	tests/unit/test-gtpu \
	tests/unit/test-gtpu-build \
	tests/unit/test-gtpu-limit \
	tests/unit/test-gtpu-path \
	tests/unit/test-lb-sticky \
	tests/unit/test-lb-sticky-schedules \
	tests/unit/test-lb-table \
	tests/unit/test-maglev \
	tests/unit/test-mem-reserve \
	tests/unit/test-mem-slab \
	tests/unit/test-options \
	tests/unit/test-siphash

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS) tests/unit/gtpu-codec-tool
endif
UNIT_LDADD = lib/libext.la $(CMOCKA_LIBS) -lm

tests_unit_test_gtpu_SOURCES = tests/unit/test-gtpu.c tests/unit/gtpu-hex.h \
	tests/unit/gtpu-naive.c tests/unit/gtpu-naive.h
tests_unit_test_gtpu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_build_SOURCES = tests/unit/test-gtpu-build.c \
	tests/unit/gtpu-hex.h
tests_unit_test_gtpu_build_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_build_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_path_SOURCES = tests/unit/test-gtpu-path.c
tests_unit_test_gtpu_path_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_path_LDADD = $(UNIT_LDADD)

tests_unit_test_gtpu_limit_SOURCES = tests/unit/test-gtpu-limit.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_gtpu_limit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gtpu_limit_LDADD = $(UNIT_LDADD) -lpthread

# Other implementations of GTP-U: scapy and tshark.
tests_unit_gtpu_codec_tool_SOURCES = tests/unit/gtpu-codec-tool.c \
	tests/unit/gtpu-hex.h
tests_unit_gtpu_codec_tool_LDADD = lib/libext.la

EXTRA_DIST += tests/unit/test-gtpu-peers.py

tests_unit_test_fuse_SOURCES = tests/unit/test-fuse.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_fuse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_LDADD = $(UNIT_LDADD)

tests_unit_test_fuse_gain_SOURCES = tests/unit/test-fuse-gain.c
tests_unit_test_fuse_gain_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_gain_LDADD = $(UNIT_LDADD)

tests_unit_test_fuse_pace_SOURCES = tests/unit/test-fuse-pace.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_fuse_pace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_pace_LDADD = $(UNIT_LDADD)

tests_unit_test_fuse_pool_SOURCES = tests/unit/test-fuse-pool.c
tests_unit_test_fuse_pool_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_pool_LDADD = $(UNIT_LDADD)

tests_unit_test_fuse_tcp_SOURCES = tests/unit/test-fuse-tcp.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_fuse_tcp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_tcp_LDADD = $(UNIT_LDADD)

# The cache in a datapath, in one process: needs Open vSwitch.
if BUILD_OPENVSWITCH
if HAVE_CMOCKA
DATAPATH_TESTS = tests/unit/test-fuse-conn tests/unit/test-fuse-datapath \
	tests/unit/test-fuse-meter tests/unit/test-fuse-trial
endif
endif
check_PROGRAMS += $(DATAPATH_TESTS)
EXTRA_PROGRAMS = tests/unit/test-fuse-conn tests/unit/test-fuse-datapath \
	tests/unit/test-fuse-meter tests/unit/test-fuse-trial

FUSE_DATAPATH = tests/unit/fuse-datapath.c tests/unit/fuse-datapath.h \
	tests/unit/memory-netdev.c tests/unit/memory-netdev.h
DATAPATH_LDADD = $(OVS)/extended/lib/libopenvswitch.la $(CMOCKA_LIBS)

# Includes datapath-dpdk/fuse/fuse-conn.c, to interrupt it.
tests_unit_test_fuse_conn_SOURCES = tests/unit/test-fuse-conn.c \
	$(FUSE_DATAPATH)
tests_unit_test_fuse_conn_CPPFLAGS = $(OVS_CPPFLAGS)
tests_unit_test_fuse_conn_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_conn_LDADD = $(DATAPATH_LDADD)
$(tests_unit_test_fuse_conn_OBJECTS): | $(OVS)/headers.stamp

tests_unit_test_fuse_datapath_SOURCES = tests/unit/test-fuse-datapath.c \
	$(FUSE_DATAPATH) \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_fuse_datapath_CPPFLAGS = $(OVS_CPPFLAGS)
tests_unit_test_fuse_datapath_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_datapath_LDADD = $(DATAPATH_LDADD)
$(tests_unit_test_fuse_datapath_OBJECTS): | $(OVS)/headers.stamp

tests_unit_test_fuse_meter_SOURCES = tests/unit/test-fuse-meter.c \
	$(FUSE_DATAPATH)
tests_unit_test_fuse_meter_CPPFLAGS = $(OVS_CPPFLAGS)
tests_unit_test_fuse_meter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_meter_LDADD = $(DATAPATH_LDADD)
$(tests_unit_test_fuse_meter_OBJECTS): | $(OVS)/headers.stamp

tests_unit_test_fuse_trial_SOURCES = tests/unit/test-fuse-trial.c \
	$(FUSE_DATAPATH)
tests_unit_test_fuse_trial_CPPFLAGS = $(OVS_CPPFLAGS)
tests_unit_test_fuse_trial_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fuse_trial_LDADD = $(DATAPATH_LDADD)
$(tests_unit_test_fuse_trial_OBJECTS): | $(OVS)/headers.stamp

tests_unit_test_lb_sticky_SOURCES = tests/unit/test-lb-sticky.c \
	tests/unit/splitmix64.h
tests_unit_test_lb_sticky_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_sticky_LDFLAGS = -Wl,--wrap=mmap,--wrap=numa_available
tests_unit_test_lb_sticky_LDADD = $(UNIT_LDADD) -lpthread

# Includes lib/lb/lb-sticky.c, to interrupt it at each access to memory.
tests_unit_test_lb_sticky_schedules_SOURCES = \
	tests/unit/test-lb-sticky-schedules.c tests/unit/splitmix64.h
tests_unit_test_lb_sticky_schedules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_sticky_schedules_LDADD = $(UNIT_LDADD) -lpthread

tests_unit_test_lb_table_SOURCES = tests/unit/test-lb-table.c
tests_unit_test_lb_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lb_table_LDADD = $(UNIT_LDADD)

tests_unit_test_maglev_SOURCES = tests/unit/test-maglev.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_maglev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_maglev_LDFLAGS = -Wl,--wrap=malloc
tests_unit_test_maglev_LDADD = $(UNIT_LDADD)

tests_unit_test_mem_reserve_SOURCES = tests/unit/test-mem-reserve.c
tests_unit_test_mem_reserve_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mem_reserve_LDFLAGS = -Wl,--wrap=mlock2
tests_unit_test_mem_reserve_LDADD = $(UNIT_LDADD)

tests_unit_test_mem_slab_SOURCES = tests/unit/test-mem-slab.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_mem_slab_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mem_slab_LDADD = $(UNIT_LDADD)

tests_unit_test_options_SOURCES = tests/unit/test-options.c
tests_unit_test_options_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_options_LDADD = $(UNIT_LDADD)

tests_unit_test_siphash_SOURCES = tests/unit/test-siphash.c \
	tests/unit/random-numbers.h tests/unit/splitmix64.h
tests_unit_test_siphash_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_siphash_LDADD = $(UNIT_LDADD)

#: check-unit        unit tests, and the corpora of the fuzz targets
#: check-valgrind    unit tests of lib/ under valgrind
#: check-asan        unit tests of lib/ with AddressSanitizer and UBSan
#: check-peers       the GTP-U codec against scapy and tshark
.PHONY: check-unit check-valgrind check-asan check-peers
if HAVE_CMOCKA
check-unit: $(check_PROGRAMS)
	@for t in $(UNIT_TESTS) $(DATAPATH_TESTS) $(KUBE_UNIT_TESTS) \
	    $(NODE_UNIT_TESTS); do \
	    ./$$t || exit 1; \
	done
	tests/fuzz/replay-gtpu-parse $(srcdir)/tests/fuzz/corpus/gtpu-parse
	@for t in $(DECAP_REPLAY); do \
	    $$t $(srcdir)/tests/fuzz/corpus/gtpu-decap || exit 1; \
	done
	@for t in $(KUBE_REPLAY); do \
	    $$t $(srcdir)/tests/fuzz/corpus/kube-yaml || exit 1; \
	done
check-peers: tests/unit/gtpu-codec-tool
	/usr/bin/python3 $(srcdir)/tests/unit/test-gtpu-peers.py \
	    tests/unit/gtpu-codec-tool
# Under valgrind, memory of valgrind's counts for the process, and mlock2()
# fails.
VALGRIND_TESTS = $(filter-out tests/unit/test-mem-reserve,$(UNIT_TESTS))
check-valgrind: $(VALGRIND_TESTS)
	@for t in $(VALGRIND_TESTS); do \
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
