/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_REQUEST_PRIVATE_H
#define CNI_REQUEST_PRIVATE_H 1

/* The parts of reading a request, between cni-bandwidth.c, cni-environment.c,
 * cni-mode.c and cni-request.c. */

#include <stdbool.h>
#include <stddef.h>

struct cni_error;
struct cni_request;

struct cni_error *cni_environment_read_command(struct cni_request *);
struct cni_error *cni_environment_read(struct cni_request *);
struct cni_error *cni_environment_read_valid(const struct cni_request *);

struct cni_error *cni_mode_read(struct cni_request *);
struct cni_error *cni_bandwidth_read(struct cni_request *);

bool cni_is_word(const char *, size_t max_len);
bool cni_is_ifname(const char *);

#endif /* cni-request-private.h */
