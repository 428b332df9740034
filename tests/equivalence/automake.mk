# SPDX-License-Identifier: Apache-2.0

# Generated pipelines with the fused flow cache off and on.
# =========================================================
#
#   make check-equivalence                                     two minutes
#   make check-equivalence EQUIVALENCEFLAGS='--minutes 60'
#   make check-equivalence EQUIVALENCEFLAGS='--shrink 17'      a failing one
#
#   make check-equivalence-unit                                in one process
#
# See Documentation/internals/equivalence.md.

# Two datapaths in one process: needs Open vSwitch.
EQ_SOURCES = \
	tests/equivalence/eq-cache.c \
	tests/equivalence/eq-case.h \
	tests/equivalence/eq-compare.c \
	tests/equivalence/eq-device.c tests/equivalence/eq-device.h \
	tests/equivalence/eq-fields.c tests/equivalence/eq-fields.h \
	tests/equivalence/eq-frame.c tests/equivalence/eq-frame.h \
	tests/equivalence/eq-generate.c tests/equivalence/eq-generate.h \
	tests/equivalence/eq-offload.h \
	tests/equivalence/eq-pipeline.c \
	tests/equivalence/eq-print.c \
	tests/equivalence/eq-random.h \
	tests/equivalence/eq-run.c tests/equivalence/eq-run.h \
	tests/equivalence/eq-shrink.c \
	tests/equivalence/eq-side.c tests/equivalence/eq-side.h \
	tests/equivalence/eq-traffic.c \
	tests/equivalence/eq-translate.c \
	tests/equivalence/eq-translate.h \
	tests/equivalence/fuse-equivalence.c \
	tests/unit/memory-netdev.c tests/unit/memory-netdev.h \
	tests/unit/splitmix64.h

if BUILD_OPENVSWITCH
FUSE_EQUIVALENCE = tests/equivalence/fuse-equivalence
endif
check_PROGRAMS += $(FUSE_EQUIVALENCE)
EXTRA_PROGRAMS += tests/equivalence/fuse-equivalence
tests_equivalence_fuse_equivalence_SOURCES = $(EQ_SOURCES)
tests_equivalence_fuse_equivalence_CPPFLAGS = $(OVS_CPPFLAGS)
tests_equivalence_fuse_equivalence_LDFLAGS = -Wl,--wrap=clock_gettime
tests_equivalence_fuse_equivalence_LDADD = \
	$(OVS)/extended/lib/libopenvswitch.la
$(tests_equivalence_fuse_equivalence_OBJECTS): | $(OVS)/headers.stamp

# PMD threads in one process, and threads that change things meanwhile.
if BUILD_OPENVSWITCH
FUSE_THREADS = tests/equivalence/fuse-threads
endif
check_PROGRAMS += $(FUSE_THREADS)
EXTRA_PROGRAMS += tests/equivalence/fuse-threads
tests_equivalence_fuse_threads_SOURCES = \
	tests/equivalence/eq-random.h \
	tests/equivalence/fuse-threads.c \
	tests/equivalence/th.h \
	tests/equivalence/th-change.c \
	tests/equivalence/th-check.c \
	tests/equivalence/th-device.c \
	tests/equivalence/th-pipeline.c \
	tests/equivalence/th-traffic.c tests/equivalence/th-traffic.h \
	tests/unit/memory-netdev.c tests/unit/memory-netdev.h \
	tests/unit/splitmix64.h
tests_equivalence_fuse_threads_CPPFLAGS = $(OVS_CPPFLAGS)
tests_equivalence_fuse_threads_LDADD = \
	$(OVS)/extended/lib/libopenvswitch.la
$(tests_equivalence_fuse_threads_OBJECTS): | $(OVS)/headers.stamp

EXTRA_DIST += \
	tests/equivalence/run \
	tests/equivalence/frames.py \
	tests/equivalence/generate.py \
	tests/equivalence/megaflows.py \
	tests/equivalence/pair.py

EXTRA_DIST += \
	tests/equivalence/corpus \
	tests/equivalence/mutations.py \
	tests/equivalence/mutations.txt \
	tests/equivalence/proof

EQUIVALENCEFLAGS = --minutes 2
EQUIVALENCEUNITFLAGS = --count 10000
EQUIVALENCETHREADSFLAGS = --seconds 10
#: check-equivalence generated pipelines, fused cache off and on
#: check-equivalence-unit the same in one process: thousands of pipelines
#: check-equivalence-threads PMD threads with the cache, under changes
#: check-mutations   broken rules of the fused cache that the latter must find
.PHONY: check-equivalence check-equivalence-unit check-equivalence-threads
.PHONY: check-mutations
check-equivalence: extended
	/usr/bin/python3 $(srcdir)/tests/equivalence/run \
	    --build . $(EQUIVALENCEFLAGS)
check-equivalence-unit: $(FUSE_EQUIVALENCE)
	tests/equivalence/fuse-equivalence \
	    --corpus $(srcdir)/tests/equivalence/corpus \
	    $(EQUIVALENCEUNITFLAGS)
check-equivalence-threads: $(FUSE_THREADS)
	tests/equivalence/fuse-threads $(EQUIVALENCETHREADSFLAGS)
check-mutations: $(FUSE_EQUIVALENCE)
	$(srcdir)/tests/equivalence/mutations.py \
	    --compile '$(CC) $(DEFAULT_INCLUDES) $(OVS_CPPFLAGS) $(CFLAGS)' \
	    --link '$(LIBTOOL) --tag=CC --mode=link $(CC) $(CFLAGS) \
	        $(tests_equivalence_fuse_equivalence_LDFLAGS) -o OUTPUT \
	        $(tests_equivalence_fuse_equivalence_OBJECTS) OBJECTS \
	        $(tests_equivalence_fuse_equivalence_LDADD) $(LIBS)' \
	    $(MUTATIONFLAGS) '$(MUTATION)'
