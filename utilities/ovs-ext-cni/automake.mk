# SPDX-License-Identifier: Apache-2.0

# A runtime executes it for each pod, so it loads only the libraries that it
# uses.
if BUILD_OPENVSWITCH
cnidir = $(prefix)/lib/cni
cni_PROGRAMS = utilities/ovs-ext-cni/ovs-ext-cni
endif
utilities_ovs_ext_cni_ovs_ext_cni_SOURCES = \
	$(RT_NETLINK_SOURCES) \
	utilities/ovs-ext-cni/cni-address.c \
	utilities/ovs-ext-cni/cni-agent.c \
	utilities/ovs-ext-cni/cni-agent.h \
	utilities/ovs-ext-cni/cni-bandwidth.c \
	utilities/ovs-ext-cni/cni-bandwidth.h \
	utilities/ovs-ext-cni/cni-check.c \
	utilities/ovs-ext-cni/cni-commands-private.h \
	utilities/ovs-ext-cni/cni-commands.c \
	utilities/ovs-ext-cni/cni-commands.h \
	utilities/ovs-ext-cni/cni-environment.c \
	utilities/ovs-ext-cni/cni-error.c \
	utilities/ovs-ext-cni/cni-error.h \
	utilities/ovs-ext-cni/cni-exec.c \
	utilities/ovs-ext-cni/cni-exec.h \
	utilities/ovs-ext-cni/cni-gc.c \
	utilities/ovs-ext-cni/cni-ipam.c \
	utilities/ovs-ext-cni/cni-ipam.h \
	utilities/ovs-ext-cni/cni-json.c \
	utilities/ovs-ext-cni/cni-json.h \
	utilities/ovs-ext-cni/cni-library.c \
	utilities/ovs-ext-cni/cni-link.c \
	utilities/ovs-ext-cni/cni-link.h \
	utilities/ovs-ext-cni/cni-lock.c \
	utilities/ovs-ext-cni/cni-lock.h \
	utilities/ovs-ext-cni/cni-mode.c \
	utilities/ovs-ext-cni/cni-netns.c \
	utilities/ovs-ext-cni/cni-netns.h \
	utilities/ovs-ext-cni/cni-ovsdb.c \
	utilities/ovs-ext-cni/cni-ovsdb.h \
	utilities/ovs-ext-cni/cni-port.c \
	utilities/ovs-ext-cni/cni-port.h \
	utilities/ovs-ext-cni/cni-print.c \
	utilities/ovs-ext-cni/cni-request-private.h \
	utilities/ovs-ext-cni/cni-request.c \
	utilities/ovs-ext-cni/cni-request.h \
	utilities/ovs-ext-cni/cni-result.c \
	utilities/ovs-ext-cni/cni-result.h \
	utilities/ovs-ext-cni/cni-shape.c \
	utilities/ovs-ext-cni/cni-vhost.c \
	utilities/ovs-ext-cni/cni-vhost.h \
	utilities/ovs-ext-cni/ovs-ext-cni.c
utilities_ovs_ext_cni_ovs_ext_cni_CPPFLAGS = $(OVS_CPPFLAGS) $(MNL_CFLAGS)
utilities_ovs_ext_cni_ovs_ext_cni_LDFLAGS = -Wl,--as-needed -Wl,--gc-sections
utilities_ovs_ext_cni_ovs_ext_cni_LDADD = \
	$(OVS)/extended/lib/libopenvswitch.la $(MNL_LIBS)
$(utilities_ovs_ext_cni_ovs_ext_cni_OBJECTS): | $(OVS)/headers.stamp
