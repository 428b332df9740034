/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube-yaml.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

#define MAX_CONFIG_SIZE (1024 * 1024)
#define MAX_SECRET_SIZE (1024 * 1024)

/* Reads the file 'name', of at most 'max' octets.  Returns null and stores its
 * content, for the caller to free, in '*data' and its size in '*size'; a null
 * character follows the content.  Returns an error message, for the caller to
 * free, if the file cannot be read or is longer. */
char *
kube_read_file(const char *name, size_t max, char **data, size_t *size)
{
    size_t allocated = 4096;
    ssize_t n;
    int fd;

    *data = NULL;
    *size = 0;
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return xasprintf("%s: %s", name, ovs_strerror(errno));
    }
    *data = xmalloc(allocated);
    while ((n = read(fd, *data + *size, allocated - 1 - *size)) > 0) {
        *size += n;
        if (*size > max) {
            free(*data);
            *data = NULL;
            close(fd);
            return xasprintf("%s: longer than %"PRIuSIZE" octets", name, max);
        }
        if (*size == allocated - 1) {
            allocated *= 2;
            *data = xrealloc(*data, allocated);
        }
    }
    if (n < 0) {
        int error = errno;

        free(*data);
        *data = NULL;
        close(fd);
        return xasprintf("%s: %s", name, ovs_strerror(error));
    }
    close(fd);
    (*data)[*size] = '\0';
    return NULL;
}

/* Returns the member 'name' of 'object' if that is a nonempty string, else
 * null. */
static const char *
get_string(const struct json *object, const char *name)
{
    const struct json *member = shash_find_data(json_object(object), name);

    return (member && member->type == JSON_STRING && json_string(member)[0]
            ? json_string(member) : NULL);
}

/* Finds the element called 'name' in the list 'lists' of 'root'.  Returns its
 * member 'member' if that is an object, else null. */
static const struct json *
find_named(const struct json *root, const char *lists, const char *name,
           const char *member)
{
    const struct json *list = shash_find_data(json_object(root), lists);

    if (!list || list->type != JSON_ARRAY) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct json *element = json_array_at(list, i);
        const struct json *value;

        if (element->type != JSON_OBJECT
            || !nullable_string_is_equal(get_string(element, "name"), name)) {
            continue;
        }
        value = shash_find_data(json_object(element), member);
        return value && value->type == JSON_OBJECT ? value : NULL;
    }
    return NULL;
}

/* Decodes the base64 in 'text' into 'secret'.  Returns false if 'text' is not
 * base64. */
static bool
decode_base64(const char *text, struct kube_secret *secret)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    size_t n = strlen(text);
    unsigned char *out;
    int size, tail;
    bool ok;

    if (!ctx) {
        out_of_memory();
    }
    out = xmalloc(n + 1);
    EVP_DecodeInit(ctx);
    ok = (EVP_DecodeUpdate(ctx, out, &size, (const unsigned char *) text,
                           n) >= 0
          && EVP_DecodeFinal(ctx, out + size, &tail) >= 0
          && size + tail > 0);
    EVP_ENCODE_CTX_free(ctx);
    if (!ok) {
        free(out);
        return false;
    }
    out[size + tail] = '\0';
    secret->data = (char *) out;
    secret->size = size + tail;
    return true;
}

/* Sets 'secret' from 'object': from the base64 in member "'name'-data" or,
 * without that, from the file that member 'name' names, relative to 'dir'.
 * kubectl prefers them in the same order.  Returns null or an error
 * message. */
static char *
get_secret(const struct json *object, const char *dir, const char *name,
           struct kube_secret *secret)
{
    char *data_name = xasprintf("%s-data", name);
    const char *data = get_string(object, data_name);
    const char *file = get_string(object, name);
    char *error = NULL;

    if (data) {
        if (!decode_base64(data, secret)) {
            error = xasprintf("%s is not base64", data_name);
        }
    } else if (file) {
        secret->file = abs_file_name(dir, file);
    }
    free(data_name);
    return error;
}

/* Returns an error message if 'object' has one of the 'n' members 'names' with
 * a value other than false, null or "". */
static char *
refuse(const struct json *object, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *value = shash_find_data(json_object(object),
                                                   names[i]);

        if (value && value->type != JSON_NULL && value->type != JSON_FALSE
            && (value->type != JSON_STRING || json_string(value)[0])) {
            return xasprintf("%s is not supported", names[i]);
        }
    }
    return NULL;
}

static char *
parse_cluster(const struct json *cluster, const char *dir,
              struct kube_config *config)
{
    static const char *const refused[] = { "insecure-skip-tls-verify" };
    const char *server = get_string(cluster, "server");
    char *error = refuse(cluster, refused, ARRAY_SIZE(refused));
    size_t n;

    if (error) {
        return error;
    } else if (!server) {
        return xstrdup("there is no server");
    } else if (strncmp(server, "https://", 8) || !server[8]) {
        return xasprintf("server %s: only https:// is supported", server);
    } else if (strpbrk(server, "@?# ")) {
        return xasprintf("server %s: not the address of a server", server);
    }
    n = strlen(server);
    while (n > 9 && server[n - 1] == '/') {
        n--;
    }
    config->server = xmemdup0(server, n);
    config->server_name = nullable_xstrdup(get_string(cluster,
                                                      "tls-server-name"));
    config->proxy = nullable_xstrdup(get_string(cluster, "proxy-url"));
    return get_secret(cluster, dir, "certificate-authority", &config->ca);
}

static char *
parse_user(const struct json *user, const char *dir,
           struct kube_config *config)
{
    static const char *const refused[] = {
        "exec", "auth-provider", "username", "password", "as", "as-uid",
        "as-groups", "as-user-extra",
    };
    const char *token = get_string(user, "token");
    const char *token_file = get_string(user, "tokenFile");
    char *error;

    error = refuse(user, refused, ARRAY_SIZE(refused));
    if (!error) {
        error = get_secret(user, dir, "client-certificate", &config->cert);
    }
    if (!error) {
        error = get_secret(user, dir, "client-key", &config->key);
    }
    if (error) {
        return error;
    }
    if ((config->cert.data || config->cert.file)
        != (config->key.data || config->key.file)) {
        return xstrdup("client-certificate and client-key need each other");
    }
    if (token_file) {
        config->token.file = abs_file_name(dir, token_file);
    } else if (token) {
        config->token.data = xstrdup(token);
        config->token.size = strlen(token);
    }
    return NULL;
}

/* Returns "KIND "NAME": ERROR", or null if 'error' is null.  Frees 'error'. */
static char *
error_of(const char *kind, const char *name, char *error)
{
    char *full = error ? xasprintf("%s \"%s\": %s", kind, name, error) : NULL;

    free(error);
    return full;
}

/* Sets 'config' from context 'context', or from the current context if that is
 * null, of the kubeconfig 'root'.  Returns null or an error message. */
static char *
parse_root(const struct json *root, const char *dir, const char *context,
           struct kube_config *config)
{
    const struct json *c, *cluster, *user;
    const char *name;
    char *error;

    if (!context) {
        context = get_string(root, "current-context");
        if (!context) {
            return xstrdup("there is no current-context");
        }
    }
    c = find_named(root, "contexts", context, "context");
    if (!c) {
        return xasprintf("there is no context \"%s\"", context);
    }
    name = get_string(c, "cluster");
    cluster = name ? find_named(root, "clusters", name, "cluster") : NULL;
    if (!cluster) {
        return xasprintf("context \"%s\": there is no cluster \"%s\"",
                         context, name ? name : "");
    }
    error = parse_cluster(cluster, dir, config);
    if (error) {
        return error_of("cluster", name, error);
    }
    name = get_string(c, "user");
    user = name ? find_named(root, "users", name, "user") : NULL;
    if (!user) {
        return xasprintf("context \"%s\": there is no user \"%s\"",
                         context, name ? name : "");
    }
    return error_of("user", name, parse_user(user, dir, config));
}

/* Reads the context 'context' of the kubeconfig 'file', or its current context
 * if 'context' is null.  Returns null and stores the configuration, which the
 * caller must destroy, in '*configp'; or returns an error message, which the
 * caller must free, and stores null. */
char *
kube_config_load(const char *file, const char *context,
                 struct kube_config **configp)
{
    struct kube_config *config = xzalloc(sizeof *config);
    struct json *documents = NULL;
    /* A daemon changes to "/" later. */
    char *path = abs_file_name(NULL, file);
    char *dir = dir_name(path);
    char *error, *text;
    size_t size;

    *configp = NULL;
    error = kube_read_file(file, MAX_CONFIG_SIZE, &text, &size);
    if (!error) {
        error = kube_yaml_parse(text, size, &documents);
        if (error) {
            /* The message already names a line. */
        } else if (json_array_size(documents) != 1
            || json_array_at(documents, 0)->type != JSON_OBJECT) {
            error = xstrdup("not a kubeconfig");
        } else {
            error = parse_root(json_array_at(documents, 0), dir, context,
                               config);
        }
        error = error_of("kubeconfig", file, error);
        OPENSSL_cleanse(text, size);
        free(text);
    }
    json_destroy(documents);
    free(dir);
    free(path);
    if (error) {
        kube_config_destroy(config);
    } else {
        *configp = config;
    }
    return error;
}

/* Like kube_config_load(), for the service account of a pod.  Its files are in
 * 'dir', usually KUBE_SERVICE_ACCOUNT_DIR. */
char *
kube_config_load_in_cluster(const char *dir, struct kube_config **configp)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    struct kube_config *config;
    char *folder;

    *configp = NULL;
    if (!host || !host[0] || !port || !port[0]) {
        return xstrdup("this is no pod of a cluster: "
                       "KUBERNETES_SERVICE_HOST and _PORT are not set");
    } else if (host[strcspn(host, "/@?# []")]
               || port[strspn(port, "0123456789")]) {
        return xstrdup("KUBERNETES_SERVICE_HOST or _PORT is not valid");
    }
    config = xzalloc(sizeof *config);
    config->server = xasprintf(strchr(host, ':') ? "https://[%s]:%s"
                                                 : "https://%s:%s",
                               host, port);
    folder = abs_file_name(NULL, dir);
    config->ca.file = abs_file_name(folder, "ca.crt");
    config->token.file = abs_file_name(folder, "token");
    free(folder);
    *configp = config;
    return NULL;
}

static void
destroy_secret(struct kube_secret *secret)
{
    if (secret->data) {
        OPENSSL_cleanse(secret->data, secret->size);
    }
    free(secret->data);
    free(secret->file);
}

void
kube_config_destroy(struct kube_config *config)
{
    if (config) {
        free(config->server);
        free(config->server_name);
        free(config->proxy);
        destroy_secret(&config->ca);
        destroy_secret(&config->cert);
        destroy_secret(&config->key);
        destroy_secret(&config->token);
        free(config);
    }
}

/* Stores in '*value' a copy of 'secret', or null if there is none.  Returns
 * null or an error message.  A file that is empty or holds a null character is
 * an error. */
static char *
load_secret(const struct kube_secret *secret, char **value)
{
    size_t size;
    char *error;

    if (secret->data) {
        *value = xmemdup0(secret->data, secret->size);
        size = secret->size;
    } else if (secret->file) {
        error = kube_read_file(secret->file, MAX_SECRET_SIZE, value, &size);
        if (error) {
            return error;
        }
    } else {
        return NULL;
    }
    if (!size || strlen(*value) != size) {
        free(*value);
        *value = NULL;
        return xasprintf("%s: not valid",
                         secret->file ? secret->file : "credentials");
    }
    return NULL;
}

/* Removes white space around 'token'.  Returns false if the rest is no token:
 * a line break in it could end the header of the HTTP request. */
static bool
trim_token(char *token)
{
    size_t start = strspn(token, " \t\r\n");
    size_t n = strlen(token + start);

    memmove(token, token + start, n + 1);
    while (n && strchr(" \t\r\n", token[n - 1])) {
        token[--n] = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        if (!isgraph((unsigned char) token[i])) {
            return false;
        }
    }
    return n > 0;
}

/* Reads the secrets of 'config', from their files if they have some.  Returns
 * null and stores them in '*c', which the caller must destroy; or returns an
 * error message, which the caller must free, and stores none. */
char *
kube_config_load_credentials(const struct kube_config *config,
                             struct kube_credentials *c)
{
    char *error;

    memset(c, 0, sizeof *c);
    if ((error = load_secret(&config->ca, &c->ca))
        || (error = load_secret(&config->cert, &c->cert))
        || (error = load_secret(&config->key, &c->key))
        || (error = load_secret(&config->token, &c->token))) {
        kube_credentials_destroy(c);
        return error;
    }
    if (c->token && !trim_token(c->token)) {
        kube_credentials_destroy(c);
        return xasprintf("%s: not a token", config->token.file
                                            ? config->token.file : "token");
    }
    return NULL;
}

static void
destroy_string(char **s)
{
    if (*s) {
        OPENSSL_cleanse(*s, strlen(*s));
        free(*s);
        *s = NULL;
    }
}

void
kube_credentials_destroy(struct kube_credentials *c)
{
    destroy_string(&c->ca);
    destroy_string(&c->cert);
    destroy_string(&c->key);
    destroy_string(&c->token);
}
