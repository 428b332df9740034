/* SPDX-License-Identifier: Apache-2.0
 *
 * The first process of a pod, which keeps its namespaces: it waits until it
 * is ended, and reaps the orphans of containers that share its process
 * namespace. */

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int
main(void)
{
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    /* The kernel drops signals that process 1 has neither blocked nor
     * handled. */
    sigprocmask(SIG_BLOCK, &signals, NULL);
    while (sigwait(&signals, &number) == 0 && number == SIGCHLD) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            continue;
        }
    }
    return 0;
}
