# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	Documentation/README.md \
	Documentation/examples/maglev.py \
	Documentation/glossary.md \
	Documentation/howto/cache.md \
	Documentation/howto/cluster.md \
	Documentation/howto/controllers.md \
	Documentation/howto/gtpu.md \
	Documentation/howto/kube-proxy.md \
	Documentation/howto/node.md \
	Documentation/howto/ovn.md \
	Documentation/howto/pods.md \
	Documentation/howto/services.md \
	Documentation/howto/upgrade.md \
	Documentation/images/cycles-epyc.svg \
	Documentation/images/cycles-xeon.svg \
	Documentation/images/growth.svg \
	Documentation/images/packet.svg \
	Documentation/images/page.png \
	Documentation/images/summary.svg \
	Documentation/internals/architecture.md \
	Documentation/internals/benchmarks.md \
	Documentation/internals/building.md \
	Documentation/internals/cache.md \
	Documentation/internals/equivalence.md \
	Documentation/internals/groups.md \
	Documentation/internals/gtpu.md \
	Documentation/internals/hooks.md \
	Documentation/internals/pages.md \
	Documentation/reference/fuse.md \
	Documentation/reference/gtpu-input.md \
	Documentation/reference/gtpu.md \
	Documentation/reference/kube-proxy-features.md \
	Documentation/reference/kube-proxy-pipeline.md \
	Documentation/reference/lb.md \
	Documentation/reference/ovs-ext-cni.md \
	Documentation/reference/ovs-ext-node.md \
	Documentation/reference/support.md \
	Documentation/results.md

# Manual pages, of the reference.
EXT_MANS = \
	Documentation/ovs-ext-fuse.7 \
	Documentation/ovs-ext-gtpu.7 \
	Documentation/ovs-ext-lb.7
man7_MANS = $(EXT_MANS)
man8_MANS = Documentation/ovs-ext-cni.8 Documentation/ovs-ext-node.8
CLEANFILES += $(EXT_MANS) $(man8_MANS)
MD2MAN = $(MKDIR_P) Documentation && $(PYTHON3) $(srcdir)/build-aux/md2man
Documentation/ovs-ext-fuse.7: $(srcdir)/build-aux/md2man \
    $(srcdir)/Documentation/reference/fuse.md Makefile
	$(AM_V_GEN)$(MD2MAN) $(srcdir)/Documentation/reference/fuse.md \
	    $(PACKAGE_VERSION) > $@.tmp
	$(AM_V_at)mv $@.tmp $@
Documentation/ovs-ext-gtpu.7: $(srcdir)/build-aux/md2man \
    $(srcdir)/Documentation/reference/gtpu.md Makefile
	$(AM_V_GEN)$(MD2MAN) $(srcdir)/Documentation/reference/gtpu.md \
	    $(PACKAGE_VERSION) > $@.tmp
	$(AM_V_at)mv $@.tmp $@
Documentation/ovs-ext-lb.7: $(srcdir)/build-aux/md2man \
    $(srcdir)/Documentation/reference/lb.md Makefile
	$(AM_V_GEN)$(MD2MAN) $(srcdir)/Documentation/reference/lb.md \
	    $(PACKAGE_VERSION) > $@.tmp
	$(AM_V_at)mv $@.tmp $@

Documentation/ovs-ext-cni.8: $(srcdir)/build-aux/md2man \
    $(srcdir)/Documentation/reference/ovs-ext-cni.md Makefile
	$(AM_V_GEN)$(MD2MAN) $(srcdir)/Documentation/reference/ovs-ext-cni.md \
	    $(PACKAGE_VERSION) > $@.tmp
	$(AM_V_at)mv $@.tmp $@
Documentation/ovs-ext-node.8: $(srcdir)/build-aux/md2man \
    $(srcdir)/Documentation/reference/ovs-ext-node.md Makefile
	$(AM_V_GEN)$(MD2MAN) $(srcdir)/Documentation/reference/ovs-ext-node.md \
	    $(PACKAGE_VERSION) > $@.tmp
	$(AM_V_at)mv $@.tmp $@

# Fails if groff warns of a manual page of ours.
#: check-man         what groff says of the manual pages
check-local: check-man
.PHONY: check-man
check-man: $(EXT_MANS) $(man8_MANS) utilities/ovs-kube-proxy/ovs-kube-proxy.8
	$(AM_V_at)$(srcdir)/build-aux/check-man $(EXT_MANS) $(man8_MANS) \
	    utilities/ovs-kube-proxy/ovs-kube-proxy.8
