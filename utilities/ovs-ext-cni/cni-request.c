/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni-error.h"
#include "cni-json.h"
#include "cni-request-private.h"
#include "dirs.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "lib/hash/siphash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

#define MAX_INPUT_LEN (1024 * 1024)
#define MAX_NAME_LEN 200
#define MAX_ATTACHMENTS 65536
#define DEFAULT_MTU 1500
#define DEFAULT_TIMEOUT_S 10

const char *const cni_versions[CNI_N_VERSIONS] = {
    "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"
};

/* Names of ports: "cni", 4 digits of the network, 8 of the attachment.  GC
 * knows by them which links are of its network. */
#define HOST_PREFIX "cni"
#define NETWORK_DIGITS 4
#define ATTACHMENT_DIGITS 8

/* Input. */

/* Stores in '*input' all of standard input, for the caller to free. */
static struct cni_error *
read_input(char **input)
{
    char *s = xmalloc(MAX_INPUT_LEN + 2);
    size_t n = 0;

    *input = NULL;
    while (n <= MAX_INPUT_LEN) {
        ssize_t retval = read(STDIN_FILENO, s + n, MAX_INPUT_LEN + 1 - n);

        if (!retval) {
            break;
        } else if (retval > 0) {
            n += retval;
        } else if (errno != EINTR) {
            struct cni_error *error = cni_error(
                CNI_IO, "The container runtime gives it: see its log.",
                "the network configuration cannot be read from standard "
                "input: %s", ovs_strerror(errno));

            free(s);
            return error;
        }
    }
    s[n] = '\0';
    if (n > MAX_INPUT_LEN || strlen(s) != n) {
        free(s);
        return cni_error(CNI_BAD_JSON, "Shorten it.",
                         "the network configuration has more than 1 MB, or "
                         "octets with value 0");
    }
    *input = s;
    return NULL;
}

static struct cni_error *
parse_input(struct cni_request *r)
{
    struct cni_error *error;
    char *input;

    error = read_input(&input);
    if (error) {
        return error;
    }
    if (r->command == CNI_VERSION && !input[strspn(input, " \r\n\t")]) {
        /* Old runtimes give nothing. */
        r->config = json_object_create();
    } else {
        r->config = json_from_string(input);
    }
    free(input);
    if (r->config->type == JSON_STRING) {
        return cni_error(CNI_BAD_JSON, "Correct the file in the "
                         "runtime's folder, usually /etc/cni/net.d.",
                         "the network configuration is no JSON: %s",
                         json_string(r->config));
    } else if (r->config->type != JSON_OBJECT) {
        return cni_error(CNI_BAD_JSON, "Correct the file in the "
                         "runtime's folder, usually /etc/cni/net.d.",
                         "the network configuration is no JSON object");
    }
    return NULL;
}

/* Configuration. */

static struct cni_error *
parse_version(struct cni_request *r)
{
    const char *name = "";
    struct cni_error *error;
    static const enum cni_version oldest[] = {
        [CNI_ADD] = CNI_0_3_0, [CNI_DEL] = CNI_0_3_0,
        [CNI_CHECK] = CNI_0_4_0,
        [CNI_GC] = CNI_1_1_0, [CNI_STATUS] = CNI_1_1_0,
    };

    error = cni_json_string(r->config, "the network configuration",
                            "cniVersion", &name);
    if (error) {
        return error;
    }
    if (r->command == CNI_VERSION) {
        r->version_name = name[0] ? name : CNI_NEWEST;
        return NULL;
    }
    for (int i = 0; i < CNI_N_VERSIONS; i++) {
        if (!strcmp(name, cni_versions[i])) {
            r->version = i;
            r->version_name = cni_versions[i];
            return (i >= oldest[r->command] ? NULL
                    : cni_error(CNI_INCOMPATIBLE_VERSION,
                                "Set \"cniVersion\" to \"" CNI_NEWEST "\".",
                                "CNI %s does not have this command", name));
        }
    }
    return cni_error(CNI_INCOMPATIBLE_VERSION,
                     "Set \"cniVersion\" to 0.3.0, 0.3.1, 0.4.0, 1.0.0 or "
                     "1.1.0.", "\"cniVersion\" is \"%s\", which is not known",
                     name);
}

/* Anything else may be a setting that is spelt wrong, or one of another
 * plugin that would be needed for what the administrator means. */
static struct cni_error *
refuse_unknown_keys(const struct json *config)
{
    static const char *const known[] = {
        "args", "bridge", "capabilities", "cniVersion", "cniVersions",
        "database", "disableCheck", "disableGC", "dns", "ipam",
        "loadOnlyInlinedPlugins", "mode", "mtu", "name", "node-agent",
        "prevResult", "runtimeConfig", "timeout", "type", "vhost-user", "vlan",
    };
    struct shash_node *node;

    SHASH_FOR_EACH (node, json_object(config)) {
        bool found = !strncmp(node->name, "cni.dev/", 8);

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
            found = found || !strcmp(known[i], node->name);
        }
        if (!found) {
            char *value = json_to_string(node->data, JSSF_SORT);
            struct cni_error *error = cni_error(
                CNI_UNSUPPORTED_FIELD, "Remove it: see ovs-ext-cni(8).",
                "the network configuration has \"%s\": %.500s, which is not "
                "known", node->name, value);

            free(value);
            return error;
        }
    }
    return NULL;
}

static struct cni_error *
parse_names(struct cni_request *r)
{
    const char *what = "the network configuration";
    struct cni_error *error = NULL;
    const struct json *ipam;
    const char *type = "";

    r->network = r->bridge = "";
    if ((error = cni_json_string(r->config, what, "name", &r->network))
        || (error = cni_json_string(r->config, what, "bridge", &r->bridge))
        || (error = cni_json_boolean(r->config, what, "node-agent",
                                     &r->node_agent))
        || (error = cni_json_object(r->config, what, "ipam", &ipam))
        || (error = cni_json_string(ipam, "\"ipam\"", "type", &type))) {
        return error;
    }
    if (!cni_is_word(r->network, MAX_NAME_LEN)) {
        return cni_error(CNI_BAD_CONFIG, "Give the network a name of letters "
                         "and digits, with \"_\", \".\" and \"-\".",
                         "\"name\" is \"%.*s\"", MAX_NAME_LEN, r->network);
    } else if (type[0] && !cni_is_word(type, MAX_NAME_LEN)) {
        return cni_error(CNI_BAD_CONFIG, "Name a program in CNI_PATH, such as "
                         "host-local.", "type of \"ipam\" is \"%.*s\"",
                         MAX_NAME_LEN, type);
    }
    r->ipam = type[0] ? type : NULL;
    return NULL;
}

static struct cni_error *
parse_database(struct cni_request *r)
{
    struct cni_error *error;

    r->database = NULL;
    error = cni_json_string(r->config, "the network configuration",
                            "database", &r->database);
    if (!error && r->database
        && ((strncmp(r->database, "unix:/", 6)
             && strncmp(r->database, "tcp:", 4))
            || strlen(r->database) > MAX_NAME_LEN)) {
        error = cni_error(CNI_BAD_CONFIG, "Set it to unix:/PATH or "
                          "tcp:ADDRESS:PORT, or leave it out.",
                          "\"database\" is \"%.*s\"", MAX_NAME_LEN,
                          r->database);
    }
    return error;
}

static struct cni_error *
parse_numbers(struct cni_request *r)
{
    const char *what = "the network configuration";
    long long int mtu = DEFAULT_MTU, vlan = 0, timeout = DEFAULT_TIMEOUT_S;
    struct cni_error *error;

    r->timeout = timeout * 1000;

    if ((error = cni_json_integer(r->config, what, "mtu", 68, 65535, &mtu))
        || (error = cni_json_integer(r->config, what, "vlan", 0, 4094, &vlan))
        || (error = cni_json_integer(r->config, what, "timeout", 1, 300,
                                     &timeout))) {
        return error;
    }
    r->mtu = mtu;
    r->vlan = vlan;
    r->timeout = timeout * 1000;
    return NULL;
}

/* Returns the same number for 'a', 'b' and 'c' in each release: ports and
 * links are named by it. */
static uint64_t
hash(const char *a, const char *b, const char *c)
{
    const struct siphash_key key = { 0, 0 };
    /* No two lists of strings are one, as none has a "/". */
    char *s = xasprintf("%s/%s/%s", a, b, c);
    uint64_t value = siphash_bytes(2, 4, s, strlen(s), &key);

    free(s);
    return value;
}

/* A pod that is attached again has the MAC that its peers know. */
static struct cni_error *
parse_mac(struct cni_request *r)
{
    const struct json *runtime;
    struct cni_error *error;
    const char *s = NULL;
    int n = 0;

    error = cni_json_object(r->config, "the network configuration",
                            "runtimeConfig", &runtime);
    if (!error) {
        error = cni_json_string(runtime, "\"runtimeConfig\"", "mac", &s);
    }
    if (error) {
        return error;
    } else if (!s) {
        uint64_t value = hash(r->network, r->attachment.container,
                              r->attachment.ifname);

        r->mac[0] = 0x02;
        for (int i = 1; i < 6; i++) {
            r->mac[i] = value >> 8 * i;
        }
    } else if (strlen(s) != 17
               || sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n",
                         &r->mac[0], &r->mac[1], &r->mac[2], &r->mac[3],
                         &r->mac[4], &r->mac[5], &n) != 6 || n != 17
               || r->mac[0] & 1 || !memcmp(r->mac, "\0\0\0\0\0", 6)) {
        return cni_error(CNI_BAD_CONFIG, "Ask for a unicast address such as "
                         "02:00:00:00:00:01.",
                         "\"mac\" of \"runtimeConfig\" is \"%.*s\"",
                         MAX_NAME_LEN, s);
    }
    return NULL;
}

/* A pod without the ports that it asks for would look healthy. */
static struct cni_error *
refuse_capabilities(const struct cni_request *r)
{
    const struct json *runtime = cni_json_member(r->config, "runtimeConfig");
    const struct json *ports = cni_json_member(runtime, "portMappings");
    struct cni_error *error;
    char *value;

    if (!ports || (ports->type == JSON_ARRAY && !json_array_size(ports))) {
        return NULL;
    }
    value = json_to_string(ports, JSSF_SORT);
    error = cni_error(CNI_UNSUPPORTED_FIELD, "Remove the capability: see "
                      "ovs-ext-cni(8).", "\"portMappings\": %.500s of "
                      "\"runtimeConfig\" is not supported", value);
    free(value);
    return error;
}

/* Parses what DEL and GC can do without. */
static struct cni_error *
parse_settings(struct cni_request *r)
{
    const char *what = "the network configuration";
    struct cni_error *error;

    if (!cni_is_ifname(r->bridge)) {
        return cni_error(CNI_BAD_CONFIG, "Name the bridge that pods are "
                         "attached to, such as br-int.",
                         "\"bridge\" is \"%.*s\"", MAX_NAME_LEN, r->bridge);
    }
    if ((error = refuse_unknown_keys(r->config))
        || (error = refuse_capabilities(r))
        || (error = cni_bandwidth_read(r))
        || (error = cni_json_object(r->config, what, "dns", &r->dns))
        || (error = cni_json_object(r->config, what, "prevResult",
                                    &r->prev_result))) {
        return error;
    }
    return r->attachment.container ? parse_mac(r) : NULL;
}

static struct cni_error *
parse_config(struct cni_request *r)
{
    bool removes = r->command == CNI_DEL || r->command == CNI_GC;
    struct cni_error *error;
    size_t n;

    if ((error = parse_names(r)) || (error = parse_database(r))) {
        return error;
    }
    if (removes) {
        /* After an ADD that was refused for these, DEL must succeed, or the
         * pod could not be deleted. */
        cni_error_destroy(parse_numbers(r));
        cni_error_destroy(cni_mode_read(r));
    } else if ((error = parse_numbers(r))
               || (error = cni_mode_read(r))
               || (error = parse_settings(r))) {
        return error;
    }
    if (r->command != CNI_GC) {
        return NULL;
    }
    error = cni_json_array(r->config, "the network configuration",
                           "cni.dev/valid-attachments", MAX_ATTACHMENTS,
                           &r->valid, &n);
    if (!error && !r->valid) {
        error = cni_error(CNI_BAD_CONFIG, "The container runtime makes this "
                          "list: see its documentation.",
                          "\"cni.dev/valid-attachments\" is missing");
    }
    return error ? error : cni_environment_read_valid(r);
}

/* Reads the environment and standard input into 'r', which the caller must
 * destroy even after an error: 'version_name' is right in any case. */
struct cni_error *
cni_request_read(struct cni_request *r)
{
    struct cni_error *error;

    memset(r, 0, sizeof *r);
    r->version_name = CNI_NEWEST;
    if ((error = cni_environment_read_command(r))
        || (error = parse_input(r))
        || (error = parse_version(r))
        || r->command == CNI_VERSION) {
        return error;
    }
    if (r->command != CNI_GC && r->command != CNI_STATUS) {
        error = cni_environment_read(r);
        if (error) {
            return error;
        }
    }
    error = parse_config(r);
    if (!error && r->attachment.container) {
        cni_request_name_host(&r->attachment, r->network);
    }
    return error;
}

/* Frees what belongs to 'r'. */
void
cni_request_destroy(struct cni_request *r)
{
    json_destroy(r->config);
    free(r->args);
}

/* Names. */

static char *
put_digits(char *p, uint64_t value, int n)
{
    for (int i = 0; i < n; i++) {
        *p++ = "abcdefghijklmnopqrstuvwxyz234567"[value >> 5 * i & 31];
    }
    *p = '\0';
    return p;
}

/* Stores in 'host', of IF_NAMESIZE octets, the start of the names of the ports
 * of 'network'.  Returns its end. */
static char *
put_network(char *host, const char *network)
{
    ovs_strlcpy(host, HOST_PREFIX, IF_NAMESIZE);
    return put_digits(host + strlen(host), hash(network, "", ""),
                      NETWORK_DIGITS);
}

/* Sets the host name of 'a' from its other members and 'network': the same
 * each time, so that it need not be stored. */
void
cni_request_name_host(struct cni_attachment *a, const char *network)
{
    char *p = put_network(a->host, network);

    put_digits(p, hash(a->container, a->ifname, ""), ATTACHMENT_DIGITS);
    BUILD_ASSERT(sizeof HOST_PREFIX + NETWORK_DIGITS + ATTACHMENT_DIGITS
                 <= sizeof a->host);
}

/* Returns true if a link named 'host' can only be one of 'network'. */
bool
cni_request_is_ours(const char *host, const char *network)
{
    char prefix[IF_NAMESIZE];

    put_network(prefix, network);
    return (strlen(host) == strlen(prefix) + ATTACHMENT_DIGITS
            && !strncmp(host, prefix, strlen(prefix)));
}
