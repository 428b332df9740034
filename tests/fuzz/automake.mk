# SPDX-License-Identifier: Apache-2.0

# Fuzz targets
# ============
#
# 'make check-unit' runs each over its corpus without a fuzzer.  'make fuzz'
# runs them under libFuzzer, AddressSanitizer and UBSan.

EXTRA_DIST += tests/fuzz/corpus
if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/replay-gtpu-parse
endif

# The corpus of the parser of GTP-U, without a fuzzer.
PARSE_SOURCES = tests/fuzz/fuzz-gtpu-parse.c tests/unit/gtpu-naive.c
tests_fuzz_replay_gtpu_parse_SOURCES = $(PARSE_SOURCES) \
	tests/fuzz/fuzz-target.h tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_parse_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_REPLAY
tests_fuzz_replay_gtpu_parse_LDADD = lib/libext.la

# The same of decapsulation, which needs Open vSwitch: what decapsulates, and
# what of Open vSwitch reads packets, is compiled once more, with sanitizers.
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
tests_fuzz_replay_gtpu_decap_SOURCES = $(DECAP_SOURCES) \
	tests/fuzz/fuzz-target.h tests/unit/gtpu-naive.h
tests_fuzz_replay_gtpu_decap_CPPFLAGS = $(OVS_CPPFLAGS) -DFUZZ_REPLAY
tests_fuzz_replay_gtpu_decap_CFLAGS = $(AM_CFLAGS) $(TEST_SANITIZE_CFLAGS)
tests_fuzz_replay_gtpu_decap_LDFLAGS = $(DECAP_WRAP)
tests_fuzz_replay_gtpu_decap_LDADD = $(OVS)/extended/lib/libopenvswitch.la
$(tests_fuzz_replay_gtpu_decap_OBJECTS): | $(OVS)/headers.stamp

FUZZ_SECONDS = 600
FUZZ_TARGETS = gtpu-parse gtpu-decap kube-yaml
FUZZERS = $(FUZZ_TARGETS:%=fuzz/fuzz-%)
FUZZ_LINK = $(AM_V_GEN)$(MKDIR_P) fuzz && \
	$(LIBTOOL) --silent --tag=CC --mode=link \
	clang -g -O1 -march=x86-64-v2 -fno-sanitize-recover=all \
	-fsanitize=fuzzer,address,undefined -o $@
# Open vSwitch has atomics of its own for Clang, which do not go together with
# C11's.
FUZZ_ATOMICS = '-D__has_extension(x)=0' -Wno-builtin-macro-redefined
#: fuzz              fuzz FUZZ_TARGETS (all), each for FUZZ_SECONDS (600)
.PHONY: fuzz $(FUZZERS)
fuzz: $(FUZZERS)
	@for t in $(FUZZ_TARGETS); do \
	    $(MKDIR_P) fuzz/$$t; \
	    fuzz/fuzz-$$t -max_len=4096 -print_final_stats=1 \
	        -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=fuzz/ \
	        fuzz/$$t $(srcdir)/tests/fuzz/corpus/$$t \
	        > fuzz/$$t.log 2>&1; status=$$?; \
	    echo "$$t:"; tail -n 12 fuzz/$$t.log; \
	    test $$status = 0 || exit 1; \
	done

fuzz/fuzz-gtpu-parse:
	$(FUZZ_LINK) -I$(srcdir) \
	    $(PARSE_SOURCES:%=$(srcdir)/%) \
	    $(srcdir)/lib/gtpu/gtpu-build.c $(srcdir)/lib/gtpu/gtpu-ie.c \
	    $(srcdir)/lib/gtpu/gtpu-parse.c

fuzz/fuzz-gtpu-decap: extended
	$(FUZZ_LINK) $(FUZZ_ATOMICS) -w $(OVS_CPPFLAGS) \
	    $(DECAP_SOURCES:%=$(srcdir)/%) \
	    $(DECAP_OVS:%=$(OVS)/extended-source/lib/%) \
	    $(DECAP_WRAP) $(OVS)/extended/lib/libopenvswitch.la

fuzz/fuzz-kube-yaml: extended
	$(FUZZ_LINK) $(FUZZ_ATOMICS) -w $(KUBE_CPPFLAGS) \
	    $(srcdir)/tests/fuzz/fuzz-kube-yaml.c \
	    $(KUBE_TEST_SOURCES:%=$(srcdir)/%) $(KUBE_LIBS)

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf fuzz
