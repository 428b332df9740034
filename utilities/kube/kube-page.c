/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-page.h"

#include <stdlib.h>

#include "kube-object.h"
#include "kube-sink.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

void
kube_page_begin(struct kube_page *page)
{
    page->parser = json_parser_create(JSPF_TRAILER);
    page->size = 0;
}

char *
kube_page_feed(struct kube_page *page, const char *data, size_t size)
{
    page->size += size;
    if (page->size > KUBE_PAGE_MAX) {
        return xasprintf("a list of more than %d octets", KUBE_PAGE_MAX);
    }
    if (json_parser_feed(page->parser, data, size) < size) {
        /* A syntax error, or text after the end of the list. */
        return xstrdup("a list that is not JSON");
    }
    return NULL;
}

/* As kube_page_end(), for the page 'list'. */
static char *
apply(const struct json *list, enum kube_kind kind, struct kube_sink *sink,
      char **version, char **next)
{
    const struct json *metadata = kube_object_member(list, "metadata");
    const char *new_version = kube_object_string(metadata, "resourceVersion");
    const char *new_next = kube_object_string(metadata, "continue");
    const struct json *items;

    if (list->type != JSON_OBJECT) {
        return xstrdup("a list that is not JSON");
    }
    items = shash_find_data(json_object(list), "items");
    if (!new_version[0] || !items
        || (items->type != JSON_ARRAY && items->type != JSON_NULL)) {
        return xstrdup("a list without resourceVersion or items");
    }
    for (size_t i = 0; items->type == JSON_ARRAY && i < json_array_size(items);
         i++) {
        kube_sink_apply(sink, kind, KUBE_ADDED_OR_MODIFIED,
                        json_array_at(items, i));
    }
    free(*version);
    *version = xstrdup(new_version);
    free(*next);
    *next = new_next[0] ? xstrdup(new_next) : NULL;
    return NULL;
}

char *
kube_page_end(struct kube_page *page, enum kube_kind kind,
              struct kube_sink *sink, char **version, char **next)
{
    struct json *list = json_parser_finish(page->parser);
    char *error = apply(list, kind, sink, version, next);

    page->parser = NULL;
    json_destroy(list);
    return error;
}

void
kube_page_abort(struct kube_page *page)
{
    if (page->parser) {
        json_parser_abort(page->parser);
        page->parser = NULL;
    }
}
