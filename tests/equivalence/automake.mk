# SPDX-License-Identifier: Apache-2.0

# Generated pipelines with the fused flow cache off and on.
# =========================================================
#
#   make check-equivalence                                     two minutes
#   make check-equivalence EQUIVALENCEFLAGS='--minutes 60'
#   make check-equivalence EQUIVALENCEFLAGS='--shrink 17'      a failing one
#
# See Documentation/internals/equivalence.md.

EXTRA_DIST += \
	tests/equivalence/equivalence.py \
	tests/equivalence/frames.py \
	tests/equivalence/generate.py \
	tests/equivalence/megaflows.py \
	tests/equivalence/pair.py

EQUIVALENCEFLAGS = --minutes 2
#: check-equivalence generated pipelines, fused cache off and on
.PHONY: check-equivalence
check-equivalence: extended
	/usr/bin/python3 $(srcdir)/tests/equivalence/equivalence.py \
	    --build . $(EQUIVALENCEFLAGS)
