/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cni-error.h"
#include "util.h"

#define OWN_NETNS "/proc/thread-self/ns/net"

static bool
is_own(int fd)
{
    struct stat own, other;

    return (!stat(OWN_NETNS, &own) && !fstat(fd, &other)
            && own.st_dev == other.st_dev && own.st_ino == other.st_ino);
}

/* Opens the network namespace at 'path'.  Stores a file descriptor in '*fd',
 * for the caller to close. */
struct cni_error *
cni_netns_open(const char *path, int *fd)
{
    const char *what_to_do =
        "The container runtime sets CNI_NETNS: see its log.";
    struct statfs fs;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        return cni_error(errno == ENOENT ? CNI_UNKNOWN_CONTAINER
                         : CNI_BAD_ENVIRONMENT, what_to_do,
                         "network namespace %s cannot be opened: %s", path,
                         ovs_strerror(errno));
    } else if (fstatfs(*fd, &fs) || fs.f_type != NSFS_MAGIC) {
        close(*fd);
        *fd = -1;
        return cni_error(CNI_BAD_ENVIRONMENT, what_to_do,
                         "CNI_NETNS, %s, is no network namespace", path);
    } else if (is_own(*fd)) {
        close(*fd);
        *fd = -1;
        return cni_error(CNI_BAD_ENVIRONMENT, "A pod with the host's network "
                         "must not be attached.",
                         "CNI_NETNS, %s, is the host's own network namespace",
                         path);
    }
    return NULL;
}

/* Moves this thread into network namespace 'fd'.  Stores in '*own_fd' the way
 * back for cni_netns_leave(). */
struct cni_error *
cni_netns_enter(int fd, int *own_fd)
{
    *own_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    if (*own_fd < 0 || setns(fd, CLONE_NEWNET)) {
        int error = errno;

        if (*own_fd >= 0) {
            close(*own_fd);
        }
        return cni_error(CNI_KERNEL, "Run the container runtime as root.",
                         "the network namespace of the container cannot be "
                         "entered: %s", ovs_strerror(error));
    }
    return NULL;
}

/* Moves this thread back.  In the wrong network namespace, nothing right can
 * be done any more. */
void
cni_netns_leave(int own_fd)
{
    if (setns(own_fd, CLONE_NEWNET)) {
        ovs_abort(errno, "setns failed");
    }
    close(own_fd);
}
