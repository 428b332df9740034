# SPDX-License-Identifier: Apache-2.0

include utilities/common/automake.mk
include utilities/kube/automake.mk
include utilities/netlink/automake.mk
include utilities/of-sync/automake.mk

EXTRA_DIST += \
	utilities/kubernetes/Containerfile \
	utilities/kubernetes/accounts/kustomization.yaml \
	utilities/kubernetes/accounts/ovs-ext-node.yaml \
	utilities/kubernetes/accounts/ovs-kube-proxy.yaml \
	utilities/kubernetes/hugepages/kustomization.yaml \
	utilities/kubernetes/hugepages/switch.yaml \
	utilities/kubernetes/kustomization.yaml \
	utilities/kubernetes/node/10-ovs-ext.conflist \
	utilities/kubernetes/node/account.yaml \
	utilities/kubernetes/node/daemonset.yaml \
	utilities/kubernetes/node/install-cni \
	utilities/kubernetes/node/kustomization.yaml \
	utilities/kubernetes/node/node.env \
	utilities/kubernetes/switch/daemonset.yaml \
	utilities/kubernetes/switch/kustomization.yaml \
	utilities/kubernetes/switch/prepare-database \
	utilities/kubernetes/switch/start-switch \
	utilities/kubernetes/switch/switch.env \
	utilities/ovs-appctl/appctl-status.h \
	utilities/quickstart.sh \
	utilities/quickstart/backend.py \
	utilities/quickstart/lab.sh \
	utilities/quickstart/service.sh \
	utilities/quickstart/service.yaml \
	utilities/quickstart/tunnel.sh \
	utilities/quickstart/wire.py \
	utilities/setup.sh
