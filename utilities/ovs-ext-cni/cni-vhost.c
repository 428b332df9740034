/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cni-error.h"
#include "cni-request.h"
#include "openvswitch/json.h"
#include "util.h"

/* Of the Device Information Specification of Kubernetes' network plumbing
 * working group. */
#define DEVICE_INFO_VERSION "1.1.0"

static struct cni_error *
failed(const char *what, const char *path)
{
    return cni_error(CNI_IO, "Is \"vhost-user\" in the network configuration "
                     "right, and the file system writable?",
                     "%s %s: %s", what, path, ovs_strerror(errno));
}

/* Stores in '*path' where the socket of 'r' is, for the caller to free, or
 * null if 'r' has none. */
struct cni_error *
cni_vhost_path(const struct cni_request *r, char **path)
{
    *path = NULL;
    if (r->vhost.directory) {
        *path = xasprintf("%s/%s/%s", r->vhost.directory,
                          r->pod_uid[0] ? r->pod_uid
                          : r->attachment.container, r->attachment.ifname);
        if (strlen(*path) >= sizeof ((struct sockaddr_un *) 0)->sun_path) {
            struct cni_error *error = cni_error(
                CNI_BAD_CONFIG, "Shorten \"directory\" in the network "
                "configuration.", "the path of a socket is too long: %s",
                *path);

            free(*path);
            *path = NULL;
            return error;
        }
    }
    return NULL;
}

/* Opens the directory of 'path', whose name, without the file's, is stored in
 * 'directory'.  Returns a file descriptor or -1. */
static int
open_directory(const char *path, char directory[])
{
    ovs_strlcpy(directory, path, strrchr(path, '/') - path + 1);
    return open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Makes the directory for the socket at 'path', with the owner and mode that
 * 'r' has.  Interfaces of a pod share it. */
struct cni_error *
cni_vhost_make(const struct cni_request *r, const char *path)
{
    char *directory = xstrdup(path);
    struct cni_error *error = NULL;
    int fd = -1;

    *strrchr(directory, '/') = '\0';
    if ((mkdir(r->vhost.directory, 0755) && errno != EEXIST)
        || (mkdir(directory, 0700) && errno != EEXIST)
        || (fd = open_directory(path, directory)) < 0
        || fchown(fd, r->vhost.uid, r->vhost.gid)
        || fchmod(fd, r->vhost.mode)
        || (unlinkat(fd, r->attachment.ifname, 0) && errno != ENOENT)) {
        error = failed("no directory for a socket:", directory);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(directory);
    return error;
}

/* Returns an error if the directory for the socket at 'path' is gone. */
struct cni_error *
cni_vhost_check(const char *path)
{
    char *directory = xstrdup(path);
    int fd = open_directory(path, directory);
    struct cni_error *error = NULL;

    if (fd >= 0) {
        close(fd);
    } else {
        error = cni_error(CNI_DIFFERS, "Restart the pod.",
                          "directory %s: %s", directory,
                          ovs_strerror(errno));
    }
    free(directory);
    return error;
}

/* Removes the socket at 'path' and, if it is 'alone', its directory, unless
 * the pod has left files there.  What is not below the directory of 'r'
 * stays. */
struct cni_error *
cni_vhost_delete(const struct cni_request *r, const char *path, bool alone)
{
    size_t len = strlen(r->vhost.directory);
    struct cni_error *error = NULL;
    char *directory;
    int fd;

    if (strncmp(path, r->vhost.directory, len) || path[len] != '/') {
        return NULL;
    }
    directory = xstrdup(path);
    fd = open_directory(path, directory);
    if (fd < 0) {
        error = errno == ENOENT ? NULL : failed("cannot be opened:",
                                                directory);
    } else {
        if (unlinkat(fd, strrchr(path, '/') + 1, 0) && errno != ENOENT) {
            error = failed("cannot be removed:", path);
        }
        close(fd);
        if (alone && rmdir(directory) && errno != ENOTEMPTY
            && errno != ENOENT) {
            cni_error_keep(&error, failed("cannot be removed:", directory));
        }
    }
    free(directory);
    return error;
}

static struct cni_error *
make_parents(const char *path)
{
    char *copy = xstrdup(path);
    struct cni_error *error = NULL;

    for (char *p = strchr(copy + 1, '/'); p && !error;
         p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(copy, 0755) && errno != EEXIST) {
            error = failed("no directory", copy);
        }
        *p = '/';
    }
    free(copy);
    return error;
}

/* Describes the socket at 'path' in the file that 'r' names for it, if it does
 * and the file does not exist: its maker removes it. */
struct cni_error *
cni_vhost_describe(const struct cni_request *r, const char *path)
{
    const char *file = r->vhost.device_info;
    struct json *json, *vhost;
    struct cni_error *error;
    char *s;
    int fd;

    if (!file) {
        return NULL;
    }
    error = make_parents(file);
    if (error) {
        return error;
    }
    fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return errno == EEXIST ? NULL : failed("cannot be made:", file);
    }
    vhost = json_object_create();
    json_object_put_string(vhost, "mode", "server");
    json_object_put_string(vhost, "path", path);
    json = json_object_create();
    json_object_put_string(json, "type", "vhost-user");
    json_object_put_string(json, "version", DEVICE_INFO_VERSION);
    json_object_put(json, "vhost-user", vhost);
    s = json_to_string(json, JSSF_SORT);
    if (write(fd, s, strlen(s)) != strlen(s)) {
        error = failed("cannot be written:", file);
    }
    close(fd);
    free(s);
    json_destroy(json);
    return error;
}
