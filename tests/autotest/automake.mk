# SPDX-License-Identifier: Apache-2.0

# Suites made by autotest
# =======================
#
# They use Open vSwitch's own macros, which come from its unpacked source when
# the suite is generated, and run the programs of the extended build.  Each
# takes TESTSUITEFLAGS: '-j4', '-k lb', '3-5 -v'.

TESTSUITE_AT = \
	tests/autotest/commands.at \
	tests/autotest/compat.at \
	tests/autotest/controller-example.at \
	tests/autotest/documentation.at \
	tests/autotest/ext-macros.at \
	tests/autotest/fuse.at \
	tests/autotest/fuse-meter.at \
	tests/autotest/fuse-tcp.at \
	tests/autotest/fuse-tunnel.at \
	tests/autotest/gtpu.at \
	tests/autotest/gtpu-options.at \
	tests/autotest/gtpu-output.at \
	tests/autotest/gtpu-robustness.at \
	tests/autotest/gtpu-signalling.at \
	tests/autotest/hooks.at \
	tests/autotest/lb-action.at \
	tests/autotest/lb-choose.at \
	tests/autotest/lb-errors.at \
	tests/autotest/lb-group.at \
	tests/autotest/lb-examples.at \
	tests/autotest/lb-gtpu.at \
	tests/autotest/lb-restart.at \
	tests/autotest/lb-sticky.at \
	tests/autotest/lb-traffic.at \
	tests/autotest/of-sync.at \
	tests/autotest/testsuite.at

EXTRA_DIST += \
	$(TESTSUITE_AT) \
	tests/atlocal.in \
	tests/autotest/lb-errors.py \
	tests/autotest/lb-gtpu-packets.py \
	tests/autotest/lb-sctp-packets.py \
	tests/autotest/own-network \
	tests/autotest/send-group.py \
	tests/fuse-on/ovs-appctl \
	tests/fuse-on/ovs-vsctl \
	tests/fuse-on/path.sh \
	tests/fuse-on/summary

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
	$$network $(SHELL) tests/$$suite -C tests $(TESTSUITEFLAGS) \
	    AUTOTEST_PATH=$$f$$d/utilities:$$d/vswitchd:$$d/ovsdb:$$d/tests
# The end of RUN_TESTSUITE.
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

# Open vSwitch's macros see the extended source and build; only the tests are
# ours.
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

#: check-autotest    the switch on the dummy datapath (TESTSUITEFLAGS)
.PHONY: check-autotest
check-autotest: extended $(OF_SYNC_TOOL) tests/testsuite tests/atconfig \
    tests/atlocal
	$(AM_V_at)network=$(srcdir)/tests/autotest/own-network; \
	    suite=testsuite; $(RUN_TESTSUITE); $(FUSE_SUMMARY)

clean-local: clean-testsuites
.PHONY: clean-testsuites
clean-testsuites:
	for suite in testsuite system-testsuite; do \
	    if test -f tests/$$suite && test -f tests/atconfig; then \
	        $(SHELL) tests/$$suite -C tests --clean; \
	    fi; \
	done
	rm -rf tests/os-ken tests/os-ken.lock
	rm -f tests/testsuite tests/system-testsuite tests/*.fuse tests/atconfig \
	    tests/atlocal tests/package.m4
