# SPDX-License-Identifier: Apache-2.0

# Flows and groups, to a switch.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/of-sync/libof-sync.la
endif
utilities_of_sync_libof_sync_la_SOURCES = \
	$(OF_SYNC_SOURCES) \
	utilities/of-sync/of-sync-private.h \
	utilities/of-sync/of-sync.h
OF_SYNC_SOURCES = \
	utilities/of-sync/of-bucket.c \
	utilities/of-sync/of-bundle.c \
	utilities/of-sync/of-dump.c \
	utilities/of-sync/of-flush.c \
	utilities/of-sync/of-item.c \
	utilities/of-sync/of-meter.c \
	utilities/of-sync/of-monitor.c \
	utilities/of-sync/of-sync.c
utilities_of_sync_libof_sync_la_CPPFLAGS = $(OVS_CPPFLAGS)
$(utilities_of_sync_libof_sync_la_OBJECTS): | $(OVS)/headers.stamp
