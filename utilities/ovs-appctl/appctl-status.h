/* SPDX-License-Identifier: Apache-2.0 */

#ifndef APPCTL_STATUS_H
#define APPCTL_STATUS_H 1

#include <string.h>

/* Returns the exit status of ovs-appctl after a daemon has answered 'command'
 * with an error: 1 for a command of this project, 2 for any other, as stock
 * has it. */
static inline int
appctl_error_status(const char *command)
{
    static const char *const ours[] = {
        "fuse/", "gtpu/", "lb/", "node/", "service/", "sync/",
    };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (!strncmp(command, ours[i], strlen(ours[i]))) {
            return 1;
        }
    }
    return 2;
}

#endif /* appctl-status.h */
