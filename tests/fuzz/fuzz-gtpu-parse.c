/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: the GTP-U parser
 * =============================
 *
 * The input is a packet.  What must hold for every packet, whole and in each
 * of two linear parts:
 *
 *   - no access outside the block, no undefined behaviour (the sanitizers);
 *
 *   - lib/ and the naive decoder of gtpu-naive.c agree on the result,
 *     the header, the IEs and the kind of inner packet;
 *
 *   - the walk over the extension headers shows as many as were counted;
 *
 *   - a packet that was accepted can be built again from what was parsed, to
 *     the same octets but for those the standard says to ignore.
 *
 * Under libFuzzer:
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined \
 *         -fno-sanitize-recover=all -Ilib -Itests \
 *         tests/fuzz/fuzz-gtpu-parse.c tests/unit/gtpu-naive.c lib/gtpu-*.c \
 *         -o fuzz-gtpu-parse
 *     ./fuzz-gtpu-parse -max_len=2048 CORPUS
 *
 * With FUZZ_REPLAY defined and without libFuzzer it is a program that runs
 * each file named by its arguments, or in directories named by them, and all
 * that results from cutting octets off the file's end.  It fails if there is
 * none, so that a corpus that has gone missing does not pass.  On a packet
 * that breaks a rule both forms abort. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gtpu-naive.h"
#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(CONDITION) \
    ((CONDITION) ? (void) 0 : check_failed(#CONDITION, __LINE__))

static _Noreturn void
check_failed(const char *condition, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, line, condition);
    abort();
}

static void
check_ies(const uint8_t *data, size_t linear, const struct gtpu_header *h)
{
    struct gtpu_ies ies, naive;
    enum gtpu_error error = gtpu_parse_ies(data, linear, h, &ies);

    CHECK(error == naive_parse_ies(data, linear, h, &naive));
    if (!error || error == GTPU_ERR_IE_MISSING) {
        CHECK(!naive_ies_diff(&ies, &naive));
        CHECK(ies.private_ofs + ies.private_len <= linear);
    }
}

static void
check_inner(const uint8_t *data, size_t linear, const struct gtpu_header *h)
{
    enum gtpu_inner inner, naive;
    enum gtpu_error error;

    linear -= h->hdr_len;
    error = gtpu_inner_type(data + h->hdr_len, linear, h->payload_len,
                            &inner);
    CHECK(error == naive_inner_type(data + h->hdr_len, linear, h->payload_len,
                                    &naive));
    CHECK(inner == naive);
}

/* Builds the header 'h' of the packet at 'data' again.  The parser accepts a
 * UDP Port of any length, the builder does not. */
static void
check_rebuild(const uint8_t *data, const struct gtpu_header *h)
{
    static uint8_t buf[GTPU_HLEN_MAX];
    struct gtpu_ext exts[GTPU_MAX_EXTS];
    struct gtpu_hdr_spec spec = {
        .msg_type = h->msg_type,
        .teid = h->teid,
        .has_seq = h->has_seq,
        .seq = h->seq,
        .has_npdu = h->has_npdu,
        .npdu = h->npdu,
        .exts = exts,
    };
    bool buildable = true;
    struct gtpu_ext_iter iter;
    struct gtpu_ext ext;

    gtpu_ext_iter_init(&iter, data, h);
    while (gtpu_ext_iter_next(&iter, &ext)) {
        CHECK(spec.n_exts < h->n_exts);
        exts[spec.n_exts++] = ext;
        buildable &= ext.type != GTPU_EXT_UDP_PORT || ext.len == 2;
    }
    CHECK(spec.n_exts == h->n_exts);

    /* E with no chain is not built. */
    if (h->flags & GTPU_F_E && !h->n_exts) {
        buildable = false;
    }
    if (!buildable) {
        return;
    }

    int n = gtpu_build_header(buf, sizeof buf, &spec, h->payload_len);

    CHECK(n == h->hdr_len);
    CHECK(buf[0] == (data[0] & ~GTPU_F_SPARE));
    CHECK(!memcmp(buf + 1, data + 1, 7));
    if (n > GTPU_HLEN) {
        CHECK(!h->has_seq || !memcmp(buf + 8, data + 8, 2));
        CHECK(!h->has_npdu || buf[10] == data[10]);
        CHECK(!h->n_exts || buf[11] == data[11]);
        CHECK(!memcmp(buf + 12, data + 12, (size_t) n - 12));
    }
}

/* Parses a packet of 'total' octets, the first 'linear' at 'octets'. */
static void
check_packet(const uint8_t *octets, size_t linear, size_t total)
{
    uint8_t *data = malloc(linear ? linear : 1);
    struct gtpu_header h, naive;
    enum gtpu_error error;

    CHECK(data);
    if (linear) {
        memcpy(data, octets, linear);
    }

    error = gtpu_parse(data, linear, total, NULL, &h);
    CHECK(error == naive_parse(data, linear, total, NULL, &naive));
    CHECK(error < GTPU_N_ERRORS);
    if (!error || error == GTPU_ERR_EXT_REQUIRED) {
        CHECK(!naive_header_diff(&h, &naive));
        CHECK(h.hdr_len <= linear && h.hdr_len <= GTPU_HLEN_MAX);
        CHECK(h.hdr_len + (size_t) h.payload_len + h.trailing_len == total);
        check_rebuild(data, &h);
        check_ies(data, linear, &h);
        check_inner(data, linear, &h);
    }
    free(data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The place of the cut is taken from the packet, so that the fuzzer can
     * move it. */
    size_t cut = size ? data[size - 1] % (size + 1) : 0;

    check_packet(data, size, size);
    check_packet(data, cut, size);
    return 0;
}

#ifdef FUZZ_REPLAY
#include <dirent.h>

/* Runs the file 'name'.  Returns false if it cannot be read, as a directory
 * cannot. */
static bool
replay_file(const char *name)
{
    static uint8_t data[1 << 17];
    FILE *stream = fopen(name, "rb");
    size_t n;
    bool ok;

    if (!stream) {
        return false;
    }
    n = fread(data, 1, sizeof data, stream);
    ok = !ferror(stream) && n < sizeof data;
    fclose(stream);
    if (!ok) {
        return false;
    }

    LLVMFuzzerTestOneInput(data, n);
    for (size_t cut = 0; cut < n; cut++) {
        check_packet(data, cut, n);
        check_packet(data, cut, cut);
    }
    return true;
}

/* Runs the files in the directory 'name' and returns how many they are. */
static unsigned int
replay_directory(const char *name)
{
    DIR *dir = opendir(name);
    unsigned int n = 0;
    struct dirent *de;

    if (!dir) {
        perror(name);
        exit(EXIT_FAILURE);
    }
    while ((de = readdir(dir)) != NULL) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", name, de->d_name);

        CHECK(len > 0 && (size_t) len < sizeof path);
        if (de->d_name[0] != '.') {
            if (!replay_file(path)) {
                perror(path);
                exit(EXIT_FAILURE);
            }
            n++;
        }
    }
    closedir(dir);
    return n;
}

int
main(int argc, char *argv[])
{
    unsigned int n = 0;

    for (int i = 1; i < argc; i++) {
        n += replay_file(argv[i]) ? 1 : replay_directory(argv[i]);
    }
    printf("%s: %u inputs passed\n", argv[0], n);
    return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif
