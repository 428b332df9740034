/* SPDX-License-Identifier: Apache-2.0 */

/* The journal of past states of Services, and times
 * =================================================
 *
 * A state is known by its port number. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>
#include "openvswitch/vlog.h"
#include "random.h"
#include "tests/kube/store-test.h"
#include "timeval.h"
#include "util.h"
#include "utilities/ovs-kube-proxy/service/service-journal.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"
#include "utilities/ovs-kube-proxy/service/service-time.h"

/* Returns a state of Service 'name' with 'n' endpoints. */
static struct service *
make_state(const char *name, uint16_t port, size_t n)
{
    struct service *service = xzalloc(sizeof *service);
    struct service_endpoint *endpoints = xcalloc(n + 1, sizeof *endpoints);

    service->namespace_ = xstrdup("default");
    service->name = xstrdup(name);
    service->n = 1;
    service->ports = xcalloc(1, sizeof *service->ports);
    *service->ports = (struct service_port) {
        .namespace_ = xstrdup("default"), .name = xstrdup(name),
        .port_name = xstrdup(""), .port = port,
        .cluster = { .n = n, .endpoints = endpoints },
    };
    service->ports->internal = service->ports->cluster;
    service->ports->external = service->ports->cluster;
    return service;
}

/* Returns the port of Service 'name' at 'when' by past states of 'j', or 0 if
 * there is none, and stores its times. */
static uint16_t
port_at(const struct service_journal *j, const char *name, long long int when,
        long long int *from, long long int *until)
{
    struct service_past *past;
    uint16_t port = 0;
    size_t n;

    past = service_journal_at(j, when, &n);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(past[i].service->name, name)) {
            assert_int_equal(port, 0);
            port = past[i].service->ports->port;
            *from = past[i].from;
            *until = past[i].until;
        }
    }
    free(past);
    return port;
}

static void
check_at(const struct service_journal *j, const char *name,
         long long int when, uint16_t port, long long int from,
         long long int until)
{
    long long int got_from = 0, got_until = 0;

    assert_int_equal(port_at(j, name, when, &got_from, &got_until), port);
    assert_int_equal(got_from, from);
    assert_int_equal(got_until, until);
}

/* A state counts from its first millisecond to the one before its last. */
static void
test_boundaries(void **state OVS_UNUSED)
{
    struct service_journal *j = service_journal_create(1 << 20);
    bool forgotten;

    assert_true(service_journal_horizon(j, &forgotten) == LLONG_MAX);
    service_journal_note(j, "default/a", make_state("a", 9, 1), false, 50);
    service_journal_begin(j, 100);
    service_journal_begin(j, 150);
    assert_int_equal(service_journal_horizon(j, &forgotten), 100);
    assert_false(forgotten);
    assert_int_equal(service_journal_since(j, "default/a"), 100);

    service_journal_note(j, "default/a", make_state("a", 1, 1), false, 200);
    service_journal_note(j, "default/b", NULL, false, 200);
    service_journal_note(j, "default/a", make_state("a", 2, 1), true, 300);
    service_journal_note(j, "default/a", NULL, false, 400);
    service_journal_note(j, "default/a", make_state("a", 3, 1), false, 500);
    check_at(j, "a", 99, 0, 0, 0);
    check_at(j, "a", 100, 1, 100, 200);
    check_at(j, "a", 199, 1, 100, 200);
    check_at(j, "a", 200, 2, 200, 300);
    check_at(j, "a", 299, 2, 200, 300);
    check_at(j, "a", 300, 0, 0, 0);
    check_at(j, "a", 399, 0, 0, 0);
    check_at(j, "a", 400, 3, 400, 500);
    check_at(j, "a", 500, 0, 0, 0);
    check_at(j, "b", 200, 0, 0, 0);
    assert_int_equal(service_journal_since(j, "default/a"), 500);
    assert_int_equal(service_journal_since(j, "default/b"), 200);
    assert_int_equal(service_journal_since(j, "default/c"), 100);
    service_journal_destroy(j);
}

/* The clock is set back: no state ends before it begins. */
static void
test_clock(void **state OVS_UNUSED)
{
    struct service_journal *j = service_journal_create(1 << 20);

    service_journal_begin(j, 1000);
    service_journal_note(j, "default/a", make_state("a", 1, 1), false, 2000);
    service_journal_note(j, "default/a", make_state("a", 2, 1), false, 1500);
    service_journal_note(j, "default/a", make_state("a", 3, 1), false, 2500);
    check_at(j, "a", 1999, 1, 1000, 2000);
    check_at(j, "a", 2000, 3, 2000, 2500);
    service_journal_destroy(j);
}

/* The states that ended first are forgotten first, and no more of them than
 * the limit demands. */
static void
test_bound(void **state OVS_UNUSED)
{
    enum { N_ENDPOINTS = 1000, LIMIT = 10 * 30 * N_ENDPOINTS };
    struct service_journal *j = service_journal_create(LIMIT);
    size_t n_bytes, n = 0;
    bool forgotten;

    service_journal_begin(j, 0);
    service_journal_note(j, "default/b", make_state("b", 99, 1), true, 1);
    for (unsigned int i = 1; i <= 100; i++) {
        service_journal_note(j, "default/a",
                             make_state("a", i, N_ENDPOINTS), false, i * 10);
        n = service_journal_count(j, &n_bytes);
        assert_true(n_bytes <= LIMIT);
        assert_int_equal(service_journal_since(j, "default/a"), i * 10);
    }
    /* One with all its endpoints takes 24 to 30 octets for each. */
    assert_in_range(n, 10, 12);
    assert_int_equal(service_journal_horizon(j, &forgotten), (100 - n) * 10);
    assert_true(forgotten);
    check_at(j, "b", 0, 0, 0, 0);
    check_at(j, "a", (100 - n) * 10 - 1, 0, 0, 0);
    check_at(j, "a", (100 - n) * 10, 101 - n, (100 - n) * 10,
             (101 - n) * 10);
    check_at(j, "a", 999, 100, 990, 1000);

    /* One that is too large alone is forgotten at once. */
    service_journal_note(j, "default/a",
                         make_state("a", 1, 13 * N_ENDPOINTS), true, 2000);
    assert_int_equal(service_journal_count(j, &n_bytes), 0);
    assert_int_equal(n_bytes, 0);
    assert_int_equal(service_journal_horizon(j, &forgotten), 2000);
    service_journal_destroy(j);
}

/* Random histories of some Services, beside a list of all that ever was. */
static void
test_random(void **state OVS_UNUSED)
{
    enum { N_SERVICES = 5, N_EVENTS = 3000 };
    static struct {
        unsigned int service;
        uint16_t port;
        long long int from, until;
    } all[N_EVENTS];
    struct {
        uint16_t port;
        long long int since;
    } now[N_SERVICES] = { { 0 } };
    struct service_journal *j = service_journal_create(100000);
    long long int time = 0;
    size_t n_all = 0, n_found = 0;
    bool forgotten;

    random_set_seed(19);
    service_journal_begin(j, 0);
    for (unsigned int i = 1; i <= N_EVENTS; i++) {
        unsigned int s = random_range(N_SERVICES);
        char name[] = { 'a' + s, '\0' }, key[] = "default/a";
        bool gone = !random_range(4);

        time += random_range(4);
        key[8] = *name;
        if (now[s].port && now[s].since < time) {
            all[n_all].service = s;
            all[n_all].port = now[s].port;
            all[n_all].from = now[s].since;
            all[n_all++].until = time;
        }
        service_journal_note(j, key, now[s].port
                             ? make_state(name, now[s].port, random_range(90))
                             : NULL, gone, time);
        now[s].port = gone ? 0 : i;
        now[s].since = time;
    }
    for (long long int when = service_journal_horizon(j, &forgotten);
         when <= time; when++) {
        for (unsigned int s = 0; s < N_SERVICES; s++) {
            char name[] = { 'a' + s, '\0' };
            uint16_t port = 0;
            long long int from = 0, until = 0;

            for (size_t i = 0; i < n_all; i++) {
                if (all[i].service == s && all[i].from <= when
                    && when < all[i].until) {
                    port = all[i].port;
                    from = all[i].from;
                    until = all[i].until;
                }
            }
            check_at(j, name, when, port, from, until);
            n_found += port != 0;
        }
    }
    assert_true(forgotten);
    assert_true(n_found > 100);
    service_journal_destroy(j);
}

#define SERVICE                                                         \
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"            \
    "spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n"
#define SLICE(ADDR)                                                     \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"       \
    "metadata: {name: web-1, "                                          \
    "labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\n"   \
    "ports: [{name: '', port: 8080}]\n"                                 \
    "endpoints: [{addresses: [" ADDR "]}]\n"

static void
check_store(const struct kube_store *store, long long int when,
            const char *expected)
{
    struct service_past *past;
    char *error;
    size_t n;

    error = service_all_at(store, when, &past, &n);
    if (error) {
        if (!strstr(error, expected)) {
            fail_msg("got %s instead of %s", error, expected);
        }
        free(error);
        return;
    }
    if (n) {
        struct ds s = DS_EMPTY_INITIALIZER;

        assert_int_equal(n, 1);
        service_format(past[0].service, &s);
        if (!strstr(ds_cstr(&s), expected)) {
            fail_msg("got %s instead of %s", ds_cstr(&s), expected);
        }
        ds_destroy(&s);
    } else {
        assert_string_equal(expected, "");
    }
    free(past);
}

/* A store gives its past and present states to the journal. */
static void
test_store(void **state OVS_UNUSED)
{
    struct kube_store *store = kube_store_create("here");
    struct kube_sink *sink = kube_store_sink(store);
    long long int times[4];

    check_store(store, time_wall_msec(), "no journal is kept");
    kube_store_keep_journal(store, 1 << 20);
    check_store(store, time_wall_msec(), "not known yet");
    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        sink->class->list_begin(sink, kind);
        sink->class->list_end(sink, kind);
    }
    times[0] = time_wall_msec();
    for (int i = 0; i < 4; i++) {
        static const struct {
            enum kube_event event;
            const char *yaml;
        } steps[] = {
            { KUBE_ADDED_OR_MODIFIED, SERVICE SLICE("10.1.0.1") },
            { KUBE_ADDED_OR_MODIFIED, SLICE("10.1.0.2") },
            { KUBE_DELETED, SERVICE },
            { KUBE_ADDED_OR_MODIFIED, SERVICE },
        };

        free(apply_yaml(store, steps[i].event, steps[i].yaml));
        xnanosleep(2000000);
        time_wall_msec();
        take_changes(store);
        xnanosleep(2000000);
        times[i] = time_wall_msec();
    }
    check_store(store, times[0] - 1000, "when the program started");
    check_store(store, times[0], "10.1.0.1:8080");
    check_store(store, times[1], "10.1.0.2:8080");
    check_store(store, times[2], "");
    check_store(store, times[3], "10.1.0.2:8080");
    kube_store_destroy(store);
}

static void
test_times(void **state OVS_UNUSED)
{
    static const struct {
        const char *s;
        long long int when;     /* -1: no time; -2: in the future. */
    } rows[] = {
        { "2023-11-14T22:13:20Z", 1700000000000 },
        { "2023-11-14T22:13:20.5Z", 1700000000500 },
        { "2023-11-14T22:13:20.1239Z", 1700000000123 },
        { "2023-11-14T23:13:20+01:00", 1700000000000 },
        { "2023-11-14T16:43:20-05:30", 1700000000000 },
        { "1700000000", 1700000000000 },
        { "1700000000.25", 1700000000250 },
        { "0", 0 },
        { "-5m", 1700000000000 },
        { "-300s", 1700000000000 },
        { "-4m60s", 1700000000000 },
        { "-1h", 1699996700000 },
        { "-2d", 1699827500000 },
        { "-0s", 1700000300000 },
        { "1700000300", 1700000300000 },
        { "1700000300.001", -2 },
        { "2023-11-14T22:18:21Z", -2 },
        { "", -1 }, { "-", -1 }, { "-5", -1 }, { "-m", -1 }, { "-5x", -1 },
        { "5m", -1 }, { "+5m", -1 }, { "-5m ", -1 }, { "--5m", -1 },
        { "1.", -1 }, { "1.5.5", -1 }, { "9999999999999999999999", -1 },
        { "2023-11-14T22:13:20", -1 }, { "2023-11-14 22:13:20Z", -1 },
        { "2023-13-14T22:13:20Z", -1 }, { "2023-11-14T22:13:20Zx", -1 },
        { "2023-11-14T22:13:20+1:00", -1 }, { "2023-11-14T22:13:20.Z", -1 },
        { "2023-11-14T22:13:20+24:00", -1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        long long int when = 0;
        char *error = service_time_parse(rows[i].s, 1700000300000, &when);
        long long int got = (!error ? when
                             : strstr(error, "still to come") ? -2 : -1);

        if (got != rows[i].when) {
            fail_msg("\"%s\" is %lld", rows[i].s, got);
        }
        free(error);
    }

    char *s = service_time_format(1700000000007);

    assert_string_equal(s, "2023-11-14T22:13:20.007Z");
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_times),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
