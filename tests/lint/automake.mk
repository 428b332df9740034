# SPDX-License-Identifier: Apache-2.0

# The text of the files, in a git checkout: see build-aux/lint.

EXTRA_DIST += \
	tests/lint/test-check-layers.py \
	tests/lint/test-lint.py

#: lint              check the text of all files, and changed lines (LINT_BASE)
#: check-layers      check that folders use only what they may
.PHONY: lint check-layers
if BUILD_OPENVSWITCH
LINT_SOURCE = --source=$(OVS)/pristine
LINT_NEEDS = $(OVS)/pristine.stamp
endif
lint: $(LINT_NEEDS)
	@$(srcdir)/build-aux/lint --base='$(LINT_BASE)' $(LINT_SOURCE) \
	    $(LINTFLAGS)
check-layers:
	@cd $(srcdir) && build-aux/check-layers
