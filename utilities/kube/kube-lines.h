/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_LINES_H
#define KUBE_LINES_H 1

/* A stream of JSON objects, one a line
 * ====================================
 *
 * A watch of an API server sends such a stream, in chunks of any size.
 *
 * Attack model: the peer proved by its certificate that it is the API server.
 * It may still be broken.  A line is kept until it is complete, so it may have
 * at most KUBE_LINE_MAX octets; etcd accepts objects of up to 1.5 MB.
 *
 * Thread-safety: none; each stream belongs to one thread. */

#include <stddef.h>
#include "openvswitch/dynamic-string.h"

struct json;

#define KUBE_LINE_MAX (8 * 1024 * 1024)

struct kube_lines {
    struct ds partial;          /* The start of a line that is not complete. */
    size_t max;                 /* Limit for a line, in octets. */
};

/* Takes over 'object'.  Returns false to ignore the rest of the data. */
typedef bool kube_lines_cb(struct json *object, void *aux);

void kube_lines_init(struct kube_lines *, size_t max);
void kube_lines_destroy(struct kube_lines *);
char *kube_lines_feed(struct kube_lines *, const char *data, size_t size,
                      kube_lines_cb *, void *aux);

#endif /* kube-lines.h */
