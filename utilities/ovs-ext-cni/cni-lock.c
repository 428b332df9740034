/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni-request.h"
#include "dirs.h"
#include "hash.h"
#include "timeval.h"
#include "util.h"

/* Of the holder's time, most is for IPAM. */
#define LOCK_MS 70000
#define POLL_US 2000

/* Waits until no other command works on 'a'.  Returns a file descriptor that
 * holds the lock until the process and its children have closed it, or -1 if
 * there can be no lock. */
int
cni_lock_take(const struct cni_attachment *a)
{
    char *path = xasprintf("%s/ovs-ext-cni.lock", ovs_rundir());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    long long int deadline = time_msec() + LOCK_MS;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1,
        /* The name is a hash of the attachment. */
        .l_start = hash_string(a->host, 0),
    };

    free(path);
    while (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock)) {
        if ((errno != EAGAIN && errno != EACCES && errno != EINTR)
            || time_msec() >= deadline) {
            close(fd);
            return -1;
        }
        usleep(POLL_US);
    }
    return fd;
}
