# SPDX-License-Identifier: Apache-2.0
#
# Packages for the Debian that this runs on, built from the tarball of 'make
# dist' in deb/ of the build folder.

EXTRA_DIST += \
	debian/changelog \
	debian/clean \
	debian/control \
	debian/copyright \
	debian/openvswitch-switch-ext.README.Debian \
	debian/openvswitch-switch-ext.docs \
	debian/openvswitch-switch-ext.examples \
	debian/openvswitch-switch-ext.install \
	debian/openvswitch-switch-ext.lintian-overrides \
	debian/openvswitch-switch-ext.manpages \
	debian/openvswitch-switch-ext.postinst \
	debian/openvswitch-switch-ext.postrm \
	debian/openvswitch-switch-ext.preinst \
	debian/openvswitch-switch-ext.prerm \
	debian/ovs-ext-cni.docs \
	debian/ovs-ext-cni.install \
	debian/ovs-ext-cni.manpages \
	debian/ovs-ext-node.default \
	debian/ovs-ext-node.docs \
	debian/ovs-ext-node.examples \
	debian/ovs-ext-node.install \
	debian/ovs-ext-node.manpages \
	debian/ovs-ext-node.postinst \
	debian/ovs-kube-proxy.default \
	debian/ovs-kube-proxy.docs \
	debian/ovs-kube-proxy.examples \
	debian/ovs-kube-proxy.install \
	debian/ovs-kube-proxy.manpages \
	debian/ovs-kube-proxy.postinst \
	debian/rules \
	debian/source/format \
	debian/tests/control

#: deb               packages for this Debian, in the build folder's deb/
.PHONY: deb
deb: dist
	$(AM_V_at)$(srcdir)/build-aux/build-deb $(distdir).tar.gz deb
clean-local: clean-deb
.PHONY: clean-deb
clean-deb:
	rm -rf deb
