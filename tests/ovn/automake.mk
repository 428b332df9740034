# SPDX-License-Identifier: Apache-2.0

# OVN's load balancers, in the suite of check-system.
OVN_AT = \
	tests/ovn/system-ovn.at \
	tests/ovn/system-ovn-kube.at
EXTRA_DIST += tests/ovn/system-ovn-traffic.py
