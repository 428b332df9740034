/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-config.h"

#include "openvswitch/json.h"
#include "packets.h"
#include "service-node.h"
#include "service-state.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"

static struct json *
ranges_json(const struct kube_cidr *ranges, size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        json_array_add(array, kube_cidr_to_json(&ranges[i]));
    }
    return array;
}

/* Adds the 'n' addresses 'ips' to 'object' as 'name', without those that are
 * all-zeros. */
static void
put_ips(struct json *object, const char *name, const struct in6_addr *ips,
        size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        if (ipv6_addr_is_set(&ips[i])) {
            json_array_add(array, kube_ip_to_json(&ips[i]));
        }
    }
    json_object_put(object, name, array);
}

static void
put_number(struct json *object, const char *name, long long int number)
{
    json_object_put(object, name, json_integer_create(number));
}

static void
put_tables(struct json *object, const struct service_tables *t)
{
    put_number(object, "first-table", t->first);
    json_object_put(object, "next-table",
                    t->next < 0 ? json_string_create("normal")
                    : json_integer_create(t->next));
    put_number(object, "zone", t->zone);
    put_number(object, "register", t->reg);
    put_number(object, "controller-id", t->controller_id);
    put_number(object, "meter", t->meter);
    json_object_put_format(object, "masquerade-ports", "%d-%d", t->masq_min,
                           t->masq_max);
}

/* Adds the configuration to 'object', under the names of the options.  What
 * comes from our Node, from the cluster or from the switch is not known before
 * the first sync.  The seed is a secret: only whether there is one is told. */
void
service_pipeline_put_config(const struct service_pipeline *p,
                            struct json *object)
{
    const struct service_tables *t = p->based ? &p->t : &p->o.tables;
    const struct in6_addr masq[] = { t->masq4, t->masq6 };
    const struct in6_addr self[] = { t->self4, t->self6 };
    const struct kube_cidr *ranges;
    size_t n;

    ranges = pipeline_pods(p, &n);
    json_object_put(object, "cluster-cidr", ranges_json(ranges, n));
    ranges = pipeline_ranges(p, &n);
    json_object_put(object, "service-cidr", ranges_json(ranges, n));
    put_ips(object, "nodeport-addresses", t->nodeports, t->n_nodeports);
    put_ips(object, "masquerade-address", masq, ARRAY_SIZE(masq));
    put_ips(object, "node-masquerade-address", self, ARRAY_SIZE(self));
    put_tables(object, t);
    json_object_put(object, "direct-return", json_boolean_create(t->direct));
    json_object_put(object, "stock", json_boolean_create(!t->maglev));
    json_object_put(object, "seed", json_boolean_create(t->seed != 0));
}
