# SPDX-License-Identifier: Apache-2.0

include utilities/common/automake.mk
include utilities/kube/automake.mk
include utilities/netlink/automake.mk
include utilities/of-sync/automake.mk

EXTRA_DIST += \
	utilities/ovs-appctl/appctl-status.h \
	utilities/quickstart.sh \
	utilities/quickstart/backend.py \
	utilities/quickstart/lab.sh \
	utilities/quickstart/service.sh \
	utilities/quickstart/service.yaml \
	utilities/quickstart/tunnel.sh \
	utilities/quickstart/wire.py \
	utilities/setup.sh
