/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_PAGE_H
#define KUBE_PAGE_H 1

/* A page of a list of objects, as it comes from the server
 * ========================================================
 *
 * Octets are parsed as they come.  The objects of a page go into the sink when
 * all of it is there and makes sense.
 *
 * Thread-safety: for one thread at a time.
 *
 * Limits: KUBE_PAGE_MAX octets a page. */

#include <stddef.h>

#include "kube-kind.h"

#define KUBE_PAGE_MAX (128 * 1024 * 1024)

struct json_parser;
struct kube_sink;

struct kube_page {
    struct json_parser *parser; /* Null outside of a page. */
    size_t size;                /* Octets. */
};

/* Begins a page; 'page' is all zeros or has ended. */
void kube_page_begin(struct kube_page *page);

/* Takes the next 'size' octets at 'data'.  Returns null, or an error message
 * for the caller to free. */
char *kube_page_feed(struct kube_page *, const char *data, size_t size);

/* Ends the page.  Applies its objects, of 'kind', to 'sink', and stores in
 * '*version' its resourceVersion and in '*next' the token for the next page,
 * or null if there is none.  Frees what '*version' and '*next' were before;
 * the caller frees what they become.  Returns null, or an error message for
 * the caller to free and changes nothing. */
char *kube_page_end(struct kube_page *, enum kube_kind kind,
                    struct kube_sink *sink, char **version, char **next);

/* Drops the page, if there is one. */
void kube_page_abort(struct kube_page *);

#endif /* kube-page.h */
