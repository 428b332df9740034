# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch, extended and stock, below the build folder's openvswitch/:
#
#   pristine/         the source as the package or --with-ovs-source has it
#   extended-source/  the same with the hooks applied
#   extended/         built from extended-source/, with our objects
#   stock/            built from pristine/
#
# A hooked file is written only when it changes, so that after a change of one
# hook only what depends on the files it touches is built again.

EXTRA_DIST += \
	build-aux/apply-hooks \
	build-aux/build-deb \
	build-aux/check-layers \
	build-aux/check-links \
	build-aux/check-man \
	build-aux/codespell-words \
	build-aux/configure-openvswitch \
	build-aux/hook-macros.h \
	build-aux/layers \
	build-aux/lint \
	build-aux/md2man \
	build-aux/ovs-features \
	build-aux/ovs-release \
	build-aux/packages \
	build-aux/unpack-openvswitch

HOOKS = \
	$(srcdir)/lib/lb/lb.cocci \
	$(srcdir)/datapath-dpdk/compat/compat.cocci \
	$(srcdir)/datapath-dpdk/lb/lb.cocci \
	$(srcdir)/datapath-dpdk/gtpu/gtpu.cocci \
	$(srcdir)/datapath-dpdk/ct/ct.cocci \
	$(srcdir)/datapath-dpdk/fuse/fuse.cocci \
	$(srcdir)/ofproto-ext/lb/lb.cocci \
	$(srcdir)/ofproto-ext/lb/ovs-save.hooks \
	$(srcdir)/ofproto-ext/gtpu/gtpu.cocci \
	$(srcdir)/utilities/ovs-appctl/appctl.cocci
EXTRA_DIST += $(HOOKS)

# What these declare decides which files of Open vSwitch include them.
HOOK_INCLUDES = $(shell sed -n 's|^// include: |$(srcdir)/|p' $(HOOKS))

OVS = openvswitch
OVS_CPPFLAGS = \
	$(AM_CPPFLAGS) -DHAVE_CONFIG_H \
	-I$(OVS)/extended -I$(OVS)/extended/include -I$(OVS)/extended/lib \
	-I$(OVS)/extended-source/include -I$(OVS)/extended-source/lib \
	-I$(OVS)/extended-source -I$(OVS)/features \
	$(DPDK_CFLAGS)

$(OVS)/pristine.stamp: $(OVS_SOURCE) $(srcdir)/build-aux/unpack-openvswitch
	$(AM_V_GEN)$(srcdir)/build-aux/unpack-openvswitch \
	    "$(OVS_SOURCE)" $(OVS)/pristine
	$(AM_V_at)touch $@

# Changes when the list of hooks does, or what applies them.  Two make(1) may
# run at once.
$(OVS)/hooks-args: Makefile
	$(AM_V_at)new=$@.$$$$; echo '$(SPATCH) $(HOOKS)' > $$new; \
	if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(OVS)/hooked.stamp: $(OVS)/pristine.stamp $(HOOKS) $(HOOK_INCLUDES) \
    $(OVS)/hooks-args \
    $(srcdir)/build-aux/apply-hooks $(srcdir)/build-aux/hook-macros.h
	$(AM_V_GEN)$(PYTHON3) $(srcdir)/build-aux/apply-hooks --spatch=$(SPATCH) \
	    --macros=$(srcdir)/build-aux/hook-macros.h --top=$(srcdir) \
	    --cache=$(OVS)/hooks-cache \
	    $(OVS)/pristine $(OVS)/extended-source $(HOOKS)
	$(AM_V_at)touch $@

$(OVS)/extended/config.status: $(OVS)/configure-args | $(OVS)/hooked.stamp
	$(AM_V_GEN)$(srcdir)/build-aux/configure-openvswitch \
	    $(OVS)/configure-args $(OVS)/extended-source $(OVS)/extended
$(OVS)/stock/config.status: $(OVS)/configure-args | $(OVS)/pristine.stamp
	$(AM_V_GEN)$(srcdir)/build-aux/configure-openvswitch \
	    $(OVS)/configure-args $(OVS)/pristine $(OVS)/stock

# What this release has: for compat/.
$(OVS)/features/ovs-features.h: $(OVS)/pristine.stamp \
    $(srcdir)/build-aux/ovs-features
	$(AM_V_at)$(MKDIR_P) $(OVS)/features
	$(AM_V_GEN)$(srcdir)/build-aux/ovs-features $(OVS)/pristine > $@.tmp && \
	    mv $@.tmp $@

# The headers that Open vSwitch generates and our objects include.
$(OVS)/headers.stamp: $(OVS)/hooked.stamp $(OVS)/extended/config.status \
    $(OVS)/features/ovs-features.h
	$(AM_V_at)$(MAKE) -C $(OVS)/extended -f Makefile \
	    include/odp-netlink.h include/odp-netlink-macros.h \
	    include/openvswitch/version.h lib/vswitch-idl.h lib/meta-flow.inc
	$(AM_V_at)touch $@

# Our objects join libopenvswitch and libofproto by a GNUmakefile, which GNU
# make prefers to the Makefile that it includes: nothing of Open vSwitch's own
# build is changed.
$(OVS)/extended/GNUmakefile: $(OVS)/extended/config.status \
    $(srcdir)/build-aux/automake.mk
	$(AM_V_GEN){ echo 'include Makefile'; \
	  echo 'AM_CPPFLAGS += -I$(abs_top_srcdir)'; \
	  ext=$(abs_top_builddir); \
	  d=$$ext/datapath-dpdk/libdatapath.la; \
	  o=$$ext/ofproto-ext/libofproto-ext.la; \
	  echo "lib_libopenvswitch_la_LIBADD += $$d"; \
	  echo "lib/libopenvswitch.la: $$d"; \
	  echo "ofproto_libofproto_la_LIBADD += $$o"; \
	  echo "ofproto/libofproto.la: $$o"; } > $@

#: extended          Open vSwitch with the extension (part of all)
#: stock             the unmodified Open vSwitch, to compare with
#: install-stock     install the unmodified Open vSwitch
#: uninstall-stock   remove it
.PHONY: extended stock install-stock uninstall-stock
extended: $(OVS)/extended/GNUmakefile $(OVS)/hooked.stamp \
    datapath-dpdk/libdatapath.la ofproto-ext/libofproto-ext.la
	$(AM_V_at)$(MAKE) -C $(OVS)/extended all
stock: $(OVS)/stock/config.status
	$(AM_V_at)$(MAKE) -C $(OVS)/stock all
install-stock: stock
	$(AM_V_at)$(MAKE) -C $(OVS)/stock install
uninstall-stock:
	$(AM_V_at)$(MAKE) -C $(OVS)/stock uninstall

if BUILD_OPENVSWITCH
all-local: extended
install-exec-local: extended
	$(AM_V_at)$(MAKE) -C $(OVS)/extended install
uninstall-local:
	$(AM_V_at)$(MAKE) -C $(OVS)/extended uninstall
endif

clean-local: clean-openvswitch
.PHONY: clean-openvswitch
clean-openvswitch:
	for d in $(OVS)/pristine $(OVS)/extended-source $(OVS)/extended \
	  $(OVS)/stock; do \
	    if test -d $$d; then chmod -R u+w $$d && rm -rf $$d; fi; \
	done
	rm -rf $(OVS)/hooks-cache
	rm -rf $(OVS)/features
	rm -f $(OVS)/*.stamp $(OVS)/hooks-args

DISTCLEANFILES = $(OVS)/configure-args

# 'make distcheck' is about our own parts: Open vSwitch has its own.
AM_DISTCHECK_CONFIGURE_FLAGS = --disable-openvswitch
