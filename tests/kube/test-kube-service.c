/* SPDX-License-Identifier: Apache-2.0 */

/* From objects to what a node has to do, rule by rule
 * ===================================================
 *
 * Our node is "here", in zone "a".  A test applies manifests to a store and
 * compares what service_format() prints.  Numbers are those of the rules that
 * kube-proxy follows. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "tests/kube/store-test.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/compat-json.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-sink.h"
#include "utilities/kube/kube-yaml.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-format.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"
#include "utilities/ovs-kube-proxy/service/service-policy.h"

#define NODE                                                            \
    "---\napiVersion: v1\nkind: Node\n"                                 \
    "metadata: {name: here, labels: {topology.kubernetes.io/zone: a}}\n" \
    "spec: {podCIDRs: [10.244.1.0/24, 'fd00:10:244:1::/64']}\n"         \
    "status: {addresses: [{type: Hostname, address: here},"             \
    " {type: ExternalIP, address: 198.51.100.1},"                       \
    " {type: InternalIP, address: 192.0.2.1},"                          \
    " {type: InternalIP, address: 192.0.2.9},"                          \
    " {type: InternalIP, address: '2001:db8::1'}]}\n"

/* Of a Service "web" with this in its spec, after the given cluster IP. */
#define SERVICE(SPEC)                                                   \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"       \
    "spec:\n  clusterIP: 10.96.0.1\n" SPEC

#define PORTS "  ports: [{name: http, port: 80, targetPort: 8080}]\n"

#define SLICE_HEAD(NAME, TYPE)                                          \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"       \
    "metadata: {name: " NAME ", "                                       \
    "labels: {kubernetes.io/service-name: web}}\naddressType: " TYPE "\n"

/* Of IPv4 endpoints; each is an element of a flow sequence of YAML. */
#define SLICE(NAME, ENDPOINTS)                                          \
    SLICE_HEAD(NAME, "IPv4")                                            \
    "ports: [{name: http, port: 8080}]\nendpoints: [" ENDPOINTS "]\n"

#define EP(IP, MORE) "{addresses: [" IP "]" MORE "},\n"
#define HERE ", nodeName: here"
#define THERE ", nodeName: there"
#define NOT_READY ", conditions: {ready: false, serving: false}"
#define ENDING                                                          \
    ", conditions: {ready: false, serving: true, terminating: true}"
#define ENDED                                                           \
    ", conditions: {ready: false, serving: false, terminating: true}"
#define ZONE(Z) ", hints: {forZones: [{name: " Z "}]}"
#define FOR_NODE(N) ", hints: {forNodes: [{name: " N "}]}"

/* What service_format() prints of port http of 'web', before its sets. */
#define WEB(MORE) \
    "default/web\n  TCP port 80 \"http\", cluster IP 10.96.0.1" MORE "\n"

static void
begin_lists(struct kube_store *store)
{
    kube_sink_list_begin(kube_store_sink(store), KUBE_NODE);
    kube_sink_list_begin(kube_store_sink(store), KUBE_SERVICE);
    kube_sink_list_begin(kube_store_sink(store), KUBE_ENDPOINT_SLICE);
}

static void
end_lists(struct kube_store *store)
{
    kube_sink_list_end(kube_store_sink(store), KUBE_NODE);
    kube_sink_list_end(kube_store_sink(store), KUBE_SERVICE);
    kube_sink_list_end(kube_store_sink(store), KUBE_ENDPOINT_SLICE);
}

/* Checks what is to be done with the objects in 'yaml', after NODE. */
static void
check_error(const char *yaml, const char *expected, const char *complaint)
{
    struct kube_store *store = kube_store_create("here");
    char *error;

    begin_lists(store);
    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, NODE));
    error = apply_yaml(store, KUBE_ADDED_OR_MODIFIED, yaml);
    end_lists(store);
    if (complaint ? !error || !strstr(error, complaint) : error != NULL) {
        fail_msg("complaint \"%s\" instead of \"%s\"",
                 error ? error : "none", complaint ? complaint : "none");
    }
    free(error);
    check_format(store, expected);
    kube_store_destroy(store);
}

static void
check(const char *yaml, const char *expected)
{
    check_error(yaml, expected, NULL);
}

static void
test_rule_1_cluster_set(void **state OVS_UNUSED)
{
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.2", HERE) EP("10.0.0.1", THERE)
                EP("10.0.0.3", NOT_READY) EP("10.0.0.4", ENDING)),
          WEB("") "    cluster: 10.0.0.1:8080 10.0.0.2:8080(local)\n"
          "    old connections: 10.0.0.4:8080(draining)\n");
    /* None is ready: those that end and serve, whatever the hints say. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.3", NOT_READY) EP("10.0.0.4", ENDED)
                EP("10.0.0.5", ENDING ZONE("b"))
                EP("10.0.0.6", ENDING HERE ZONE("a"))),
          WEB("") "    cluster: 10.0.0.5:8080(draining) "
          "10.0.0.6:8080(local)(draining)\n");
    /* The sets fall back independently. */
    check(SERVICE("  internalTrafficPolicy: Local\n" PORTS)
          SLICE("s", EP("10.0.0.1", THERE) EP("10.0.0.2", ENDING HERE)),
          WEB("") "    cluster: 10.0.0.1:8080\n"
          "    internal: 10.0.0.2:8080(local)(draining)\n");
}

static void
test_rule_2_local_set(void **state OVS_UNUSED)
{
    check(SERVICE("  internalTrafficPolicy: Local\n" PORTS)
          SLICE("s", EP("10.0.0.1", HERE) EP("10.0.0.2", ENDING HERE)
                EP("10.0.0.3", THERE)),
          WEB("") "    cluster: 10.0.0.1:8080(local) 10.0.0.3:8080\n"
          "    internal: 10.0.0.1:8080(local)\n"
          "    old connections: 10.0.0.2:8080(local)(draining)\n");
}

static void
test_rule_3_conditions(void **state OVS_UNUSED)
{
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ", conditions: {}")
                EP("10.0.0.2", ", conditions: {ready: null}")
                EP("10.0.0.3", ", conditions: {ready: false}")),
          WEB("") "    cluster: 10.0.0.1:8080 10.0.0.2:8080\n");
    /* 'serving' is true where it is missing, 'terminating' false. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ", conditions: {ready: false}")
                EP("10.0.0.2",
                   ", conditions: {ready: false, terminating: true}")),
          WEB("") "    cluster: 10.0.0.2:8080(draining)\n");
}

/* Weights of endpoints, by slice. */
#define WEIGHTED(NAME, WEIGHT, ENDPOINTS)                               \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"       \
    "addressType: IPv4\nmetadata:\n"                                   \
    "  name: " NAME "\n  annotations: {ovs-kube-proxy/weight: " WEIGHT "}\n" \
    "  labels: {kubernetes.io/service-name: web}\n"                      \
    "ports: [{name: http, port: 8080}]\nendpoints: [" ENDPOINTS "]\n"

static void
test_weights(void **state OVS_UNUSED)
{
    check(SERVICE(PORTS)
          WEIGHTED("s", "\"7\"", EP("10.0.0.1", "") EP("10.0.0.2", ""))
          WEIGHTED("t", "\"65535\"", EP("10.0.0.3", ""))
          SLICE("u", EP("10.0.0.4", "")),
          WEB("") "    cluster: 10.0.0.1:8080(weight 7) "
          "10.0.0.2:8080(weight 7) 10.0.0.3:8080(weight 65535) "
          "10.0.0.4:8080\n");
    /* An endpoint in two slices has the larger one. */
    check(SERVICE(PORTS)
          WEIGHTED("s", "\"7\"", EP("10.0.0.1", ""))
          WEIGHTED("t", "\"8\"", EP("10.0.0.1", ""))
          WEIGHTED("u", "\"0\"", EP("10.0.0.1", "")),
          WEB("") "    cluster: 10.0.0.1:8080(weight 8)\n");
    /* Weight 0 drains, */
    check(SERVICE(PORTS)
          WEIGHTED("s", "\"0\"", EP("10.0.0.1", "") EP("10.0.0.2", NOT_READY))
          SLICE("t", EP("10.0.0.3", "")),
          WEB("") "    cluster: 10.0.0.3:8080\n"
          "    old connections: 10.0.0.1:8080(draining)\n");
    /* unless nothing else is left. */
    check(SERVICE(PORTS)
          WEIGHTED("s", "\"0\"", EP("10.0.0.1", "")),
          WEB("") "    cluster: 10.0.0.1:8080(draining)\n");
    check_error(SERVICE(PORTS)
                WEIGHTED("s", "\"65536\"", EP("10.0.0.1", "")),
                WEB("") "    cluster: 10.0.0.1:8080\n",
                "annotation ovs-kube-proxy/weight: '65536' is not a number "
                "from 0 to 65535");
}

static void
test_rule_4_topology(void **state OVS_UNUSED)
{
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ZONE("a")) EP("10.0.0.2", ZONE("b"))
                EP("10.0.0.3", ENDING)),
          WEB("") "    cluster: 10.0.0.1:8080\n"
          "    old connections: 10.0.0.3:8080(draining)\n");
    /* One missing hint, or none for our zone, disables it. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ZONE("a")) EP("10.0.0.2", "")),
          WEB("") "    cluster: 10.0.0.1:8080 10.0.0.2:8080\n");
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ZONE("c")) EP("10.0.0.2", ZONE("b"))),
          WEB("") "    cluster: 10.0.0.1:8080 10.0.0.2:8080\n");
    /* Our node comes before our zone. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ", hints: {forZones: [{name: a}], "
                        "forNodes: [{name: there}]}")
                EP("10.0.0.2", ", hints: {forZones: [{name: b}], "
                   "forNodes: [{name: there}, {name: here}]}")),
          WEB("") "    cluster: 10.0.0.2:8080\n");
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", ", hints: {forZones: [{name: a}], "
                        "forNodes: [{name: there}]}")
                EP("10.0.0.2", ZONE("b"))),
          WEB("") "    cluster: 10.0.0.1:8080\n");
    /* Hints of several slices count together; those do not count of which
     * the endpoint is not ready. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", FOR_NODE("here")))
          SLICE("t", EP("10.0.0.2", FOR_NODE("there"))
                EP("10.0.0.3", NOT_READY)),
          WEB("") "    cluster: 10.0.0.1:8080\n");
}

static void
test_rule_5_verdicts(void **state OVS_UNUSED)
{
    check(SERVICE(PORTS),
          WEB("") "    cluster: reject: there is no endpoint\n");
    check(SERVICE(PORTS) SLICE("s", EP("10.0.0.1", NOT_READY)),
          WEB("") "    cluster: reject: there is no endpoint\n");
    check(SERVICE("  internalTrafficPolicy: Local\n" PORTS)
          SLICE("s", EP("10.0.0.1", THERE)),
          WEB("") "    cluster: 10.0.0.1:8080\n"
          "    internal: drop: the endpoints are on other nodes\n");
    check(SERVICE("  internalTrafficPolicy: Local\n" PORTS)
          SLICE("s", EP("10.0.0.1", NOT_READY)),
          WEB("") "    cluster: reject: there is no endpoint\n");
}

static void
test_rule_6_external_policy(void **state OVS_UNUSED)
{
    check(SERVICE("  type: NodePort\n  externalTrafficPolicy: Local\n"
                  "  ports: [{name: http, port: 80, nodePort: 30080}]\n")
          SLICE("s", EP("10.0.0.1", HERE) EP("10.0.0.2", THERE)),
          WEB(", node port 30080")
          "    cluster: 10.0.0.1:8080(local) 10.0.0.2:8080\n"
          "    external: 10.0.0.1:8080(local)\n");
    /* It means nothing for a Service that has no external address. */
    check(SERVICE("  externalTrafficPolicy: Local\n" PORTS)
          SLICE("s", EP("10.0.0.2", THERE)),
          WEB("") "    cluster: 10.0.0.2:8080\n");
    check(SERVICE("  externalTrafficPolicy: Local\n"
                  "  externalIPs: [198.51.100.7]\n" PORTS)
          SLICE("s", EP("10.0.0.2", THERE)),
          WEB(", external IP 198.51.100.7") "    cluster: 10.0.0.2:8080\n"
          "    external: drop: the endpoints are on other nodes\n");
}

static void
test_rule_8_affinity(void **state OVS_UNUSED)
{
    check(SERVICE("  sessionAffinity: ClientIP\n" PORTS),
          WEB(", affinity for 10800 s")
          "    cluster: reject: there is no endpoint\n");
    check(SERVICE("  sessionAffinity: ClientIP\n  sessionAffinityConfig: "
                  "{clientIP: {timeoutSeconds: 86400}}\n" PORTS),
          WEB(", affinity for 86400 s")
          "    cluster: reject: there is no endpoint\n");
    check(SERVICE("  sessionAffinity: None\n  sessionAffinityConfig: "
                  "{clientIP: {timeoutSeconds: 5}}\n" PORTS),
          WEB("") "    cluster: reject: there is no endpoint\n");
    check_error(SERVICE("  sessionAffinity: ClientIP\n  "
                        "sessionAffinityConfig: {clientIP: "
                        "{timeoutSeconds: 86401}}\n" PORTS),
                WEB(", affinity for 10800 s")
                "    cluster: reject: there is no endpoint\n",
                "'timeoutSeconds' is not a number from 1 to 86400");
}

static void
test_rule_9_node_addresses(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");
    const struct kube_node *node;

    assert_null(service_node_of(store));
    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                           "{apiVersion: v1, kind: Node, metadata: "
                           "{name: there}}"));
    assert_null(service_node_of(store));
    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, NODE));
    node = service_node_of(store);
    assert_non_null(node);
    assert_string_equal(node->name, "here");
    assert_string_equal(node->zone, "a");
    assert_int_equal(node->n_addrs, 2);
    assert_int_equal(node->addrs[0].s6_addr[15], 1);
    assert_int_equal(node->addrs[0].s6_addr[12], 192);
    assert_int_equal(node->addrs[1].s6_addr[15], 1);
    assert_int_equal(node->n_pod_cidrs, 2);
    assert_int_equal(node->pod_cidrs[0].plen, 24);
    assert_int_equal(node->pod_cidrs[1].plen, 64);

    uint64_t generation = service_node_generation(store);

    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, NODE));
    assert_true(service_node_generation(store) == generation);
    /* Without its object, the node is as it was last. */
    assert_null(apply_yaml(store, KUBE_DELETED, NODE));
    assert_true(service_node_generation(store) == generation);
    assert_ptr_equal(service_node_of(store), node);
    kube_sink_list_begin(kube_store_sink(store), KUBE_NODE);
    kube_sink_list_end(kube_store_sink(store), KUBE_NODE);
    assert_true(service_node_generation(store) == generation);
    assert_ptr_equal(service_node_of(store), node);
    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                           "{apiVersion: v1, kind: Node, metadata: "
                           "{name: here}}"));
    assert_true(service_node_generation(store) != generation);
    assert_int_equal(service_node_of(store)->n_addrs, 0);
    kube_store_destroy(store);
}

static void
test_rule_10_source_ranges(void **state OVS_UNUSED)
{
    static const char rejected[]
        = "    cluster: reject: there is no endpoint\n";
    char expected[1024];

    snprintf(expected, sizeof expected, "%s%s",
             WEB(", load balancer 203.0.113.1, from 10.0.0.0/8 "
                 "192.0.2.1/32"), rejected);
    check(SERVICE("  type: LoadBalancer\n  loadBalancerSourceRanges: "
                  "[' 10.1.0.0/8 ', 192.0.2.1/32, 'fd00::/8']\n" PORTS
                  "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}\n"),
          expected);
    /* Each of them once, and none that another one includes. */
    snprintf(expected, sizeof expected, "%s%s",
             WEB(", load balancer 203.0.113.1, from 10.0.0.0/9 "
                 "10.128.0.0/16 192.0.2.1/32"), rejected);
    check(SERVICE("  type: LoadBalancer\n  loadBalancerSourceRanges: "
                  "[192.0.2.1/32, 10.127.255.255/32, 10.128.0.0/16, "
                  "10.0.0.0/9, 10.128.1.0/24, 10.0.0.0/9, 10.0.0.0/16]\n"
                  PORTS
                  "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}\n"),
          expected);
    /* Ranges of the other family, or none that is good, shut everybody
     * out. */
    snprintf(expected, sizeof expected, "%s%s",
             WEB(", from nowhere"), rejected);
    check(SERVICE("  type: LoadBalancer\n"
                  "  loadBalancerSourceRanges: ['fd00::/8']\n" PORTS),
          expected);
    check_error(SERVICE("  type: LoadBalancer\n"
                        "  loadBalancerSourceRanges: [10.0.0.0/33]\n" PORTS),
                expected, "'10.0.0.0/33' is not an address range");
    /* They mean nothing for other types. */
    snprintf(expected, sizeof expected, "%s%s", WEB(""), rejected);
    check(SERVICE("  loadBalancerSourceRanges: [10.0.0.0/8]\n" PORTS),
          expected);
}

static void
test_rule_11_ingress(void **state OVS_UNUSED)
{
    check(SERVICE("  type: LoadBalancer\n" PORTS
                  "status: {loadBalancer: {ingress: [{ip: 203.0.113.1},"
                  " {ip: 203.0.113.2, ipMode: Proxy},"
                  " {ip: 203.0.113.3, ipMode: VIP},"
                  " {hostname: lb.example}]}}\n"),
          WEB(", load balancer 203.0.113.1, load balancer 203.0.113.3")
          "    cluster: reject: there is no endpoint\n");
}

static void
test_rule_13_join(void **state OVS_UNUSED)
{
    /* By name and protocol; the number may differ from slice to slice. */
    check(SERVICE("  ports: [{name: dns, port: 53, protocol: UDP},"
                  " {name: dns-tcp, port: 53}]\n")
          SLICE_HEAD("s", "IPv4")
          "ports: [{name: dns, port: 1053, protocol: UDP},"
          " {name: dns-tcp, port: 2053}, {name: other, port: 1}]\n"
          "endpoints: [" EP("10.0.0.1", "") "]\n"
          SLICE_HEAD("t", "IPv4")
          "ports: [{name: dns, port: 3053, protocol: UDP},"
          " {name: dns-tcp, port: 4053, protocol: SCTP}]\n"
          "endpoints: [" EP("10.0.0.2", "") "]\n",
          "default/web\n"
          "  TCP port 53 \"dns-tcp\", cluster IP 10.96.0.1\n"
          "    cluster: 10.0.0.1:2053\n"
          "  UDP port 53 \"dns\", cluster IP 10.96.0.1\n"
          "    cluster: 10.0.0.1:1053 10.0.0.2:3053\n");
    /* A single port need not have a name. */
    check(SERVICE("  ports: [{port: 80}]\n")
          SLICE_HEAD("s", "IPv4")
          "ports: [{name: '', port: 8080}]\n"
          "endpoints: [" EP("10.0.0.1", "") "]\n",
          "default/web\n  TCP port 80, cluster IP 10.96.0.1\n"
          "    cluster: 10.0.0.1:8080\n");
}

static void
test_rule_14_slices(void **state OVS_UNUSED)
{
    /* The first address counts, ports without a number do not. */
    check(SERVICE(PORTS)
          SLICE_HEAD("s", "IPv4")
          "ports: [{name: http, port: 0}]\n"
          "endpoints: [" EP("10.0.0.1", "") "]\n"
          SLICE_HEAD("t", "IPv4")
          "ports: [{name: http}]\nendpoints: [" EP("10.0.0.2", "") "]\n"
          SLICE_HEAD("u", "FQDN")
          "ports: [{name: http, port: 8080}]\n"
          "endpoints: [" EP("web.example", "") "]\n"
          SLICE("v", EP("10.0.0.3, 10.0.0.4", "")),
          WEB("") "    cluster: 10.0.0.3:8080\n");
    /* The same endpoint in two slices counts once, as the best of them. */
    check(SERVICE(PORTS)
          SLICE("s", EP("10.0.0.1", NOT_READY) EP("10.0.0.2", THERE))
          SLICE("t", EP("10.0.0.2", ENDING HERE) EP("10.0.0.1", "")),
          WEB("") "    cluster: 10.0.0.1:8080 10.0.0.2:8080(local)\n");
    /* A slice without the label is nobody's. */
    check(SERVICE(PORTS)
          "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
          "metadata: {name: web}\naddressType: IPv4\n"
          "ports: [{name: http, port: 8080}]\n"
          "endpoints: [" EP("10.0.0.1", "") "]\n",
          WEB("") "    cluster: reject: there is no endpoint\n");
}

static void
test_rule_15_skip(void **state OVS_UNUSED)
{
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
          "spec: {type: ExternalName, externalName: x.example}\n",
          "default/web: nothing to do, since it is of type ExternalName\n");
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
          "spec: {clusterIP: None, ports: [{port: 80}]}\n",
          "default/web: nothing to do, since it is headless\n");
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web, "
          "labels: {service.kubernetes.io/headless: ''}}\n"
          "spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n",
          "default/web: nothing to do, since it is headless\n");
    /* So is a slice with that label: it is not for proxies. */
    check(SERVICE(PORTS)
          "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
          "metadata: {name: s, labels: {kubernetes.io/service-name: web, "
          "service.kubernetes.io/headless: ''}}\naddressType: IPv4\n"
          "ports: [{name: http, port: 8080}]\nendpoints: ["
          EP("10.0.0.1", "") "]\n",
          WEB("") "    cluster: reject: there is no endpoint\n");
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web, "
          "labels: {service.kubernetes.io/service-proxy-name: x}}\n"
          "spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n",
          "default/web: nothing to do, since its label "
          "service.kubernetes.io/service-proxy-name names another proxy\n");
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
          "spec: {ports: [{port: 80}]}\n",
          "default/web: nothing to do, since it has no cluster IP\n");
}

static void
test_rule_16_health_check(void **state OVS_UNUSED)
{
    /* Ready ones on our node count, once each whatever their ports are. */
    check(SERVICE("  type: LoadBalancer\n  externalTrafficPolicy: Local\n"
                  "  healthCheckNodePort: 31000\n" PORTS)
          SLICE("s", EP("10.0.0.1", HERE) EP("10.0.0.2", HERE ENDING)
                EP("10.0.0.3", THERE))
          SLICE("t", EP("10.0.0.1", HERE) EP("10.0.0.4", HERE)),
          WEB(", health check on port 31000: 2")
          "    cluster: 10.0.0.1:8080(local) 10.0.0.3:8080 "
          "10.0.0.4:8080(local)\n"
          "    external: 10.0.0.1:8080(local) 10.0.0.4:8080(local)\n"
          "    old connections: 10.0.0.2:8080(local)(draining)\n");
}

static void
test_rule_18_complete(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");

    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    SERVICE(PORTS) SLICE("s", EP("10.0.0.1", ""))));
    assert_null(service_next_changed(store));
    kube_sink_list_end(kube_store_sink(store), KUBE_SERVICE);
    assert_false(kube_store_is_complete(store));
    assert_null(service_next_changed(store));
    kube_sink_list_end(kube_store_sink(store), KUBE_ENDPOINT_SLICE);
    assert_true(kube_store_is_complete(store));
    assert_false(kube_store_has_nodes(store));
    kube_sink_list_end(kube_store_sink(store), KUBE_NODE);
    assert_true(kube_store_has_nodes(store));
    assert_int_equal(take_changes(store), 1);
    assert_int_equal(take_changes(store), 0);
    kube_store_destroy(store);
}

static void
test_rule_19_families_and_protocols(void **state OVS_UNUSED)
{
    check("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
          "spec:\n  clusterIP: 10.96.0.1\n"
          "  clusterIPs: [10.96.0.1, 'fd00:96::1']\n"
          "  externalIPs: ['2001:db8::5']\n"
          "  ports: [{name: http, port: 80, protocol: SCTP},"
          " {name: http, port: 80, protocol: UDP}]\n"
          SLICE_HEAD("s", "IPv6")
          "ports: [{name: http, port: 8080, protocol: SCTP}]\n"
          "endpoints: [" EP("'fd00:10::1'", HERE) "]\n"
          SLICE_HEAD("t", "IPv4")
          "ports: [{name: http, port: 8080, protocol: UDP}]\n"
          "endpoints: [" EP("10.0.0.1", "") "]\n",
          "default/web\n"
          "  UDP port 80 \"http\", cluster IP 10.96.0.1\n"
          "    cluster: 10.0.0.1:8080\n"
          "  SCTP port 80 \"http\", cluster IP 10.96.0.1\n"
          "    cluster: reject: there is no endpoint\n"
          "  UDP port 80 \"http\", cluster IP fd00:96::1, "
          "external IP 2001:db8::5\n"
          "    cluster: reject: there is no endpoint\n"
          "  SCTP port 80 \"http\", cluster IP fd00:96::1, "
          "external IP 2001:db8::5\n"
          "    cluster: [fd00:10::1]:8080(local)\n");
}

/* What is wrong is left out and told; the rest works. */
static void
test_malformed(void **state OVS_UNUSED)
{
    check_error("---\napiVersion: v1\nkind: Service\nmetadata: {}\nspec: {}\n",
                "", "metadata.name is missing");
    check_error("---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
                "spec: 3\n", "", "spec is missing");
    check_error(SERVICE("  ports: [{port: 80}, {port: 70000}, 7, "
                        "{port: 1.5}, {port: '80'}]\n"),
                "default/web\n  TCP port 80, cluster IP 10.96.0.1\n"
                "    cluster: reject: there is no endpoint\n",
                "'port' is not a number from 0 to 65535");
    check_error(SERVICE("  ports: {}\n"),
                "default/web: nothing to do, since it has no ports\n",
                "spec.ports is not a list");
    check_error(SERVICE("  externalIPs: [x, 10.0.0.300, 198.51.100.7,"
                        " '::ffff:10.0.0.1']\n" PORTS),
                WEB(", external IP 198.51.100.7")
                "    cluster: reject: there is no endpoint\n",
                "spec.externalIPs: 'x' is not an IP address");
    check_error(SERVICE(PORTS)
                SLICE("s", "{}, 3, " EP("'fd00::1'", "") EP("10.0.0.1", "")),
                WEB("") "    cluster: 10.0.0.1:8080\n",
                "endpoints[0].addresses[0]: '' is not an IPv4 address");
    check_error(SERVICE("  ports: [{port: 80, protocol: IPX}]\n"),
                "default/web: nothing to do, since it has no ports\n",
                "'protocol' is not TCP, UDP or SCTP");
    check_error(SERVICE("  ports: [{name: x, port: 80},"
                        " {name: y, port: 80}]\n"),
                "default/web\n  TCP port 80 \"x\", cluster IP 10.96.0.1\n"
                "    cluster: reject: there is no endpoint\n", NULL);
}

/* A Service that is refused leaves the one before it in force. */
static void
test_refused_keeps(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");
    char *error;

    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, SERVICE(PORTS)));
    end_lists(store);
    assert_int_equal(take_changes(store), 1);
    begin_lists(store);
    error = apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                       "{apiVersion: v1, kind: Service, "
                       "metadata: {name: web}}");
    assert_string_equal(error, "spec is missing");
    free(error);
    end_lists(store);
    assert_int_equal(take_changes(store), 0);
    check_format(store, WEB("") "    cluster: reject: there is no "
                 "endpoint\n");
    /* And a list without it deletes it. */
    begin_lists(store);
    end_lists(store);
    assert_int_equal(take_changes(store), 1);
    check_format(store, "");
    kube_store_destroy(store);
}

static void
test_list_begun_again(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");

    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, SERVICE(PORTS)
                    SLICE("s", EP("10.0.0.1", ""))));
    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    SERVICE(PORTS) SLICE("t", EP("10.0.0.2", ""))));
    end_lists(store);
    check_format(store, WEB("") "    cluster: 10.0.0.2:8080\n");
    kube_store_destroy(store);
}

/* The name is enough to delete an object. */
static void
test_deleted_by_name(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");

    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    SERVICE(PORTS) SLICE("s", EP("10.0.0.1", ""))));
    end_lists(store);
    check_format(store, WEB("") "    cluster: 10.0.0.1:8080\n");
    assert_null(apply_yaml(store, KUBE_DELETED,
                           "{apiVersion: discovery.k8s.io/v1, "
                           "kind: EndpointSlice, metadata: {name: s}}"));
    check_format(store, WEB("") "    cluster: reject: there is no "
                 "endpoint\n");
    assert_null(apply_yaml(store, KUBE_DELETED,
                           "{apiVersion: v1, kind: Service, metadata: "
                           "{name: web}}"));
    check_format(store, "");
    kube_store_destroy(store);
}

/* A slice goes from Service to Service. */
static void
test_slice_moves(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");

    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, SERVICE(PORTS)
                    SLICE("s", EP("10.0.0.1", ""))));
    end_lists(store);
    assert_int_equal(take_changes(store), 1);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, "
                    "metadata: {name: s, labels: "
                    "{kubernetes.io/service-name: other}}, "
                    "addressType: IPv4}"));
    assert_int_equal(take_changes(store), 1);
    check_format(store, WEB("") "    cluster: reject: there is no "
                 "endpoint\n");
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    SLICE("s", EP("10.0.0.1", ""))));
    assert_int_equal(take_changes(store), 1);
    /* The same once more is no change. */
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    SLICE("s", EP("10.0.0.1", ""))));
    assert_int_equal(take_changes(store), 0);
    free(apply_yaml(store, KUBE_DELETED, SERVICE(PORTS)));
    assert_int_equal(take_changes(store), 1);
    assert_null(service_of(store, "default/web"));
    /* Its slice still waits for it. */
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, SERVICE(PORTS)));
    check_format(store, WEB("") "    cluster: 10.0.0.1:8080\n");
    kube_store_destroy(store);
}

/* Returns a random Service or slice of few names, which the caller must
 * destroy.  Stores its name in '*key'. */
static struct json *
random_object(char **key)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    unsigned int name = random_range(4);
    struct json *documents, *object;

    if (random_range(3)) {
        *key = xasprintf("slice %u", name);
        ds_put_format(&s, "apiVersion: discovery.k8s.io/v1\n"
                      "kind: EndpointSlice\nmetadata: {name: s%u, labels: "
                      "{kubernetes.io/service-name: web%u}}\n"
                      "addressType: IPv%d\nports: [{name: http, port: %u}]\n"
                      "endpoints: [", name, random_range(2),
                      random_range(4) ? 4 : 6, 1 + random_range(2));
        for (unsigned int n = random_range(4); n > 0; n--) {
            ds_put_format(&s, "{addresses: [10.0.0.%u], nodeName: %s, "
                          "hints: {forZones: [{name: %s}]}, "
                          "conditions: {ready: %s, terminating: %s}}, ",
                          random_range(4), random_range(2) ? "here" : "there",
                          random_range(2) ? "a" : "b",
                          random_range(2) ? "true" : "false",
                          random_range(2) ? "true" : "false");
        }
        ds_put_cstr(&s, "]\n");
    } else {
        *key = xasprintf("service %u", name % 2);
        ds_put_format(&s, "apiVersion: v1\nkind: Service\n"
                      "metadata: {name: web%u}\nspec: {clusterIPs: "
                      "[10.96.0.%u, 'fd00::1'], internalTrafficPolicy: %s, "
                      "ports: [{name: http, port: 80}]}\n", name % 2,
                      random_range(2), random_range(2) ? "Local" : "Cluster");
    }
    documents = parse(ds_cstr(&s));
    object = json_clone(json_array_at(documents, 0));
    json_destroy(documents);
    ds_destroy(&s);
    return object;
}

/* However objects come, go and are listed again, what is to be done is what
 * a new store makes of those that are there. */
static void
test_any_order(void **state OVS_UNUSED)
{
    bool light = getenv("TEST_LIGHT") != NULL;
    struct shash objects = SHASH_INITIALIZER(&objects);
    struct kube_store *store = kube_store_create("here");

    random_set_seed(1);
    begin_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, NODE));
    end_lists(store);
    for (int i = 0; i < (light ? 300 : 3000); i++) {
        struct json *object, *old;
        char *key, *error = NULL;

        object = random_object(&key);
        if (random_range(4)) {
            apply(store, KUBE_ADDED_OR_MODIFIED, object, &error);
            old = shash_replace(&objects, key, json_clone(object));
        } else {
            apply(store, KUBE_DELETED, object, &error);
            old = shash_find_and_delete(&objects, key);
        }
        json_destroy(old);
        json_destroy(object);
        free(key);
        free(error);
        if (!random_range(3)) {
            take_changes(store);
        }

        /* What a new one makes of it, in another order. */
        struct kube_store *fresh = kube_store_create("here");
        bool relist = !random_range(10);
        struct shash_node *node;

        begin_lists(fresh);
        free(apply_yaml(fresh, KUBE_ADDED_OR_MODIFIED, NODE));
        if (relist) {
            begin_lists(store);
            free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, NODE));
        }
        SHASH_FOR_EACH (node, &objects) {
            error = NULL;
            apply(fresh, KUBE_ADDED_OR_MODIFIED, node->data, &error);
            free(error);
            error = NULL;
            if (relist) {
                apply(store, KUBE_ADDED_OR_MODIFIED, node->data, &error);
            }
            free(error);
        }
        end_lists(fresh);
        if (relist) {
            end_lists(store);
        }

        char *expected = format_all(fresh);

        check_format(store, expected);
        free(expected);
        kube_store_destroy(fresh);
    }

    struct shash_node *node;

    SHASH_FOR_EACH (node, &objects) {
        json_destroy(node->data);
    }
    shash_destroy(&objects);
    kube_store_destroy(store);
}

/* Replaces a random part of 'json' by something of another kind. */
static struct json *
mutate(const struct json *json)
{
    struct json *copy = json_deep_clone(json);

    if (copy->type == JSON_OBJECT && !shash_is_empty(copy->object)
        && random_range(6)) {
        size_t at = random_range(shash_count(copy->object));
        struct shash_node *node;

        SHASH_FOR_EACH (node, copy->object) {
            if (!at--) {
                struct json *old = node->data;

                node->data = mutate(old);
                json_destroy(old);
                break;
            }
        }
        return copy;
    } else if (copy->type == JSON_ARRAY && json_array_size(copy)
               && random_range(6)) {
        struct json **elem = &compat_json_elements(copy)[
            random_range(json_array_size(copy))];
        struct json *old = *elem;

        *elem = mutate(old);
        json_destroy(old);
        return copy;
    }
    json_destroy(copy);
    switch (random_range(8)) {
    case 0: return json_null_create();
    case 1: return json_boolean_create(random_range(2));
    case 2: return json_integer_create(random_uint32() - INT64_C(0x80000000));
    case 3: return json_string_create("");
    case 4: return json_string_create("\x01%s%n");
    case 5: return json_object_create();
    case 6: return json_array_create_1(json_deep_clone(json));
    default: return json_array_create_empty();
    }
}

/* Whatever the JSON is, nothing worse than a message comes of it, and good
 * objects work afterwards. */
static void
test_mutations(void **state OVS_UNUSED)
{
    struct json *documents = parse(
        NODE SERVICE("  type: LoadBalancer\n  externalTrafficPolicy: Local\n"
                     "  clusterIPs: [10.96.0.1, 'fd00::1']\n"
                     "  externalIPs: [198.51.100.7]\n"
                     "  loadBalancerSourceRanges: [10.0.0.0/8]\n"
                     "  healthCheckNodePort: 31000\n"
                     "  sessionAffinity: ClientIP\n  sessionAffinityConfig: "
                     "{clientIP: {timeoutSeconds: 5}}\n"
                     "  ports: [{name: http, port: 80, nodePort: 30080},"
                     " {name: x, port: 81, protocol: UDP}]\n"
                     "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}"
                     "}\n")
        SLICE("s", EP("10.0.0.1", HERE ZONE("a")) EP("10.0.0.2", ENDING)));
    struct kube_store *store = kube_store_create("here");
    struct kube_sink *sink = kube_store_sink(store);
    int n = getenv("TEST_LIGHT") ? 2000 : 20000;
    size_t n_errors = 0;

    random_set_seed(2);
    begin_lists(store);
    end_lists(store);
    for (int i = 0; i < n; i++) {
        size_t which = random_range(3);
        const struct json *good = json_array_at(documents, which);
        struct json *object = json_deep_clone(good);
        static const enum kube_kind kinds[] = {
            KUBE_NODE, KUBE_SERVICE, KUBE_ENDPOINT_SLICE
        };
        char *error = NULL;

        for (unsigned int j = 1 + random_range(3); j > 0; j--) {
            struct json *old = object;

            object = mutate(old);
            json_destroy(old);
        }
        sink->class->apply(sink, kinds[which], KUBE_ADDED_OR_MODIFIED, object,
                           &error);
        n_errors += error != NULL;
        free(error);
        json_destroy(object);
        free(format_all(store));
    }
    assert_true(n_errors > n / 10);

    begin_lists(store);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        char *error = NULL;

        apply(store, KUBE_ADDED_OR_MODIFIED, json_array_at(documents, i),
              &error);
        assert_null(error);
    }
    end_lists(store);

    char *text = format_all(store);

    assert_non_null(strstr(text, "external: 10.0.0.1:8080(local)"));
    free(text);
    kube_store_destroy(store);
    json_destroy(documents);
}

/* A complaint that is one too many is made later, the others are not made
 * again. */
static void
test_complaints(void **state OVS_UNUSED)
{
    int n = 0;

    vlog_set_log_file("/dev/null");
    vlog_set_levels(NULL, VLF_FILE, VLL_WARN);
    while (complain_once("complaint %d", n)) {
        n++;
        assert_true(n < 1000);
    }
    assert_true(n >= 60);
    assert_false(complain_once("complaint 0"));
    assert_false(complain_once("complaint %d", n));
    xsleep(2);
    assert_false(complain_once("complaint 0"));
    assert_true(complain_once("complaint %d", n));
    assert_false(complain_once("complaint %d", n));
    vlog_set_levels(NULL, VLF_FILE, VLL_OFF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_1_cluster_set),
        cmocka_unit_test(test_rule_2_local_set),
        cmocka_unit_test(test_rule_3_conditions),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_rule_4_topology),
        cmocka_unit_test(test_rule_5_verdicts),
        cmocka_unit_test(test_rule_6_external_policy),
        cmocka_unit_test(test_rule_8_affinity),
        cmocka_unit_test(test_rule_9_node_addresses),
        cmocka_unit_test(test_deleted_by_name),
        cmocka_unit_test(test_rule_10_source_ranges),
        cmocka_unit_test(test_rule_11_ingress),
        cmocka_unit_test(test_rule_13_join),
        cmocka_unit_test(test_rule_14_slices),
        cmocka_unit_test(test_rule_15_skip),
        cmocka_unit_test(test_rule_16_health_check),
        cmocka_unit_test(test_rule_18_complete),
        cmocka_unit_test(test_rule_19_families_and_protocols),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_refused_keeps),
        cmocka_unit_test(test_list_begun_again),
        cmocka_unit_test(test_slice_moves),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_complaints),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
