/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni-error.h"
#include "cni-request.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

#define EXEC_MS 60000
#define MAX_OUTPUT_LEN (1024 * 1024)

/* Where a plugin finds the file descriptor of the lock. */
#define LOCK_FD 3

extern char **environ;

/* Returns the path of 'program' in the folders of CNI_PATH, for the caller to
 * free, or null if there is none. */
char *
cni_exec_find(const char *program)
{
    const char *path = getenv("CNI_PATH");
    char *folders = xstrdup(path ? path : "");
    char *save = NULL, *found = NULL;

    for (char *folder = strtok_r(folders, ":", &save); folder && !found;
         folder = strtok_r(NULL, ":", &save)) {
        found = xasprintf("%s/%s", folder, program);
        if (access(found, X_OK)) {
            free(found);
            found = NULL;
        }
    }
    free(folders);
    return found;
}

/* Returns the environment for 'command' on 'a': ours, with what may differ. */
static void
make_environment(const char *command, const struct cni_attachment *a,
                 struct svec *env)
{
    const char *const own[] = { "CNI_COMMAND=", "CNI_CONTAINERID=",
                                "CNI_IFNAME=", "CNI_NETNS=" };
    size_t n_own = a->container ? ARRAY_SIZE(own) : 1;

    svec_init(env);
    for (char **var = environ; *var; var++) {
        bool keep = true;

        for (size_t i = 0; i < n_own; i++) {
            keep = keep && strncmp(*var, own[i], strlen(own[i]));
        }
        if (keep) {
            svec_add(env, *var);
        }
    }
    svec_add_nocopy(env, xasprintf("CNI_COMMAND=%s", command));
    if (a->container) {
        svec_add_nocopy(env, xasprintf("CNI_CONTAINERID=%s", a->container));
        svec_add_nocopy(env, xasprintf("CNI_IFNAME=%s", a->ifname));
        svec_add_nocopy(env, xasprintf("CNI_NETNS=%s",
                                       a->netns ? a->netns : ""));
    }
    svec_terminate(env);
}

/* Starts 'path' with its standard input and output at 'in' and 'out'.
 * Returns 0 and stores its process id, or a positive errno value. */
static int
start(const char *path, const struct svec *env, int lock_fd, int in, int out,
      pid_t *pid)
{
    char *argv[] = { CONST_CAST(char *, path), NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int retval;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (lock_fd >= 0) {
        posix_spawn_file_actions_adddup2(&actions, lock_fd, LOCK_FD);
    }
    posix_spawn_file_actions_addclosefrom_np(
        &actions, lock_fd >= 0 ? LOCK_FD + 1 : LOCK_FD);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    retval = posix_spawn(pid, path, &actions, &attributes, argv, env->names);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return retval;
}

/* Reads from 'out' until its end into 'output', which has room for
 * MAX_OUTPUT_LEN octets.  Returns 0, or a positive errno value. */
static int
read_output(int out, char *output)
{
    long long int deadline = time_msec() + EXEC_MS;
    size_t n = 0;

    for (;;) {
        struct pollfd fd = { .fd = out, .events = POLLIN };
        long long int left = deadline - time_msec();
        ssize_t retval;

        if (left <= 0) {
            return ETIMEDOUT;
        } else if (poll(&fd, 1, left) <= 0) {
            continue;
        }
        retval = read(out, output + n, MAX_OUTPUT_LEN - n);
        if (retval < 0) {
            return errno;
        } else if (!retval) {
            output[n] = '\0';
            return 0;
        }
        n += retval;
        if (n >= MAX_OUTPUT_LEN) {
            return EFBIG;
        }
    }
}

/* Returns a file with 'input', to be read, or a negative errno value. */
static int
open_input(const char *input)
{
    int fd = memfd_create("cni-input", MFD_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    if (write(fd, input, strlen(input)) != strlen(input)
        || lseek(fd, 0, SEEK_SET)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* As cni_exec(), with standard input at 'in' and a pipe.  Returns 0, or a
 * positive errno value. */
static int
run(const char *path, const struct svec *env, int lock_fd, int in,
    const int fds[2], char *output, int *status)
{
    int retval, write_end = fds[1];
    pid_t pid;

    retval = start(path, env, lock_fd, in, write_end, &pid);
    close(write_end);
    if (retval) {
        return retval;
    }
    retval = read_output(fds[0], output);
    if (retval) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return retval;
}

/* Executes the plugin at 'path' for 'command' on 'a', which may be empty, with
 * 'input'.  Stores what it writes in '*output', for the caller to free, and
 * its status, as of wait(), in '*status'.
 *
 * The plugin keeps 'lock_fd' open, if that is not negative, so that a lock on
 * it lasts as long as the plugin runs. */
struct cni_error *
cni_exec(const char *path, const char *command,
         const struct cni_attachment *a, int lock_fd, const char *input,
         char **output, int *status)
{
    int in = open_input(input);
    struct svec env;
    int fds[2], retval;

    *output = NULL;
    if (in < 0) {
        retval = -in;
    } else if (pipe2(fds, O_CLOEXEC)) {
        retval = errno;
    } else {
        *output = xmalloc(MAX_OUTPUT_LEN + 1);
        make_environment(command, a, &env);
        retval = run(path, &env, lock_fd, in, fds, *output, status);
        svec_destroy(&env);
        close(fds[0]);
    }
    if (in >= 0) {
        close(in);
    }
    if (retval) {
        free(*output);
        *output = NULL;
        return cni_error(retval == ETIMEDOUT ? CNI_TRY_AGAIN : CNI_IO,
                         "Run the plugin by hand to see what it does.",
                         "plugin %s cannot be executed for %s: %s", path,
                         command, ovs_strerror(retval));
    }
    return NULL;
}
