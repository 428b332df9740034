# SPDX-License-Identifier: Apache-2.0

# Fuzz targets
# ============
#
# 'make check-unit' runs each over its corpus without a fuzzer; 'make fuzz'
# fuzzes those of GTP-U, each for FUZZ_SECONDS.

EXTRA_DIST += tests/fuzz/corpus
if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/replay-gtpu-parse
endif

# The fuzz target's corpus, without a fuzzer: see the target on how to fuzz.
tests_fuzz_replay_gtpu_parse_SOURCES = tests/fuzz/fuzz-gtpu-parse.c \
	tests/unit/gtpu-naive.c tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_parse_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_REPLAY
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
	datapath-dpdk/gtpu/gtpu-receive.c \
	datapath-dpdk/gtpu/gtpu-drop-port.c \
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
EXTRA_PROGRAMS += tests/fuzz/replay-gtpu-decap
tests_fuzz_replay_gtpu_decap_SOURCES = $(DECAP_SOURCES) tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_decap_CPPFLAGS = $(OVS_CPPFLAGS) -DFUZZ_REPLAY
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
#: fuzz              fuzz the parsers, each for FUZZ_SECONDS
.PHONY: fuzz
fuzz: extended
	@$(MKDIR_P) fuzz/gtpu-parse fuzz/gtpu-decap
	$(AM_V_GEN)$(FUZZ_CC) $(FUZZ_SANITIZE) -I$(srcdir) \
	    $(srcdir)/tests/fuzz/fuzz-gtpu-parse.c \
	    $(srcdir)/tests/unit/gtpu-naive.c $(srcdir)/lib/gtpu/gtpu-build.c \
	    $(srcdir)/lib/gtpu/gtpu-ie.c $(srcdir)/lib/gtpu/gtpu-parse.c \
	    -o fuzz/fuzz-gtpu-parse
	$(AM_V_GEN)$(LIBTOOL) --silent --tag=CC --mode=link $(FUZZ_CC) \
	    $(FUZZ_SANITIZE) $(FUZZ_ATOMICS) -w $(OVS_CPPFLAGS) \
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

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf fuzz
