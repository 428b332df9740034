# SPDX-License-Identifier: Apache-2.0

# Programs compile it with their own flags: a library would be one file more.
RT_NETLINK_SOURCES = \
	utilities/netlink/rt-netlink.c \
	utilities/netlink/rt-netlink.h
