/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-ranges.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-value.h"

struct range_object {
    unsigned int list;          /* Number of the last list that had it. */
    struct kube_cidr *cidrs;
    size_t n;
};

void
service_ranges_init(struct service_ranges *ranges)
{
    memset(ranges, 0, sizeof *ranges);
    shash_init(&ranges->objects);
}

static void
delete_object(struct service_ranges *ranges, struct shash_node *node)
{
    struct range_object *object = node->data;

    shash_delete(&ranges->objects, node);
    free(object->cidrs);
    free(object);
}

void
service_ranges_destroy(struct service_ranges *ranges)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &ranges->objects) {
        delete_object(ranges, node);
    }
    shash_destroy(&ranges->objects);
    free(ranges->cidrs);
}

static bool
cidrs_equal(const struct kube_cidr *a, const struct kube_cidr *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i].plen != b[i].plen
            || memcmp(&a[i].addr, &b[i].addr, sizeof a[i].addr)) {
            return false;
        }
    }
    return true;
}

/* Makes 'cidrs' those of all objects. */
static void
update(struct service_ranges *ranges)
{
    const struct shash_node **nodes = shash_sort(&ranges->objects);
    struct kube_cidr *cidrs = NULL;
    size_t n = 0, allocated = 0;

    for (size_t i = 0; i < shash_count(&ranges->objects); i++) {
        const struct range_object *object = nodes[i]->data;

        for (size_t j = 0; j < object->n; j++) {
            if (n >= allocated) {
                cidrs = x2nrealloc(cidrs, &allocated, sizeof *cidrs);
            }
            cidrs[n++] = object->cidrs[j];
        }
    }
    free(nodes);
    if (n != ranges->n || !cidrs_equal(cidrs, ranges->cidrs, n)) {
        ranges->generation++;
    }
    free(ranges->cidrs);
    ranges->cidrs = cidrs;
    ranges->n = n;
}

/* Takes the object 'json', or forgets it.  Stores a message about a fault in
 * '*error', which is null before and is the caller's to free. */
void
service_ranges_apply(struct service_ranges *ranges, enum kube_event event,
                     const struct json *json, char **error)
{
    const char *name = kube_object_string(kube_object_member(json, "metadata"),
                                          "name");
    struct shash_node *node = shash_find(&ranges->objects, name);
    struct range_object *object;

    if (node && event == KUBE_DELETED) {
        delete_object(ranges, node);
    } else if (event != KUBE_DELETED && !name[0]) {
        kv_complain(error, "metadata.name is missing");
    } else if (event != KUBE_DELETED) {
        if (!node) {
            node = shash_add(&ranges->objects, name,
                             xzalloc(sizeof *object));
        }
        object = node->data;
        free(object->cidrs);
        object->cidrs = NULL;
        object->n = 0;
        object->list = ranges->list;
        kv_add_cidrs(kube_object_member(json, "spec"), "spec.cidrs",
                     &object->cidrs, &object->n, error);
    }
    update(ranges);
}

void
service_ranges_list_begin(struct service_ranges *ranges)
{
    ranges->list++;
}

/* Forgets the objects that the list did not have. */
void
service_ranges_list_end(struct service_ranges *ranges)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &ranges->objects) {
        const struct range_object *object = node->data;

        if (object->list != ranges->list) {
            delete_object(ranges, node);
        }
    }
    update(ranges);
}
