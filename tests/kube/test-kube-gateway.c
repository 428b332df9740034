/* SPDX-License-Identifier: Apache-2.0 */

/* Routes of Gateway API: what a node has to do for them
 * =====================================================
 *
 * tests/kube/tests_gateway.py has the same rules with a switch.  Here are
 * numbers of weights against a plain second computation, and objects that no
 * API server lets through. */

#include <config.h>

#include <math.h>
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
#include "packets.h"
#include "random.h"
#include "tests/kube/store-test.h"
#include "util.h"
#include "utilities/common/compat-json.h"
#include "utilities/kube/kube-sink.h"
#include "utilities/kube/kube-yaml.h"
#include "utilities/ovs-kube-proxy/service/gateway-model.h"
#include "utilities/ovs-kube-proxy/service/gateway-spread.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-equal.h"
#include "utilities/ovs-kube-proxy/service/service-format.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"
#include "utilities/ovs-kube-proxy/service/service-policy.h"

/* Weights. */

/* Returns 'n' endpoints from number 'first' on, for the caller to free. */
static struct service_set
make_set(size_t n, unsigned int first, unsigned int max_weight)
{
    struct service_set set = { .verdict = SERVICE_FORWARD, .n = n };

    set.endpoints = xcalloc(MAX(n, 1), sizeof *set.endpoints);
    for (size_t i = 0; i < n; i++) {
        set.endpoints[i].addr = in6_addr_mapped_ipv4(
            htonl(0x0a000000 + first + i));
        set.endpoints[i].port = 8080;
        set.endpoints[i].weight = 1 + random_range(max_weight);
    }
    return set;
}

/* Returns what 'e' is due of all connections. */
static double
due(const struct gateway_share shares[], size_t n,
    const struct service_endpoint *e)
{
    double sum = 0, part = 0;

    for (size_t i = 0; i < n; i++) {
        sum += shares[i].weight;
    }
    for (size_t i = 0; i < n; i++) {
        double of_set = 0, of_e = 0;

        for (size_t j = 0; j < shares[i].set->n; j++) {
            const struct service_endpoint *x = &shares[i].set->endpoints[j];

            of_set += x->weight;
            of_e += service_endpoint_compare(x, e) ? 0 : x->weight;
        }
        part += of_set ? shares[i].weight / sum * of_e / of_set
                : e->reject ? shares[i].weight / sum : 0;
    }
    return part;
}

static double
sum_of(const struct service_set *set)
{
    double sum = 0;

    for (size_t i = 0; i < set->n; i++) {
        sum += set->endpoints[i].weight;
    }
    return sum;
}

/* Checks the shares of endpoints, each off by less than 2 of at least 65,400
 * for each Service, and of Services, off by less than 0.03 %.  The endpoints
 * of a Service have addresses 1000 * (1 + its index) and more. */
static void
check_shares(const struct gateway_share shares[], size_t n,
             const struct service_set *set)
{
    double sum = sum_of(set), got[GATEWAY_MAX_BACKENDS + 1] = { 0 };
    double want[GATEWAY_MAX_BACKENDS + 1] = { 0 }, all = 0;

    assert_true(sum >= 65400);
    for (size_t i = 0; i < set->n; i++) {
        const struct service_endpoint *e = &set->endpoints[i];
        uint32_t ip = ntohl(in6_addr_get_mapped_ipv4(&e->addr));
        double share = e->weight / sum;

        assert_true(e->weight > 0);
        assert_true(!i || service_endpoint_compare(&e[-1], e) < 0);
        if (fabs(share - due(shares, n, e)) >= 2.0 * n / 65400) {
            fail_msg("endpoint %"PRIuSIZE" has %f of %f", i, share,
                     due(shares, n, e));
        }
        got[e->reject ? n : (ip & 0xffffff) / 1000 - 1] += share;
    }
    for (size_t i = 0; i < n; i++) {
        all += shares[i].weight;
        want[shares[i].set->n ? i : n] += shares[i].weight;
    }
    for (size_t i = 0; i <= n; i++) {
        if (fabs(got[i] - want[i] / all) >= 0.0003) {
            fail_msg("Service %"PRIuSIZE" has %f of %f", i, got[i],
                     want[i] / all);
        }
    }
}

static void
test_spread(void **state OVS_UNUSED)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 10, 250 };
    int n_runs = getenv("TEST_LIGHT") ? 100 : 1000;

    random_set_seed(1);
    for (int run = 0; run < n_runs; run++) {
        size_t n = 1 + random_range(GATEWAY_MAX_BACKENDS);
        struct service_set sets[GATEWAY_MAX_BACKENDS], set;
        struct gateway_share shares[GATEWAY_MAX_BACKENDS];
        bool some = false;

        for (size_t i = 0; i < n; i++) {
            sets[i] = make_set(sizes[random_range(ARRAY_SIZE(sizes))],
                               1000 * (i + 1),
                               random_range(2) ? 1 : UINT16_MAX);
            shares[i] = (struct gateway_share) {
                .weight = (random_range(4) == 0 ? 0
                           : 1 + random_range(random_range(2) ? 10
                                              : GATEWAY_MAX_WEIGHT)),
                .set = &sets[i],
            };
            some |= shares[i].weight && sets[i].n;
        }
        gateway_spread(shares, n, &set);
        assert_int_equal(set.verdict,
                         some ? SERVICE_FORWARD : SERVICE_REJECT);
        if (some) {
            check_shares(shares, n, &set);
        } else {
            assert_int_equal(set.n, 0);
        }
        free(set.endpoints);
        for (size_t i = 0; i < n; i++) {
            free(sets[i].endpoints);
        }
    }
}

/* Cases at the edges. */
static void
test_spread_edges(void **state OVS_UNUSED)
{
    struct service_set a = make_set(1, 1000, 1), b = make_set(2, 2000, 1);
    struct service_set many = make_set(SERVICE_MAX_ENDPOINTS, 3000, 1), set;
    struct gateway_share shares[] = {
        { .weight = 1, .set = &a }, { .weight = 1, .set = &a },
        { .weight = 1 },
    };

    /* None. */
    gateway_spread(NULL, 0, &set);
    assert_true(set.verdict == SERVICE_REJECT && !set.n);

    /* The same endpoint twice, and rejections. */
    gateway_spread(shares, 3, &set);
    assert_int_equal(set.n, 2);
    assert_true(set.endpoints[0].reject);
    assert_true(fabs(2.0 * set.endpoints[0].weight / set.endpoints[1].weight
                     - 1) < 0.001);
    free(set.endpoints);

    /* Equal weights of all, in a light Service and in a heavy one, whose
     * endpoints are due less than 1 each. */
    shares[0] = (struct gateway_share) {
        .weight = GATEWAY_MAX_WEIGHT, .set = &b,
    };
    shares[1] = (struct gateway_share) {
        .weight = 1, .set = &many,
    };
    gateway_spread(shares, 2, &set);
    assert_true(set.n < 10);
    assert_true(sum_of(&set) - set.endpoints[0].weight
                - set.endpoints[1].weight <= 1);
    free(set.endpoints);

    /* No more than a group can have; each Service has its share. */
    shares[0] = (struct gateway_share) {
        .weight = 10, .set = &b,
    };
    shares[1] = (struct gateway_share) {
        .weight = 90, .set = &many,
    };
    gateway_spread(shares, 2, &set);
    assert_int_equal(set.n, 2 + SERVICE_MAX_ENDPOINTS / 2);
    assert_true(fabs((set.endpoints[0].weight + set.endpoints[1].weight)
                     / sum_of(&set) - 0.1) < 0.0001);
    free(set.endpoints);
    free(a.endpoints);
    free(b.endpoints);
    free(many.endpoints);
}

static void
free_shares(struct service_share *shares, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(shares[i].name);
        free(shares[i].endpoints);
    }
    free(shares);
}

/* Services for groups in two steps: weights, names, endpoints in common. */
static void
test_keep_shares(void **state OVS_UNUSED)
{
    struct service_set a = make_set(2, 1000, 1), b = make_set(3, 2000, 1);
    struct gateway_share shares[] = {
        { 90, &a, "x/a:80" }, { 0, &b, "x/b:80" }, { 10, NULL, "x/c:80" },
        { 5, NULL, "x/c:80" }, { GATEWAY_MAX_WEIGHT, &b, "x/b:81" },
    };
    struct service_share *kept;

    assert_int_equal(gateway_keep_shares(shares, 0, &kept), 0);
    free_shares(kept, 0);
    assert_int_equal(gateway_keep_shares(shares, 4, &kept), 2);
    assert_string_equal(kept[0].name, "x/a:80");
    assert_int_equal(kept[0].weight, UINT16_MAX);
    assert_int_equal(kept[0].n, 2);
    assert_memory_equal(kept[0].endpoints, a.endpoints,
                        2 * sizeof *a.endpoints);
    assert_string_equal(kept[1].name, "x/c:80");
    assert_int_equal(kept[1].weight, 10923);
    assert_int_equal(kept[1].n, 0);
    free_shares(kept, 2);

    assert_int_equal(gateway_keep_shares(shares, 5, &kept), 3);
    assert_int_equal(kept[0].weight, 6);
    assert_int_equal(kept[1].weight, 1);
    assert_int_equal(kept[2].weight, UINT16_MAX);
    free_shares(kept, 3);

    /* With a weight, 'b' is there twice, by two ports. */
    shares[1].weight = 1;
    assert_int_equal(gateway_keep_shares(shares, 5, &kept), 0);
    free_shares(kept, 0);
    free(a.endpoints);
    free(b.endpoints);
}

/* Objects. */

#define CLASS                                                           \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n" \
    "metadata: {name: c}\n"                                             \
    "spec: {controllerName: openvswitch-ext/ovs-kube-proxy}\n"

#define GATEWAY(LISTENERS)                                              \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"    \
    "metadata: {name: g, namespace: default}\n"                         \
    "spec:\n  gatewayClassName: c\n"                                    \
    "  addresses: [{type: IPAddress, value: 192.0.2.1},"                \
    " {value: '2001:db8::1'}]\n"                                        \
    "  listeners: [" LISTENERS "]\n"
#define LISTENER "{name: x, protocol: TCP, port: 80}"

#define ROUTE(PARENTS, BACKENDS)                                        \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\n"   \
    "metadata: {name: r, namespace: default}\n"                         \
    "spec:\n  parentRefs: [" PARENTS "]\n"                              \
    "  rules: [{backendRefs: [" BACKENDS "]}]\n"

#define WEB                                                             \
    "---\napiVersion: v1\nkind: Service\n"                              \
    "metadata: {name: web, namespace: default}\n"                       \
    "spec:\n  clusterIP: 10.96.0.1\n  sessionAffinity: ClientIP\n"      \
    "  internalTrafficPolicy: Local\n"                                  \
    "  ports: [{name: http, port: 80, targetPort: 8080}]\n"             \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"       \
    "metadata: {name: s, namespace: default,"                           \
    " labels: {kubernetes.io/service-name: web}}\n"                     \
    "addressType: IPv4\nports: [{name: http, port: 8080}]\n"            \
    "endpoints: [{addresses: [10.0.0.1], nodeName: there},"             \
    " {addresses: [10.0.0.2], conditions: {ready: false, serving: true,"\
    " terminating: true}}]\n"

/* What service_format() prints of them, without affinity and policies. */
#define WEB_FORMAT                                                      \
    "default/web\n  TCP port 80 \"http\", cluster IP 10.96.0.1, "       \
    "affinity for 10800 s\n"                                            \
    "    cluster: 10.0.0.1:8080\n"                                      \
    "    internal: drop: the endpoints are on other nodes\n"           \
    "    old connections: 10.0.0.2:8080(draining)\n"
#define ROUTE_FORMAT                                                    \
    "default/tcproute/r\n"                                              \
    "  TCP port 80, external IP 192.0.2.1\n"                            \
    "    cluster: 10.0.0.1:8080(weight 65535)\n"                        \
    "    old connections: 10.0.0.2:8080(draining)\n"                    \
    "  TCP port 80, external IP 2001:db8::1\n"                          \
    "    cluster: reject: there is no endpoint\n"

static struct kube_store *
create(void)
{
    struct kube_store *store = kube_store_create("here");

    kube_store_enable_gateways(store);
    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        kube_sink_list_begin(kube_store_sink(store), kind);
    }
    return store;
}

static void
end_lists(struct kube_store *store)
{
    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        kube_sink_list_end(kube_store_sink(store), kind);
    }
}

/* Checks what is to be done with the objects in 'yaml', and the complaint
 * about them. */
static void
check(const char *yaml, const char *expected, const char *complaint)
{
    struct kube_store *store = create();
    char *error = apply_yaml(store, KUBE_ADDED_OR_MODIFIED, yaml);

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
test_route(void **state OVS_UNUSED)
{
    check(CLASS GATEWAY(LISTENER) WEB
          ROUTE("{name: g}", "{name: web, port: 80}"),
          WEB_FORMAT ROUTE_FORMAT, NULL);
    /* Faulty elements are left out. */
    check(CLASS GATEWAY("{name: y}, 7, " LISTENER) WEB
          ROUTE("{name: g}", "{name: web, port: 80}"),
          WEB_FORMAT ROUTE_FORMAT, "a listener has no name or no port");
    check(CLASS GATEWAY(LISTENER) WEB
          ROUTE("{name: g}, 7", "{name: web, port: 80, weight: -3}"),
          WEB_FORMAT ROUTE_FORMAT, "'weight' is not a number from 0");
    check(CLASS GATEWAY(LISTENER) WEB ROUTE("{name: g}", ""),
          WEB_FORMAT "default/tcproute/r\n"
          "  TCP port 80, external IP 192.0.2.1\n"
          "    cluster: reject: there is no endpoint\n"
          "  TCP port 80, external IP 2001:db8::1\n"
          "    cluster: reject: there is no endpoint\n", NULL);
    /* A Service cannot have the name of a route. */
    check("---\napiVersion: v1\nkind: Service\n"
          "metadata: {name: tcproute/r}\nspec: {clusterIP: 10.96.0.1}\n",
          "", "has a '/'");
    check("---\napiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\n"
          "metadata: {name: r/s}\n", "", "has a '/'");
}

/* The result does not depend on the order in which objects come, and each of
 * them is needed. */
static void
test_any_order(void **state OVS_UNUSED)
{
    struct json *documents = parse(CLASS GATEWAY(LISTENER) WEB
                                   ROUTE("{name: g}",
                                         "{name: web, port: 80}"));
    size_t n = json_array_size(documents);
    struct kube_store *store = create();

    random_set_seed(3);
    end_lists(store);
    for (int run = 0; run < 200; run++) {
        size_t order[5];
        char *got;

        assert_int_equal(n, ARRAY_SIZE(order));
        for (size_t i = 0; i < n; i++) {
            size_t j = random_range(i + 1);

            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < n; i++) {
            char *error = NULL;

            apply(store, KUBE_ADDED_OR_MODIFIED,
                  json_array_at(documents, order[i]), &error);
            assert_null(error);
            if (random_range(2)) {
                free(format_all(store));
            }
        }
        check_format(store, WEB_FORMAT ROUTE_FORMAT);

        apply(store, KUBE_DELETED, json_array_at(documents, order[0]),
              NULL);
        got = format_all(store);
        assert_string_not_equal(got, WEB_FORMAT ROUTE_FORMAT);
        free(got);
    }
    kube_store_destroy(store);
    json_destroy(documents);
}

/* Status. */

/* Returns what service_next_status() says of paths with 'part', "PATH PATCH"
 * lines without times, for the caller to free. */
static char *
next_status(struct kube_store *store, const char *part)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *patch;
    char *path, *text, *p;

    free(format_all(store));
    while ((patch = service_next_status(store, &path)) != NULL) {
        char *body = json_to_string(patch, JSSF_SORT);

        if (strstr(path, part)) {
            ds_put_format(&s, "%s %s\n", path, body);
        }
        free(body);
        free(path);
        json_destroy(patch);
    }
    text = ds_steal_cstr(&s);
    p = text;
    while ((p = strstr(p, "\"lastTransitionTime\":\"20")) != NULL) {
        p += strlen("\"lastTransitionTime\":\"");
        memcpy(p, "....-..-..T..:..:..Z", 20);
    }
    return text;
}

static void
check_status(struct kube_store *store, const char *expected)
{
    char *got = next_status(store, "/tcproutes/");

    if (strcmp(got, expected)) {
        fail_msg("got\n%sinstead of\n%s", got, expected);
    }
    free(got);
}

#define API "/apis/gateway.networking.k8s.io/v1/"
#define NOW "....-..-..T..:..:..Z"
#define CONDITION(TYPE, STATUS, REASON, MESSAGE, TIME)                  \
    "{\"lastTransitionTime\":\"" TIME "\",\"message\":\"" MESSAGE "\"," \
    "\"observedGeneration\":3,\"reason\":\"" REASON "\","               \
    "\"status\":\"" STATUS "\",\"type\":\"" TYPE "\"}"
#define TRUE_CONDITION(TYPE) CONDITION(TYPE, "True", TYPE, "", NOW)

/* A route as the API server has it, with 'STATUS'. */
#define SERVED_ROUTE(STATUS)                                            \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\n"   \
    "metadata: {name: r, namespace: default, uid: u, generation: 3,"    \
    " resourceVersion: '7'}\n"                                          \
    "spec: {parentRefs: [{name: g}], rules: [{backendRefs: "            \
    "[{name: web, port: 80}]}]}\nstatus: " STATUS "\n"
#define ROUTE_PATCH(PARENTS)                                            \
    API "namespaces/default/tcproutes/r/status "                        \
    "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{"            \
    "\"parents\":[" PARENTS "]}}\n"
#define OUR_PARENT(CONDITIONS)                                          \
    "{\"conditions\":[" CONDITIONS "],\"controllerName\":"              \
    "\"openvswitch-ext/ovs-kube-proxy\",\"parentRef\":{\"name\":\"g\"}}"

#define OLD "1999-01-01T00:00:00Z"
#define FOREIGN_PARENT                                                  \
    "{\"conditions\":[],\"controllerName\":\"x/y\",\"parentRef\":"      \
    "{\"name\":\"g\"}}"
#define FOREIGN_CONDITION                                               \
    "{\"status\":\"True\",\"type\":\"example.net/Fine\"}"

/* A status is written once, others' parts of it stay where they are, and a
 * condition that stays as it is keeps its time. */
static void
test_route_status(void **state OVS_UNUSED)
{
    static const char written[] = SERVED_ROUTE(
        "{\"parents\":[" FOREIGN_PARENT ","
        OUR_PARENT(FOREIGN_CONDITION ","
                   CONDITION("ResolvedRefs", "True", "ResolvedRefs", "", OLD)
                   "," CONDITION("Accepted", "True", "Accepted", "", OLD))
        "]}");
    struct kube_store *store = create();

    end_lists(store);
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, CLASS GATEWAY(LISTENER)));
    check_status(store, "");
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, SERVED_ROUTE("{}")));
    check_status(store, ROUTE_PATCH(OUR_PARENT(
        TRUE_CONDITION("Accepted") ","
        CONDITION("ResolvedRefs", "False", "BackendNotFound",
                  "there is no Service default/web", NOW))));
    check_status(store, "");
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, WEB));
    check_status(store, ROUTE_PATCH(OUR_PARENT(
        TRUE_CONDITION("Accepted") "," TRUE_CONDITION("ResolvedRefs"))));

    /* The object that the watch brings has the right status. */
    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED, written));
    check_status(store, "");
    free(apply_yaml(store, KUBE_DELETED, WEB));
    check_status(store, ROUTE_PATCH(
        FOREIGN_PARENT "," OUR_PARENT(
            FOREIGN_CONDITION ","
            CONDITION("ResolvedRefs", "False", "BackendNotFound",
                      "there is no Service default/web", NOW) ","
            CONDITION("Accepted", "True", "Accepted", "", OLD))));

    /* Our entry goes with our Gateway. */
    free(apply_yaml(store, KUBE_DELETED, GATEWAY(LISTENER)));
    check_status(store, ROUTE_PATCH(FOREIGN_PARENT));
    kube_store_destroy(store);
}

/* The status of a Gateway with a listener of each kind of fault. */
static void
test_gateway_status(void **state OVS_UNUSED)
{
    static const char *const parts[] = {
        API "gatewayclasses/c/status ",
        API "namespaces/default/gateways/g/status ",
        "\"addresses\":[{\"type\":\"IPAddress\",\"value\":\"192.0.2.1\"},"
        "{\"type\":\"IPAddress\",\"value\":\"2001:db8::1\"}]",
        "\"reason\":\"ListenersNotValid\",\"status\":\"True\"",
        "\"reason\":\"UnsupportedProtocol\",\"status\":\"False\","
        "\"type\":\"Accepted\"}",
        "\"reason\":\"ProtocolConflict\",\"status\":\"True\","
        "\"type\":\"Conflicted\"}],\"name\":\"twin\",\"supportedKinds\":"
        "[{\"group\":\"gateway.networking.k8s.io\",\"kind\":\"UDPRoute\"}]}",
        "\"reason\":\"PortUnavailable\",\"status\":\"False\","
        "\"type\":\"Accepted\"}",
        "\"reason\":\"InvalidRouteKinds\",\"status\":\"False\","
        "\"type\":\"ResolvedRefs\"}",
        "\"reason\":\"UnsupportedValue\",\"status\":\"False\","
        "\"type\":\"Accepted\"}",
        "{\"attachedRoutes\":1,",
    };
    struct kube_store *store = create();
    char *got;

    end_lists(store);
    free(apply_yaml(
        store, KUBE_ADDED_OR_MODIFIED,
        CLASS GATEWAY(LISTENER ", {name: http, protocol: HTTP, port: 81}, "
                      "{name: twin, protocol: UDP, port: 82}, "
                      "{name: other, protocol: UDP, port: 82}, "
                      "{name: kinds, protocol: UDP, port: 83, "
                      "allowedRoutes: {kinds: [{kind: TCPRoute}]}}, "
                      "{name: select, protocol: UDP, port: 84, allowedRoutes: "
                      "{namespaces: {from: Selector}}}")
        ROUTE("{name: g}", "{name: web, port: 80}")));
    got = next_status(store, "/");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (!strstr(got, parts[i])) {
            fail_msg("no %s in\n%s", parts[i], got);
        }
    }
    free(got);
    kube_store_destroy(store);
}

/* Objects that a list lacks are gone.  Without the kinds of Gateway API the
 * store is not complete, unless they are not asked for. */
static void
test_lists(void **state OVS_UNUSED)
{
    struct kube_store *store = create();

    free(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                    CLASS GATEWAY(LISTENER) WEB
                    ROUTE("{name: g}", "{name: web, port: 80}")));
    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        assert_false(kube_store_is_complete(store));
        kube_sink_list_end(kube_store_sink(store), kind);
    }
    assert_true(kube_store_is_complete(store));
    check_format(store, WEB_FORMAT ROUTE_FORMAT);
    kube_sink_list_begin(kube_store_sink(store), KUBE_TCP_ROUTE);
    kube_sink_list_end(kube_store_sink(store), KUBE_TCP_ROUTE);
    check_format(store, WEB_FORMAT);
    kube_store_destroy(store);

    store = kube_store_create("here");
    kube_sink_list_begin(kube_store_sink(store), KUBE_SERVICE);
    kube_sink_list_end(kube_store_sink(store), KUBE_SERVICE);
    kube_sink_list_begin(kube_store_sink(store), KUBE_ENDPOINT_SLICE);
    kube_sink_list_end(kube_store_sink(store), KUBE_ENDPOINT_SLICE);
    assert_true(kube_store_is_complete(store));
    assert_null(apply_yaml(store, KUBE_ADDED_OR_MODIFIED,
                           CLASS GATEWAY(LISTENER) WEB
                           ROUTE("{name: g}", "{name: web, port: 80}")));
    check_format(store, WEB_FORMAT);
    kube_store_destroy(store);
}

/* Returns a copy of 'json' with some values replaced by ones of another
 * type. */
static struct json *
mutate(const struct json *json)
{
    if (random_range(12) == 0) {
        switch (random_range(6)) {
        case 0: return json_null_create();
        case 1: return json_integer_create(-1);
        case 2: return json_string_create("");
        case 3: return json_array_create_empty();
        case 4: return json_object_create();
        default: return json_integer_create(LLONG_MAX);
        }
    } else if (json->type == JSON_OBJECT) {
        struct json *copy = json_object_create();
        const struct shash_node *node;

        SHASH_FOR_EACH (node, json_object(json)) {
            json_object_put(copy, node->name, mutate(node->data));
        }
        return copy;
    } else if (json->type == JSON_ARRAY) {
        struct json *copy = json_array_create_empty();

        for (size_t i = 0; i < json_array_size(json); i++) {
            for (size_t j = random_range(4); j < 3; j++) {
                json_array_add(copy, mutate(json_array_at(json, i)));
            }
        }
        return copy;
    }
    return json_deep_clone(json);
}

/* Objects of any shape do no harm, and good ones are served after them. */
static void
test_mutations(void **state OVS_UNUSED)
{
    static const char grant[] =
        "---\napiVersion: gateway.networking.k8s.io/v1\n"
        "kind: ReferenceGrant\nmetadata: {name: g, namespace: other}\n"
        "spec: {from: [{group: gateway.networking.k8s.io, kind: TCPRoute,"
        " namespace: default}], to: [{group: '', kind: Service}]}\n";
    struct json *documents = parse(
        CLASS GATEWAY("{name: x, protocol: TCP, port: 80, allowedRoutes: "
                      "{kinds: [{kind: TCPRoute}], namespaces: "
                      "{from: Selector, selector: {matchExpressions: [{key: "
                      "kubernetes.io/metadata.name, operator: In, values: "
                      "[default]}]}}}}") WEB
        ROUTE("{name: g, sectionName: x}", "{name: web, port: 80}, "
              "{name: web, namespace: other, port: 80, weight: 7}")
        "status: {parents: [{controllerName: "
        "openvswitch-ext/ovs-kube-proxy, parentRef: {name: g}, "
        "conditions: [{type: Accepted, status: 'True'}]}]}\n");
    struct json *grants = parse(grant);
    struct kube_store *store = create();
    int n = getenv("TEST_LIGHT") ? 500 : 5000;
    size_t n_errors = 0;
    char *got;

    random_set_seed(4);
    end_lists(store);
    for (int i = 0; i < n; i++) {
        size_t which = random_range(json_array_size(documents) + 1);
        const struct json *good = (which < json_array_size(documents)
                                   ? json_array_at(documents, which)
                                   : json_array_at(grants, 0));
        struct json *object = mutate(good);
        struct kube_sink *sink = kube_store_sink(store);
        enum kube_kind kind;
        char *error = NULL;
        bool list;

        assert_true(kube_kind_of(good, &kind, &list));
        sink->class->apply(sink, kind, KUBE_ADDED_OR_MODIFIED, object,
                           &error);
        n_errors += error != NULL;
        free(error);
        json_destroy(object);
        free(next_status(store, "/"));
    }
    assert_true(n_errors > n / 20);

    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        kube_sink_list_begin(kube_store_sink(store), kind);
    }
    for (size_t i = 0; i < json_array_size(documents); i++) {
        char *error = NULL;

        apply(store, KUBE_ADDED_OR_MODIFIED, json_array_at(documents, i),
              &error);
        assert_null(error);
    }
    end_lists(store);
    got = format_all(store);
    assert_non_null(strstr(got, "external IP 192.0.2.1\n    cluster: "
                           "reject(weight 65527) 10.0.0.1:8080(weight "));
    free(got);
    kube_store_destroy(store);
    json_destroy(documents);
    json_destroy(grants);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_spread_edges),
        cmocka_unit_test(test_keep_shares),
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_route_status),
        cmocka_unit_test(test_gateway_status),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_mutations),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
