# SPDX-License-Identifier: Apache-2.0

# Tests of ovs-kube-proxy
# =======================
#
# The unit tests link Open vSwitch's library, which has no sanitizers, and have
# our own code once more with AddressSanitizer and UndefinedBehaviorSanitizer,
# unless everything is built with some.

if BUILD_OPENVSWITCH
KUBE_UNIT_TESTS = tests/kube/test-kube-config \
	tests/kube/test-kube-gateway \
	tests/kube/test-kube-journal \
	tests/kube/test-kube-service \
	tests/kube/test-kube-yaml
KUBE_REPLAY = tests/kube/replay-kube-yaml
KUBE_DUMP = tests/kube/kube-dump
OF_SYNC_TOOL = tests/kube/of-sync-tool
OF_SYNC_BENCH = tests/kube/of-sync-bench
endif
if HAVE_CMOCKA
check_PROGRAMS += $(KUBE_UNIT_TESTS) $(KUBE_REPLAY)
endif
check_PROGRAMS += $(KUBE_DUMP) $(OF_SYNC_TOOL) $(OF_SYNC_BENCH)
EXTRA_PROGRAMS += tests/kube/test-kube-config \
	tests/kube/test-kube-gateway \
	tests/kube/test-kube-journal \
	tests/kube/test-kube-service \
	tests/kube/test-kube-yaml \
	tests/kube/replay-kube-yaml \
	tests/kube/kube-dump \
	tests/kube/of-sync-bench \
	tests/kube/of-sync-tool

KUBE_TEST_SOURCES = \
	utilities/kube/kube-config.c \
	utilities/kube/kube-lines.c \
	utilities/kube/kube-yaml.c
KUBE_TEST_CPPFLAGS = $(KUBE_CPPFLAGS) $(CMOCKA_CFLAGS)
KUBE_TEST_CFLAGS = $(AM_CFLAGS) $(TEST_SANITIZE_CFLAGS)

tests_kube_test_kube_config_SOURCES = tests/kube/test-kube-config.c \
	$(KUBE_TEST_SOURCES)
tests_kube_test_kube_config_CPPFLAGS = $(KUBE_TEST_CPPFLAGS)
tests_kube_test_kube_config_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_test_kube_config_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_kube_test_kube_config_OBJECTS): | $(OVS)/headers.stamp

tests_kube_test_kube_gateway_SOURCES = tests/kube/test-kube-gateway.c \
	tests/kube/store-test.h \
	utilities/common/complain.c \
	utilities/common/metrics.c \
	$(KUBE_OBJECT_SOURCES) \
	$(KUBE_SERVICE_SOURCES) \
	$(KUBE_TEST_SOURCES)
tests_kube_test_kube_gateway_CPPFLAGS = $(KUBE_TEST_CPPFLAGS)
tests_kube_test_kube_gateway_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_test_kube_gateway_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_kube_test_kube_gateway_OBJECTS): | $(OVS)/headers.stamp

tests_kube_test_kube_journal_SOURCES = tests/kube/test-kube-journal.c \
	tests/kube/store-test.h \
	utilities/common/complain.c \
	utilities/common/metrics.c \
	$(KUBE_OBJECT_SOURCES) \
	$(KUBE_SERVICE_SOURCES) \
	$(KUBE_TEST_SOURCES)
tests_kube_test_kube_journal_CPPFLAGS = $(KUBE_TEST_CPPFLAGS)
tests_kube_test_kube_journal_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_test_kube_journal_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_kube_test_kube_journal_OBJECTS): | $(OVS)/headers.stamp

tests_kube_test_kube_service_SOURCES = tests/kube/test-kube-service.c \
	tests/kube/store-test.h \
	utilities/common/complain.c \
	utilities/common/metrics.c \
	$(KUBE_OBJECT_SOURCES) \
	$(KUBE_SERVICE_SOURCES) \
	$(KUBE_TEST_SOURCES)
tests_kube_test_kube_service_CPPFLAGS = $(KUBE_TEST_CPPFLAGS)
tests_kube_test_kube_service_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_test_kube_service_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_kube_test_kube_service_OBJECTS): | $(OVS)/headers.stamp

tests_kube_test_kube_yaml_SOURCES = tests/kube/test-kube-yaml.c \
	$(KUBE_TEST_SOURCES)
tests_kube_test_kube_yaml_CPPFLAGS = $(KUBE_TEST_CPPFLAGS)
tests_kube_test_kube_yaml_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_test_kube_yaml_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
$(tests_kube_test_kube_yaml_OBJECTS): | $(OVS)/headers.stamp

tests_kube_replay_kube_yaml_SOURCES = tests/fuzz/fuzz-kube-yaml.c \
	tests/fuzz/fuzz-target.h \
	$(KUBE_TEST_SOURCES)
tests_kube_replay_kube_yaml_CPPFLAGS = $(KUBE_TEST_CPPFLAGS) -DFUZZ_REPLAY
tests_kube_replay_kube_yaml_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_replay_kube_yaml_LDADD = $(KUBE_LIBS)
$(tests_kube_replay_kube_yaml_OBJECTS): | $(OVS)/headers.stamp

# The readers with a store that prints, for tests/kube/run.
tests_kube_kube_dump_SOURCES = tests/kube/kube-dump.c
tests_kube_kube_dump_CPPFLAGS = $(KUBE_CPPFLAGS)
tests_kube_kube_dump_LDADD = utilities/kube/libkube.la \
	utilities/common/libcommon.la \
	$(KUBE_LIBS)
$(tests_kube_kube_dump_OBJECTS): | $(OVS)/headers.stamp

# of-sync by hand, for tests/autotest/of-sync.at.
tests_kube_of_sync_tool_SOURCES = tests/kube/of-sync-tool.c \
	utilities/common/complain.c \
	utilities/common/metrics.c \
	$(OF_SYNC_SOURCES)
tests_kube_of_sync_tool_CPPFLAGS = $(OVS_CPPFLAGS)
tests_kube_of_sync_tool_CFLAGS = $(KUBE_TEST_CFLAGS)
tests_kube_of_sync_tool_LDADD = $(OVS)/extended/lib/libopenvswitch.la
$(tests_kube_of_sync_tool_OBJECTS): | $(OVS)/headers.stamp

# The same as ovs-kube-proxy has it, without sanitizers, to be measured.
tests_kube_of_sync_bench_SOURCES = tests/kube/of-sync-tool.c
tests_kube_of_sync_bench_CPPFLAGS = $(OVS_CPPFLAGS)
tests_kube_of_sync_bench_LDADD = utilities/of-sync/libof-sync.la \
	utilities/common/libcommon.la \
	$(OVS)/extended/lib/libopenvswitch.la
$(tests_kube_of_sync_bench_OBJECTS): | $(OVS)/headers.stamp

EXTRA_DIST += \
	tests/kube/build \
	tests/kube/cluster.py \
	tests/kube/coredns/go.mod \
	tests/kube/coredns/go.sum \
	tests/kube/coredns/main.go \
	tests/kube/go.mod \
	tests/kube/go.sum \
	tests/kube/harness.py \
	tests/kube/lab.py \
	tests/kube/manifests.py \
	tests/kube/pods.py \
	tests/kube/run \
	tests/kube/server.py \
	tests/kube/systemd-boot \
	tests/kube/tests_agent.py \
	tests/kube/tests_churn.py \
	tests/kube/tests_cluster.py \
	tests/kube/tests_failures.py \
	tests/kube/tests_gateway.py \
	tests/kube/tests_install.py \
	tests/kube/tests_local.py \
	tests/kube/tests_metrics.py \
	tests/kube/tests_page.py \
	tests/kube/tests_proxy.py \
	tests/kube/tests_proxy_admin.py \
	tests/kube/tests_proxy_api.py \
	tests/kube/tests_proxy_direct.py \
	tests/kube/tests_proxy_explain.py \
	tests/kube/tests_proxy_large.py \
	tests/kube/tests_proxy_past.py \
	tests/kube/tests_proxy_reject.py \
	tests/kube/tests_proxy_rules.py \
	tests/kube/tests_proxy_switch.py \
	tests/kube/tests_proxy_time.py \
	tests/kube/tests_proxy_udp.py \
	tests/kube/tests_proxy_weights.py \
	tests/kube/tests_servers.py \
	tests/kube/tests_systemd.py \
	tests/kube/web.py

# With a kube-apiserver and etcd, as root; KUBETESTFLAGS names tests.
#: check-kube        ovs-kube-proxy with a real API server, as root
.PHONY: check-kube
check-kube: extended $(KUBE_DUMP) \
    utilities/ovs-ext-cni/ovs-ext-cni \
    utilities/ovs-ext-node/ovs-ext-node \
    utilities/ovs-kube-proxy/ovs-kube-proxy \
    utilities/ovs-kube-proxy/ovs-kube-proxy.service
	$(AM_V_at)FUSE=$(FUSE) /usr/bin/python3 $(srcdir)/tests/kube/run \
	    $(abs_top_builddir) $(KUBETESTFLAGS)

# What of it is short in check-kube, as long as it should be.
#: check-kube-churn  a minute of 1,000 changes of endpoints a second, as root
.PHONY: check-kube-churn
check-kube-churn: extended utilities/ovs-kube-proxy/ovs-kube-proxy
	$(AM_V_at)KUBE_CHURN=60,1000 /usr/bin/python3 \
	    $(srcdir)/tests/kube/run $(abs_top_builddir) churn
