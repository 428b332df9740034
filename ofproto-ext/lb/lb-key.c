/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "entropy.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

/* The host's key
 * ==============
 *
 * The secret key of all groups that have no seed.  It outlives the daemon, so
 * that flows keep their buckets when the daemon starts again: it is in the
 * file "lb-key" of the database's folder, 32 hexadecimal digits and a newline,
 * which the daemon writes when the first such group is made.
 *
 * A file, since only its owner can read it (mode 0600): what is in the
 * database can be read by all who may look at the configuration, and comes
 * with every copy of it.
 *
 * Attack model: whoever learns the key can choose packets that all go to one
 * bucket, and so overload one backend by a flood that would else be spread;
 * nothing more.  No choice of a bucket tells anything about the key.
 * lb/rotate-key makes another.
 *
 * Main thread. */

VLOG_DEFINE_THIS_MODULE(lb_key);

#define N_DIGITS (2 * sizeof(struct siphash_key))

static struct siphash_key host_key;
static bool has_host_key;

static char *
key_path(const char *suffix)
{
    return xasprintf("%s/lb-key%s", ovs_dbdir(), suffix);
}

/* Parses 'text' as the content of the file.  Returns false if it is not one
 * that format_key() makes. */
static bool
parse_key(const char *text, struct siphash_key *key)
{
    char half[N_DIGITS / 2 + 1];
    unsigned long long int words[2];

    if (strspn(text, "0123456789abcdef") != N_DIGITS
        || strcmp(text + N_DIGITS, "\n")) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        ovs_strlcpy(half, text + i * N_DIGITS / 2, sizeof half);
        if (!str_to_ullong(half, 16, &words[i])) {
            return false;
        }
    }
    *key = (struct siphash_key) { .k0 = words[0], .k1 = words[1] };
    return key->k0 || key->k1;
}

static char *
format_key(const struct siphash_key *key)
{
    return xasprintf("%016"PRIx64"%016"PRIx64"\n", key->k0, key->k1);
}

/* Reads the file at 'path' into 'key'.  Returns 0, ENOENT if there is none,
 * EINVAL if it is not as format_key() makes it, or another errno value. */
static int
read_key(const char *path, struct siphash_key *key)
{
    char text[N_DIGITS + 3];
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    size_t n;
    int error;

    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &s)) {
        error = errno;
    } else if (!S_ISREG(s.st_mode)) {
        error = EINVAL;
    } else {
        error = read_fully(fd, text, sizeof text - 1, &n);
        if (error == EOF) {
            text[n] = '\0';
            error = parse_key(text, key) ? 0 : EINVAL;
        } else if (!error) {
            error = EINVAL;                     /* Too long. */
        }
    }
    if (!error && s.st_mode & (S_IRWXG | S_IRWXO)) {
        VLOG_WARN("%s: others than the owner have access (mode %04o): make it "
                  "0600 and use lb/rotate-key", path,
                  (unsigned int) s.st_mode & 07777);
    }
    close(fd);
    return error;
}

/* Writes 'key' to the file at 'path', all of it or nothing.  Returns 0 or a
 * positive errno value. */
static int
write_key(const char *path, const struct siphash_key *key)
{
    char *tmp = key_path(".tmp");
    char *text = format_key(key);
    int error = 0;
    size_t n;

    /* What is left of a daemon that was killed. */
    unlink(tmp);

    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        error = errno;
    } else {
        error = write_fully(fd, text, strlen(text), &n);
        if (!error && fsync(fd)) {
            error = errno;
        }
        close(fd);
        if (!error && rename(tmp, path)) {
            error = errno;
        }
        if (error) {
            unlink(tmp);
        }
    }
    free(text);
    free(tmp);
    return error;
}

/* Makes a new host key and writes it to the file.  Returns 0 or a positive
 * errno value: then the key is new as well, but will not last. */
static int
make_key(const char *path)
{
    get_entropy_or_die(&host_key, sizeof host_key);
    has_host_key = true;

    int error = write_key(path, &host_key);

    if (error) {
        VLOG_WARN("%s: cannot be written (%s): flows of load-balanced groups "
                  "without a seed move when the daemon starts again", path,
                  ovs_strerror(error));
    }
    return error;
}

/* Returns the host's key. */
struct siphash_key
lb_key_get(void)
{
    if (!has_host_key) {
        char *path = key_path("");
        int error = read_key(path, &host_key);

        has_host_key = !error;
        if (error) {
            if (error != ENOENT) {
                VLOG_WARN("%s: %s: making a new key, flows of load-balanced "
                          "groups without a seed move", path,
                          error == EINVAL ? "is not a file with 32 hexadecimal"
                          " digits" : ovs_strerror(error));
            }
            make_key(path);
        }
        free(path);
    }
    return host_key;
}

/* Replaces the host's key, as make_key().  The caller has the groups follow,
 * by lb_groups_rekey(). */
int
lb_key_rotate(void)
{
    char *path = key_path("");
    int error = make_key(path);

    free(path);
    return error;
}
