# SPDX-License-Identifier: Apache-2.0

# check-system, or SANITIZED=check-autotest, check-equivalence,
# check-equivalence-unit or check-equivalence-threads, with AddressSanitizer
# and then with ThreadSanitizer, each of which needs a build of Open vSwitch.

EXTRA_DIST += \
	tests/sanitized/run \
	tests/sanitized/sanitizer-suppressions-thread

SANITIZED = check-system
#: check-sanitized   SANITIZED=TARGET with sanitizers in Open vSwitch as well
.PHONY: check-sanitized
check-sanitized:
	$(AM_V_at)for s in address thread; do \
	    $(srcdir)/tests/sanitized/run $$s $(abs_srcdir)/configure \
	        $(SANITIZED) TESTSUITEFLAGS='$(TESTSUITEFLAGS)' || exit 1; \
	done
