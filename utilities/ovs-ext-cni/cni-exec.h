/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_EXEC_H
#define CNI_EXEC_H 1

/* Execution of another plugin
 * ===========================
 *
 * Thread-safety: none; only one thread may call. */

struct cni_attachment;
struct cni_error;

char *cni_exec_find(const char *program);
struct cni_error *cni_exec(const char *path, const char *command,
                           const struct cni_attachment *, int lock_fd,
                           const char *input, char **output, int *status);

#endif /* cni-exec.h */
