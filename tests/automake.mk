# SPDX-License-Identifier: Apache-2.0

# Unit tests of lib/
# ==================
#
# 'make check-unit' runs them as they are built, 'make check-valgrind' under
# valgrind, and 'make check-asan' builds lib/ and them once more, below asan/,
# with AddressSanitizer and UndefinedBehaviorSanitizer.

UNIT_TESTS = \
	tests/test-lb-table \
	tests/test-maglev \
	tests/test-siphash

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
endif
UNIT_LDADD = lib/libext.la $(CMOCKA_LIBS) -lm

tests_test_lb_table_SOURCES = tests/test-lb-table.c
tests_test_lb_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_lb_table_LDADD = $(UNIT_LDADD)

tests_test_maglev_SOURCES = tests/test-maglev.c
tests_test_maglev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_maglev_LDFLAGS = -Wl,--wrap=malloc
tests_test_maglev_LDADD = $(UNIT_LDADD)

tests_test_siphash_SOURCES = tests/test-siphash.c
tests_test_siphash_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_siphash_LDADD = $(UNIT_LDADD)

.PHONY: check-unit check-valgrind check-asan
if HAVE_CMOCKA
check-unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do ./$$t || exit 1; done
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
check-unit check-valgrind check-asan:
	@echo "cmocka is missing: install the Debian package 'libcmocka-dev'" >&2
	@exit 1
endif

check-local: check-unit
