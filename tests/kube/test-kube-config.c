/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util.h"
#include "utilities/kube/kube-config.h"

static char dir[] = "/tmp/test-kube-config.XXXXXX";

/* Returns the name, valid until the next call, of 'name' in 'dir'. */
static const char *
path(const char *name)
{
    static char s[200];

    snprintf(s, sizeof s, "%s/%s", dir, name);
    return s;
}

static void
write_file(const char *name, const char *content)
{
    FILE *stream = fopen(path(name), "w");

    assert_non_null(stream);
    fputs(content, stream);
    assert_int_equal(fclose(stream), 0);
}

#define HEAD                                            \
    "apiVersion: v1\n"                                  \
    "kind: Config\n"                                    \
    "current-context: x\n"                              \
    "contexts:\n"                                       \
    "- name: other\n"                                   \
    "  context: {cluster: d, user: u}\n"                \
    "- name: x\n"                                       \
    "  context: {cluster: c, user: u, namespace: n}\n"
#define CLUSTER(C)                                      \
    "clusters:\n"                                       \
    "- {name: c, cluster: {" C "}}\n"                   \
    "- {name: d, cluster: {server: 'https://d'}}\n"
#define USER(U) "users: [{name: u, user: {" U "}}]\n"
#define SERVER "server: 'https://a.test:6443'"

static struct kube_config *
load(const char *text, const char *context)
{
    struct kube_config *config;
    char *error;

    write_file("config", text);
    error = kube_config_load(path("config"), context, &config);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    return config;
}

/* Checks that 'text' is refused with a message that contains 'expected'. */
static void
check_refused(const char *text, const char *expected)
{
    struct kube_config *config;
    char *error;

    write_file("config", text);
    error = kube_config_load(path("config"), NULL, &config);
    assert_non_null(error);
    assert_null(config);
    if (!strstr(error, expected) || !strstr(error, path("config"))) {
        fail_msg("%s: \"%s\" lacks \"%s\"", text, error, expected);
    }
    free(error);
}

static void
test_inline(void **state OVS_UNUSED)
{
    struct kube_credentials c;
    struct kube_config *config;

    config = load(HEAD
                  CLUSTER("server: 'https://a.test:6443/prefix/',"
                          "certificate-authority-data: Y2E=,"
                          "certificate-authority: /nowhere,"
                          "tls-server-name: b.test,"
                          "proxy-url: 'http://proxy:3128'")
                  USER("client-certificate-data: Y2VydA==,"
                       "client-key-data: a2V5, token: t0ken"), NULL);
    assert_string_equal(config->server, "https://a.test:6443/prefix");
    assert_string_equal(config->server_name, "b.test");
    assert_string_equal(config->proxy, "http://proxy:3128");
    assert_null(kube_config_load_credentials(config, &c));
    assert_string_equal(c.ca, "ca");
    assert_string_equal(c.cert, "cert");
    assert_string_equal(c.key, "key");
    assert_string_equal(c.token, "t0ken");
    kube_credentials_destroy(&c);
    kube_config_destroy(config);

    config = load(HEAD CLUSTER(SERVER) USER(""), "other");
    assert_string_equal(config->server, "https://d");
    assert_null(kube_config_load_credentials(config, &c));
    assert_null(c.ca);
    assert_null(c.cert);
    assert_null(c.token);
    kube_config_destroy(config);
}

/* Files are relative to the kubeconfig and read anew each time. */
static void
test_files(void **state OVS_UNUSED)
{
    struct kube_credentials c;
    struct kube_config *config;
    char *error;

    config = load(HEAD CLUSTER(SERVER ", certificate-authority: ca")
                  USER("tokenFile: token, token: not-this"), NULL);
    write_file("ca", "the ca");
    write_file("token", "  one\n");
    assert_null(kube_config_load_credentials(config, &c));
    assert_string_equal(c.ca, "the ca");
    assert_string_equal(c.token, "one");
    kube_credentials_destroy(&c);

    write_file("token", "two");
    assert_null(kube_config_load_credentials(config, &c));
    assert_string_equal(c.token, "two");
    kube_credentials_destroy(&c);

    /* A token that would add a line to the request, none, and no file. */
    write_file("token", "two\r\nHost: three");
    error = kube_config_load_credentials(config, &c);
    assert_non_null(error);
    assert_non_null(strstr(error, "not a token"));
    free(error);
    write_file("token", "\n");
    error = kube_config_load_credentials(config, &c);
    assert_non_null(error);
    assert_null(c.ca);
    free(error);
    unlink(path("token"));
    error = kube_config_load_credentials(config, &c);
    assert_non_null(error);
    assert_non_null(strstr(error, "/token: "));
    free(error);
    unlink(path("ca"));
    kube_config_destroy(config);
}

static void
test_refused(void **state OVS_UNUSED)
{
    check_refused("", "not a kubeconfig");
    check_refused("[]", "not a kubeconfig");
    check_refused("a: b\n---\nc: d\n", "not a kubeconfig");
    check_refused("{", "line 2, column 1: did not find");
    check_refused("kind: Config", "current-context");
    check_refused("current-context: y", "no context \"y\"");
    check_refused("current-context: x\ncontexts: x", "no context \"x\"");
    check_refused(HEAD USER(""), "no cluster \"c\"");
    check_refused(HEAD CLUSTER(SERVER), "no user \"u\"");
    check_refused(HEAD CLUSTER("server: ''") USER(""), "no server");
    check_refused(HEAD CLUSTER("server: [x]") USER(""), "no server");
    check_refused(HEAD CLUSTER("server: 'http://a'") USER(""),
                  "only https://");
    check_refused(HEAD CLUSTER("server: 'https://'") USER(""),
                  "only https://");
    check_refused(HEAD CLUSTER("server: 'https://a@b'") USER(""),
                  "not the address");
    check_refused(HEAD CLUSTER(SERVER ", insecure-skip-tls-verify: true")
                  USER(""), "insecure-skip-tls-verify is not supported");
    check_refused(HEAD CLUSTER(SERVER ", insecure-skip-tls-verify: 'true'")
                  USER(""), "insecure-skip-tls-verify is not supported");
    check_refused(HEAD CLUSTER(SERVER ", certificate-authority-data: '*'")
                  USER(""), "not base64");
    check_refused(HEAD CLUSTER(SERVER) USER("exec: {command: x}"),
                  "exec is not supported");
    check_refused(HEAD CLUSTER(SERVER) USER("auth-provider: {name: x}"),
                  "auth-provider is not supported");
    check_refused(HEAD CLUSTER(SERVER) USER("username: x"),
                  "username is not supported");
    check_refused(HEAD CLUSTER(SERVER) USER("as: x"), "as is not supported");
    check_refused(HEAD CLUSTER(SERVER) USER("client-certificate: x"),
                  "need each other");

    struct kube_config *config = load(
        HEAD CLUSTER(SERVER ", insecure-skip-tls-verify: false")
        USER("username: ''"), NULL);
    kube_config_destroy(config);
}

static void
test_no_file(void **state OVS_UNUSED)
{
    struct kube_config *config;
    char *error;

    error = kube_config_load(path("none"), NULL, &config);
    assert_non_null(error);
    assert_non_null(strstr(error, "No such file"));
    free(error);
    error = kube_config_load(dir, NULL, &config);
    assert_non_null(error);
    free(error);
    error = kube_config_load("/dev/zero", NULL, &config);
    assert_non_null(error);
    assert_non_null(strstr(error, "longer than"));
    free(error);
}

static void
test_in_cluster(void **state OVS_UNUSED)
{
    struct kube_credentials c;
    struct kube_config *config;
    char *error;

    unsetenv("KUBERNETES_SERVICE_HOST");
    error = kube_config_load_in_cluster(dir, &config);
    assert_non_null(error);
    free(error);
    setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443@x", 1);
    error = kube_config_load_in_cluster(dir, &config);
    assert_non_null(error);
    free(error);

    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    assert_null(kube_config_load_in_cluster(dir, &config));
    assert_string_equal(config->server, "https://10.96.0.1:443");
    assert_string_equal(config->token.file, path("token"));
    error = kube_config_load_credentials(config, &c);
    assert_non_null(error);
    free(error);
    write_file("ca.crt", "ca");
    write_file("token", "token\n");
    assert_null(kube_config_load_credentials(config, &c));
    assert_string_equal(c.token, "token");
    kube_credentials_destroy(&c);
    kube_config_destroy(config);

    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    assert_null(kube_config_load_in_cluster(dir, &config));
    assert_string_equal(config->server, "https://[fd00::1]:443");
    kube_config_destroy(config);
    unlink(path("ca.crt"));
    unlink(path("token"));
}

static int
make_dir(void **state OVS_UNUSED)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state OVS_UNUSED)
{
    unlink(path("config"));
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_in_cluster),
    };

    return cmocka_run_group_tests_name("kube-config", tests, make_dir,
                                       remove_dir);
}
