/* SPDX-License-Identifier: Apache-2.0 */

/* Which of several Nodes with overlapping ranges of pods counts, and what an
 * earlier run has kept. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-sink.h"
#include "utilities/kube/kube-value.h"
#include "utilities/ovs-ext-node/node-cluster.h"

/* Hands the Node 'name' with 'cidrs', JSON strings with commas between them,
 * and 'address', if that is not null, to 'c'. */
static void
put(struct node_cluster *c, enum kube_event event, const char *name,
    const char *cidrs, const char *address)
{
    char *s = xasprintf("{\"apiVersion\": \"v1\", \"kind\": \"Node\","
                        "\"metadata\": {\"name\": \"%s\"},"
                        "\"spec\": {\"podCIDRs\": [%s]},"
                        "\"status\": {\"addresses\": [%s%s%s]}}", name, cidrs,
                        address ? "{\"type\": \"InternalIP\", \"address\": \""
                        : "", address ? address : "", address ? "\"}" : "");
    struct json *json = json_from_string(s);

    assert_int_equal(json->type, JSON_OBJECT);
    kube_sink_apply(node_cluster_sink(c), KUBE_NODE, event, json);
    json_destroy(json);
    free(s);
}

static void
add(struct node_cluster *c, const char *name, const char *cidrs)
{
    put(c, KUBE_ADDED_OR_MODIFIED, name, cidrs, NULL);
}

/* Checks that the Nodes of 'c' that are left out are 'expected', pairs
 * "NAME:OWNER" with blanks between them. */
static void
check(struct node_cluster *c, const char *expected)
{
    char s[256] = "";
    size_t n;
    const struct node_peer *peers = node_cluster_peers(c, &n);

    for (size_t i = 0; i < n; i++) {
        if (peers[i].left_out) {
            snprintf(s + strlen(s), sizeof s - strlen(s), "%s%s:%s",
                     s[0] ? " " : "", peers[i].node->name,
                     peers[i].left_out);
        }
    }
    assert_string_equal(s, expected);
}

static void
test_overlaps(void **state OVS_UNUSED)
{
    struct node_cluster *c = node_cluster_create("me");

    check(c, "");
    add(c, "b", "\"10.1.0.0/24\", \"fd00:1::/64\"");
    add(c, "a", "\"10.2.0.0/24\", \"fd00:2::/64\"");
    check(c, "");
    /* The first name, in one family or the other. */
    add(c, "d", "\"10.1.0.0/24\"");
    add(c, "c", "\"10.3.0.0/24\", \"fd00:1::/64\"");
    check(c, "c:b d:b");
    add(c, "a", "\"10.1.0.0/24\"");
    check(c, "b:a c:b d:a");
    /* The wider range, which others follow: each is compared with it. */
    add(c, "z", "\"10.0.0.0/8\"");
    check(c, "a:z b:z c:b d:z");
    /* Ours in any case; what ours leaves out takes nothing from others. */
    add(c, "me", "\"10.9.0.0/24\"");
    check(c, "b:a c:b d:a z:me");
    /* All of IPv6 comes before IPv4 in the order of addresses, and is none of
     * it. */
    add(c, "y", "\"::/0\"");
    check(c, "b:y c:y d:a z:me");
    put(c, KUBE_DELETED, "me", "", NULL);
    put(c, KUBE_DELETED, "y", "", NULL);
    check(c, "a:z b:z c:b d:z");
    node_cluster_destroy(c);
}

static void
test_own_ranges(void **state OVS_UNUSED)
{
    struct node_cluster *c = node_cluster_create("me");

    /* A Node's own ranges may overlap, and the wider one counts for others. */
    add(c, "a", "\"10.0.0.0/8\", \"10.1.0.0/16\"");
    add(c, "b", "\"10.2.0.0/16\"");
    check(c, "b:a");
    add(c, "me", "\"10.0.0.0/8\", \"10.0.0.0/8\"");
    check(c, "a:me b:me");
    node_cluster_destroy(c);
}

static void
test_addresses(void **state OVS_UNUSED)
{
    struct node_cluster *c = node_cluster_create("me");
    enum kube_event put_ = KUBE_ADDED_OR_MODIFIED;

    /* In its own range. */
    put(c, put_, "b", "\"10.1.0.0/24\"", "10.1.0.9");
    put(c, put_, "c", "\"10.2.0.0/24\"", "192.0.2.3");
    check(c, "");
    /* In that of another one, or that of ours. */
    put(c, put_, "a", "\"10.3.0.0/24\"", "10.1.0.7");
    check(c, "a:b");
    put(c, put_, "me", "\"10.9.0.0/24\"", "192.0.2.9");
    put(c, put_, "a", "\"10.3.0.0/24\"", "10.9.0.7");
    check(c, "a:me");
    /* That of another one, or ours. */
    put(c, put_, "d", "\"10.4.0.0/24\"", "192.0.2.3");
    put(c, put_, "a", "\"10.3.0.0/24\"", "192.0.2.9");
    check(c, "a:me d:c");
    node_cluster_destroy(c);
}

static void
test_list(void **state OVS_UNUSED)
{
    struct node_cluster *c = node_cluster_create("me");
    struct kube_sink *sink = node_cluster_sink(c);
    uint64_t generation;
    size_t n;

    assert_false(node_cluster_is_complete(c));
    kube_sink_list_begin(sink, KUBE_NODE);
    add(c, "me", "\"10.1.0.0/24\"");
    add(c, "a", "\"10.2.0.0/24\"");
    kube_sink_list_end(sink, KUBE_NODE);
    assert_true(node_cluster_is_complete(c));
    assert_non_null(node_cluster_ours(c));

    /* The same again is no change. */
    generation = node_cluster_generation(c);
    add(c, "a", "\"10.2.0.0/24\"");
    assert_int_equal(node_cluster_generation(c), generation);
    /* What a list does not have any more goes. */
    kube_sink_list_begin(sink, KUBE_NODE);
    add(c, "a", "\"10.2.0.0/24\"");
    kube_sink_list_end(sink, KUBE_NODE);
    assert_int_not_equal(node_cluster_generation(c), generation);
    assert_null(node_cluster_ours(c));
    node_cluster_peers(c, &n);
    assert_int_equal(n, 1);
    node_cluster_destroy(c);
}

/* Compares node_cluster_owner() with a search for the only Node that could
 * be it, on Nodes and addresses by chance. */
static void
test_owner(void **state OVS_UNUSED)
{
    for (int round = 0; round < 200; round++) {
        struct node_cluster *c = node_cluster_create("n3");
        const struct node_peer *peers;
        size_t n;

        for (int i = 0; i < 8; i++) {
            char *name = xasprintf("n%d", i);
            char *cidr = xasprintf("\"10.%u.%u.0/%u\"", random_range(3),
                                   random_range(4) * 64,
                                   14 + random_range(10));

            add(c, name, cidr);
            free(cidr);
            free(name);
        }
        peers = node_cluster_peers(c, &n);
        for (int i = 0; i < 50; i++) {
            struct in6_addr addr = in6_addr_mapped_ipv4(
                htonl(0x0a000000 | random_range(1 << 18)));
            struct kube_cidr host = { .addr = addr, .plen = 32 };
            const struct kube_node *owner = NULL;

            for (size_t j = 0; j < n; j++) {
                if (!peers[j].left_out
                    && kube_cidr_covers(&peers[j].node->pod_cidrs[0],
                                        &host)) {
                    /* Never two. */
                    assert_null(owner);
                    owner = peers[j].node;
                }
            }
            assert_ptr_equal(node_cluster_owner(c, &addr), owner);
        }
        node_cluster_destroy(c);
    }
}

/* Nodes that the database keeps, as text. */

static struct kube_node *
read_back(const char *name, const char *s, const char *expected_error)
{
    char *error = NULL;
    struct kube_node *node = kube_node_from_string(name, s, &error);

    if (expected_error) {
        assert_non_null(error);
        assert_non_null(strstr(error, expected_error));
    } else {
        assert_null(error);
    }
    free(error);
    return node;
}

static void
test_strings(void **state OVS_UNUSED)
{
    static const char *const good[] = {
        "", "192.0.2.1", "10.1.0.0/16",
        "192.0.2.1 fd00::1 10.1.0.0/16 fd00:1::/64",
    };
    static const char *const bad[] = {
        "192.0.2.1 10.1.0.0/33", "192.0.2.1 x", "/ 192.0.2.1",
        "192.0.2.1 10.1.0.0/", "192.0.2.1 fd00:1::/129",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct kube_node *node = read_back("a", good[i], NULL);
        struct ds s = DS_EMPTY_INITIALIZER;

        kube_node_format(node, &s);
        assert_string_equal(ds_cstr(&s), good[i]);
        ds_destroy(&s);
        kube_node_destroy(node);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct kube_node *node = read_back("a", bad[i], "");

        assert_int_equal(node->n_addrs, 1);
        assert_int_equal(node->n_pod_cidrs, 0);
        kube_node_destroy(node);
    }
}

static void
restore(struct node_cluster *c, const char *name, const char *s)
{
    node_cluster_restore(c, read_back(name, s, NULL));
}

static void
test_restore(void **state OVS_UNUSED)
{
    struct node_cluster *c = node_cluster_create("me");
    struct kube_sink *sink = node_cluster_sink(c);
    size_t n;

    /* Others alone are no use. */
    restore(c, "a", "192.0.2.9 10.1.0.0/24");
    assert_false(node_cluster_is_restored(c));
    restore(c, "me", "192.0.2.1 10.2.0.0/24");
    assert_true(node_cluster_is_restored(c));
    assert_false(node_cluster_is_complete(c));
    assert_int_equal(node_cluster_ours(c)->n_addrs, 1);

    /* The list replaces restored Nodes, and removes those it lacks. */
    kube_sink_list_begin(sink, KUBE_NODE);
    add(c, "b", "\"10.3.0.0/24\"");
    restore(c, "b", "192.0.2.3 10.4.0.0/24");
    restore(c, "c", "192.0.2.4 10.5.0.0/24");
    add(c, "me", "\"10.2.0.0/24\"");
    assert_true(node_cluster_is_restored(c));
    kube_sink_list_end(sink, KUBE_NODE);
    assert_false(node_cluster_is_restored(c));
    assert_true(node_cluster_is_complete(c));
    assert_string_equal(node_cluster_peers(c, &n)[0].node->name, "b");
    assert_int_equal(node_cluster_peers(c, &n)[0].node->n_addrs, 0);
    assert_int_equal(n, 2);
    assert_int_equal(node_cluster_ours(c)->n_addrs, 0);

    /* Too late. */
    restore(c, "d", "192.0.2.5 10.6.0.0/24");
    node_cluster_peers(c, &n);
    assert_int_equal(n, 2);
    node_cluster_destroy(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_own_ranges),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_strings),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    random_set_seed(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
