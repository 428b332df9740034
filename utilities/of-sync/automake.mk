# SPDX-License-Identifier: Apache-2.0

# Flows and groups, to a switch.
if BUILD_OPENVSWITCH
noinst_LTLIBRARIES += utilities/of-sync/libof-sync.la
endif
utilities_of_sync_libof_sync_la_SOURCES = \
	$(OF_SYNC_SOURCES) \
	utilities/of-sync/of-bucket.h \
	utilities/of-sync/of-bundle.h \
	utilities/of-sync/of-dump.h \
	utilities/of-sync/of-flush.h \
	utilities/of-sync/of-group-id.h \
	utilities/of-sync/of-item.h \
	utilities/of-sync/of-meter.h \
	utilities/of-sync/of-monitor.h \
	utilities/of-sync/of-options.h \
	utilities/of-sync/of-owner.h \
	utilities/of-sync/of-send.h \
	utilities/of-sync/of-show.h \
	utilities/of-sync/of-stats.h \
	utilities/of-sync/of-state.h \
	utilities/of-sync/of-sync.h \
	utilities/of-sync/of-value.h \
	utilities/of-sync/of-walk.h
OF_SYNC_SOURCES = \
	utilities/of-sync/of-bucket.c \
	utilities/of-sync/of-bundle.c \
	utilities/of-sync/of-dump.c \
	utilities/of-sync/of-flush.c \
	utilities/of-sync/of-group-id.c \
	utilities/of-sync/of-item.c \
	utilities/of-sync/of-meter.c \
	utilities/of-sync/of-monitor.c \
	utilities/of-sync/of-owner.c \
	utilities/of-sync/of-send.c \
	utilities/of-sync/of-show.c \
	utilities/of-sync/of-stats.c \
	utilities/of-sync/of-sync.c \
	utilities/of-sync/of-value.c \
	utilities/of-sync/of-walk.c
utilities_of_sync_libof_sync_la_CPPFLAGS = $(OVS_CPPFLAGS)
$(utilities_of_sync_libof_sync_la_OBJECTS): | $(OVS)/headers.stamp
