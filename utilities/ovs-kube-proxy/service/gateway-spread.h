/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_SPREAD_H
#define GATEWAY_SPREAD_H 1

/* Weights of Services, spread over their endpoints
 * ================================================
 *
 * A switch that knows "maglev" chooses in two steps, a Service and then one of
 * its endpoints: when an endpoint comes or goes, no other Service's flows
 * move.  gateway_keep_shares() is for that.  Everything else has one step, and
 * gateway_spread() is for that.
 *
 * A route has Services with weights; a group of the switch has buckets for
 * endpoints, with whole numbers up to 65,535 as weights.  This finds such
 * numbers so that each Service gets its share, whatever the number of its
 * endpoints:
 *
 *     Service  weight      endpoints    weights of buckets, in proportion
 *        a       90            1        90
 *        b       10            4        2.5 2.5 2.5 2.5
 *
 * Within a Service, endpoints get shares by their own weights.  A Service
 * without endpoints keeps its share: those connections are rejected.
 *
 * Invariants: the sum over a Service is off its exact value by at most 1, of a
 * sum of at least 65,400 over all.  So of 16 Services, the most that a route
 * may have, each one's share is off by less than 0.03 % of all connections.
 * Each endpoint is off its share within the Service by less than 1, too.  If
 * that leaves less than 1 for each endpoint of a light Service, only some of
 * them, the first ones by address, get connections.
 *
 * The result depends on nothing but weights and endpoints, so all nodes that
 * know the same choose alike.
 *
 * Thread-safety: functions are reentrant. */

#include <stddef.h>
#include <stdint.h>

struct service_set;
struct service_share;

struct gateway_share {
    uint32_t weight;            /* Up to GATEWAY_MAX_WEIGHT. */
    const struct service_set *set;  /* Null, or no endpoint: reject. */
    const char *name;           /* "NAMESPACE/NAME:PORT"; gateway_spread()
                                 * needs none. */
};

/* Stores the endpoints of the 'n' 'shares', up to GATEWAY_MAX_BACKENDS, in
 * '*set', whose array the caller must free.  If there are more than
 * SERVICE_MAX_ENDPOINTS, each Service has an equal number of these places. */
void gateway_spread(const struct gateway_share shares[], size_t n,
                    struct service_set *set);

/* Stores the same 'n' 'shares', of which those with one name become one, in
 * '*kept', for the caller to free, with weights in proportion, as exact as
 * 65,535ths of the largest one.  Returns their number, or 0 if two of them
 * have an endpoint in common: that would be twice in what is counted. */
size_t gateway_keep_shares(const struct gateway_share shares[], size_t n,
                           struct service_share **kept);

#endif /* gateway-spread.h */
