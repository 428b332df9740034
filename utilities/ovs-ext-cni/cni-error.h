/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_ERROR_H
#define CNI_ERROR_H 1

/* Errors as a container runtime reads them
 * ========================================
 *
 * An error has a code of the CNI specification, a message that says what is
 * wrong, and details that say what to do.  kubelet shows both in the events of
 * the pod.
 *
 * Functions that can fail return null for success, or an error that the caller
 * must destroy.
 *
 * Attack model: the text may have come from anybody.  What is not printable
 * ASCII becomes "?", and a message has at most 1,000 octets.
 *
 * Thread-safety: functions are reentrant. */

#include "openvswitch/compiler.h"

/* Codes.  Up to 99 they are the specification's. */
enum cni_code {
    CNI_INCOMPATIBLE_VERSION = 1,
    CNI_UNSUPPORTED_FIELD = 2,
    CNI_UNKNOWN_CONTAINER = 3,  /* The runtime need not call DEL. */
    CNI_BAD_ENVIRONMENT = 4,
    CNI_IO = 5,
    CNI_BAD_JSON = 6,
    CNI_BAD_CONFIG = 7,
    CNI_TRY_AGAIN = 11,
    CNI_NOT_AVAILABLE = 50,
    CNI_LIMITED = 51,           /* Pods that run may be cut off, too. */
    CNI_KERNEL = 100,           /* An interface, address or route. */
    CNI_SWITCH = 101,           /* A port. */
    CNI_DIFFERS = 102,          /* CHECK: not as ADD left it. */
    CNI_IPAM = 103,             /* An IPAM plugin says what is no CNI. */
};

struct cni_error {
    int code;                   /* Of 'enum cni_code' or an IPAM plugin's. */
    char *msg;                  /* What is wrong. */
    char *details;              /* What to do. */
};

struct cni_error *cni_error(int code, const char *details,
                            const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);
void cni_error_destroy(struct cni_error *);

void cni_error_keep(struct cni_error **first, struct cni_error *next);
void cni_error_print(const struct cni_error *, const char *version);

#endif /* cni-error.h */
