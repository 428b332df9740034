/* SPDX-License-Identifier: Apache-2.0 */

/* The GTP-U codec for scripts
 * ===========================
 *
 * Reads commands from standard input, a line each, and answers each with a
 * line of "key=value" pairs or of hexadecimal digits on standard output:
 *
 *     parse HEX
 *         The packet HEX, one word, parsed, with its IEs or the kind of inner
 *         packet.
 *
 *     header PAYLOAD_LEN KEY=VALUE...
 *         A header.  Keys: msg, teid, seq, npdu; psc, a PDU type, with qfi,
 *         rqi and ppi; ext=TYPE:HEX any number of times.
 *
 *     echo-request SEQ
 *     echo-response SEQ
 *     error-indication SEQ TEID ADDRESS [PORT]
 *         ADDRESS is 4 or 16 octets in hexadecimal.
 *     ext-notification SEQ TYPE...
 *     end-marker TEID [PDU_TYPE QFI]
 *
 * Numbers may be decimal or, after "0x", hexadecimal.  A builder's failure is
 * answered with "errno=NAME", a command that is not understood ends the
 * program with status 2. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/gtpu-hex.h"
#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-name.h"
#include "lib/gtpu/gtpu-parse.h"

#define MAX_ARGS 512

static _Noreturn void
usage(const char *what)
{
    fprintf(stderr, "gtpu-codec-tool: bad command or argument: %s\n", what);
    exit(2);
}

static unsigned long
number(const char *s, unsigned long max)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(s, &end, 0);
    if (errno || end == s || *end || value > max) {
        usage(s);
    }
    return value;
}

static void
print_octets(const uint8_t *octets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%02x", octets[i]);
    }
}

/* Prints what a builder wrote to 'buf' and returned. */
static void
print_built(const uint8_t *buf, int n)
{
    if (n >= 0) {
        print_octets(buf, (size_t) n);
        putchar('\n');
    } else {
        printf("errno=%s\n", (n == -EINVAL ? "EINVAL"
                              : n == -EMSGSIZE ? "EMSGSIZE"
                              : n == -ENOBUFS ? "ENOBUFS"
                              : "unknown"));
    }
}

static void
print_ext_types(const struct gtpu_ext_set *set)
{
    const char *separator = "";

    printf(" ext_types=");
    for (unsigned int type = 0; type < 256; type++) {
        if (gtpu_ext_set_contains(set, (uint8_t) type)) {
            printf("%s%u", separator, type);
            separator = ",";
        }
    }
}

static void
print_ies(const uint8_t *data, size_t n, const struct gtpu_header *h)
{
    struct gtpu_ies ies;
    enum gtpu_error error = gtpu_parse_ies(data, n, h, &ies);

    printf(" ies=%s", gtpu_error_name(error));
    if (error && error != GTPU_ERR_IE_MISSING) {
        return;
    }
    if (ies.present & GTPU_HAS_RECOVERY) {
        printf(" recovery=%u", ies.recovery);
    }
    if (ies.present & GTPU_HAS_TEID) {
        printf(" ie_teid=%u", ies.teid);
    }
    if (ies.present & GTPU_HAS_PEER) {
        printf(" peer=");
        print_octets(ies.peer, ies.peer_len);
    }
    if (ies.present & GTPU_HAS_UDP_PORT) {
        printf(" udp_port=%u", ies.udp_port);
    }
    if (ies.present & GTPU_HAS_EXT_TYPES) {
        print_ext_types(&ies.ext_types);
    }
    if (ies.present & GTPU_HAS_TUNNEL_STATUS) {
        printf(" spoc=%u", ies.spoc);
    }
    if (ies.present & GTPU_HAS_RECOVERY_TIME) {
        printf(" recovery_time=%u", ies.recovery_time);
    }
    if (ies.present & GTPU_HAS_PRIVATE) {
        printf(" private_id=%u private=", ies.private_id);
        print_octets(data + ies.private_ofs, ies.private_len);
    }
}

static void
do_parse(char **args, size_t n_args)
{
    static const char *const inners[] = { "none", "ipv4", "ipv6" };
    struct gtpu_header h;
    enum gtpu_error error;
    uint8_t *data;
    size_t n;

    data = n_args < 2 ? hex_to_octets(n_args ? args[0] : "", &n) : NULL;
    if (!data) {
        usage("parse");
    }

    error = gtpu_parse(data, n, n, NULL, &h);
    printf("error=%s", gtpu_error_name(error));
    if (!error || error == GTPU_ERR_EXT_REQUIRED) {
        printf(" flags=%u msg=%u teid=%u hdr_len=%u payload_len=%u"
               " trailing=%zu n_exts=%u unknown_ext=%u",
               h.flags, h.msg_type, h.teid, h.hdr_len, h.payload_len,
               h.trailing_len, h.n_exts, h.unknown_ext);
        if (h.has_seq) {
            printf(" seq=%u", h.seq);
        }
        if (h.has_npdu) {
            printf(" npdu=%u", h.npdu);
        }
        if (h.has_psc) {
            printf(" psc=%u qfi=%u rqi=%u psc_flags=%u", h.psc.pdu_type,
                   h.psc.qfi, h.psc.rqi, h.psc.flags);
        }
        if (h.psc.has_ppi) {
            printf(" ppi=%u", h.psc.ppi);
        }
        if (h.msg_type == GTPU_MSG_G_PDU) {
            enum gtpu_inner inner;

            error = gtpu_inner_type(data + h.hdr_len, n - h.hdr_len,
                                    h.payload_len, &inner);
            printf(" inner_error=%s inner=%s", gtpu_error_name(error),
                   inners[inner]);
        } else {
            print_ies(data, n, &h);
        }
    }
    putchar('\n');
    free(data);
}

/* The arguments of "header".  'contents' owns what 'exts' point to. */
struct header_args {
    struct gtpu_hdr_spec spec;
    struct gtpu_psc psc;
    struct gtpu_ext exts[GTPU_MAX_EXTS + 1];
    uint8_t *contents[GTPU_MAX_EXTS + 1];
};

/* Adds the extension header "TYPE:HEX". */
static void
add_ext(char *s, struct header_args *ha)
{
    size_t n = ha->spec.n_exts;
    char *colon = strchr(s, ':');
    size_t len;

    if (!colon || n > GTPU_MAX_EXTS) {
        usage(s);
    }
    *colon = '\0';
    ha->contents[n] = hex_to_octets(colon + 1, &len);
    if (!ha->contents[n]) {
        usage(colon + 1);
    }
    ha->exts[n] = (struct gtpu_ext) {
        .type = (uint8_t) number(s, UINT8_MAX),
        .len = (uint16_t) len,
        .content = ha->contents[n],
    };
    ha->spec.n_exts++;
}

static void
set_header_arg(const char *key, char *value, struct header_args *ha)
{
    struct gtpu_hdr_spec *spec = &ha->spec;

    if (!strcmp(key, "msg")) {
        spec->msg_type = (uint8_t) number(value, UINT8_MAX);
    } else if (!strcmp(key, "teid")) {
        spec->teid = (uint32_t) number(value, UINT32_MAX);
    } else if (!strcmp(key, "seq")) {
        spec->has_seq = true;
        spec->seq = (uint16_t) number(value, UINT16_MAX);
    } else if (!strcmp(key, "npdu")) {
        spec->has_npdu = true;
        spec->npdu = (uint8_t) number(value, UINT8_MAX);
    } else if (!strcmp(key, "psc")) {
        spec->psc = &ha->psc;
        ha->psc.pdu_type = (uint8_t) number(value, UINT8_MAX);
    } else if (!strcmp(key, "qfi")) {
        ha->psc.qfi = (uint8_t) number(value, UINT8_MAX);
    } else if (!strcmp(key, "rqi")) {
        ha->psc.rqi = number(value, 1);
    } else if (!strcmp(key, "ppi")) {
        ha->psc.has_ppi = true;
        ha->psc.ppi = (uint8_t) number(value, UINT8_MAX);
    } else if (!strcmp(key, "ext")) {
        add_ext(value, ha);
    } else {
        usage(key);
    }
}

static void
do_header(char **args, size_t n_args)
{
    struct header_args ha = { .spec = { .msg_type = GTPU_MSG_G_PDU } };
    uint8_t buf[GTPU_HLEN_MAX];

    if (!n_args) {
        usage("header");
    }
    for (size_t i = 1; i < n_args; i++) {
        char *value = strchr(args[i], '=');

        if (!value) {
            usage(args[i]);
        }
        *value++ = '\0';
        set_header_arg(args[i], value, &ha);
    }

    ha.spec.exts = ha.exts;
    print_built(buf, gtpu_build_header(buf, sizeof buf, &ha.spec,
                                       number(args[0], SIZE_MAX)));
    for (size_t i = 0; i < ha.spec.n_exts; i++) {
        free(ha.contents[i]);
    }
}

static void
do_error_indication(char **args, size_t n_args)
{
    struct gtpu_error_indication ei = { .has_udp_port = n_args > 3 };
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];
    uint8_t *peer;
    size_t len;

    if (n_args < 3) {
        usage("error-indication");
    }
    ei.seq = (uint16_t) number(args[0], UINT16_MAX);
    ei.teid = (uint32_t) number(args[1], UINT32_MAX);
    peer = hex_to_octets(args[2], &len);
    if (!peer || len > sizeof ei.peer) {
        usage(args[2]);
    }
    ei.peer_len = (uint8_t) len;
    memcpy(ei.peer, peer, len);
    free(peer);
    if (ei.has_udp_port) {
        ei.udp_port = (uint16_t) number(args[3], UINT16_MAX);
    }
    print_built(buf, gtpu_build_error_indication(buf, sizeof buf, &ei));
}

static void
do_ext_notification(char **args, size_t n_args)
{
    struct gtpu_ext_set types = { { 0, 0, 0, 0 } };
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];

    if (!n_args) {
        usage("ext-notification");
    }
    for (size_t i = 1; i < n_args; i++) {
        gtpu_ext_set_add(&types, (uint8_t) number(args[i], UINT8_MAX));
    }
    print_built(buf, gtpu_build_ext_notification(
                    buf, sizeof buf, (uint16_t) number(args[0], UINT16_MAX),
                    &types));
}

static void
do_end_marker(char **args, size_t n_args)
{
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];
    struct gtpu_psc psc = { .qfi = 0 };

    if (n_args != 1 && n_args != 3) {
        usage("end-marker");
    }
    if (n_args == 3) {
        psc.pdu_type = (uint8_t) number(args[1], UINT8_MAX);
        psc.qfi = (uint8_t) number(args[2], UINT8_MAX);
    }
    print_built(buf, gtpu_build_end_marker(
                    buf, sizeof buf, (uint32_t) number(args[0], UINT32_MAX),
                    n_args == 3 ? &psc : NULL));
}

static void
do_echo(char **args, size_t n_args,
        int (*build)(uint8_t *, size_t, uint16_t))
{
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];

    if (n_args != 1) {
        usage("echo");
    }
    print_built(buf, build(buf, sizeof buf,
                           (uint16_t) number(args[0], UINT16_MAX)));
}

static void
do_command(const char *command, char **args, size_t n_args)
{
    if (!strcmp(command, "parse")) {
        do_parse(args, n_args);
    } else if (!strcmp(command, "header")) {
        do_header(args, n_args);
    } else if (!strcmp(command, "echo-request")) {
        do_echo(args, n_args, gtpu_build_echo_request);
    } else if (!strcmp(command, "echo-response")) {
        do_echo(args, n_args, gtpu_build_echo_response);
    } else if (!strcmp(command, "error-indication")) {
        do_error_indication(args, n_args);
    } else if (!strcmp(command, "ext-notification")) {
        do_ext_notification(args, n_args);
    } else if (!strcmp(command, "end-marker")) {
        do_end_marker(args, n_args);
    } else {
        usage(command);
    }
}

int
main(void)
{
    static char line[1 << 18];

    while (fgets(line, sizeof line, stdin)) {
        char *args[MAX_ARGS];
        size_t n_args = 0;
        char *command = strtok(line, " \n");
        char *s;

        if (!command) {
            continue;
        }
        while ((s = strtok(NULL, " \n")) != NULL) {
            if (n_args == MAX_ARGS) {
                usage(command);
            }
            args[n_args++] = s;
        }
        do_command(command, args, n_args);
        fflush(stdout);
    }
    return 0;
}
