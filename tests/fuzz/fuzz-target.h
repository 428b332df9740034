/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H 1

/* Shared by the fuzz targets
 * ==========================
 *
 * Each target defines LLVMFuzzerTestOneInput(), for libFuzzer.  With
 * FUZZ_REPLAY defined, it also defines replay(), and is a program that runs
 * each file in the directory named by its argument.  The program fails if
 * there is none: the corpus must be there. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Aborts if 'CONDITION' does not hold. */
#define CHECK(CONDITION) \
    ((CONDITION) ? (void) 0 : check_failed(#CONDITION, __FILE__, __LINE__))

static inline _Noreturn void
check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

#ifdef FUZZ_REPLAY
/* Runs the input 'data' and others like it. */
static void replay(const uint8_t *data, size_t size);

static void
replay_file(const char *folder, const char *name)
{
    static uint8_t data[1 << 17];
    char path[4096];
    size_t n = 0;
    FILE *stream;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    stream = fopen(path, "rb");
    if (stream) {
        n = fread(data, 1, sizeof data, stream);
    }
    if (!stream || ferror(stream) || n == sizeof data) {
        fprintf(stderr, "%s: cannot be read, or too large\n", path);
        exit(EXIT_FAILURE);
    }
    fclose(stream);
    replay(data, n);
}

int
main(int argc, char *argv[])
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    unsigned int n = 0;
    struct dirent *entry;

    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return EXIT_FAILURE;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            replay_file(argv[1], entry->d_name);
            n++;
        }
    }
    closedir(dir);
    printf("%s: %u inputs passed\n", argv[0], n);
    return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif

#endif /* fuzz-target.h */
