/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_OPTIONS_H
#define OF_OPTIONS_H 1

/* What the user of of-sync tells it
 * =================================
 *
 * Types only. */

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct ofputil_bucket;

struct of_sync_options {
    const char *remote;         /* "unix:...", "tcp:...", "ssl:...". */
    ovs_be64 cookie, cookie_mask;   /* These flows are ours. */
    uint32_t group_min, group_max;  /* These groups are ours. */
    uint8_t first_table;        /* Changes by others are noticed in this */
    uint8_t n_tables;           /* and the next tables; 0: in all. */
    uint8_t other_table;        /* And in this one; 0: none. */
    int probe_interval;         /* Seconds. */
    uint32_t meter_id;          /* 0: none. */
    uint32_t meter_rate;        /* Packets a second; 0: delete the meter. */
    uint32_t n_meters;          /* Meters from 'meter_id' on, each with
                                 * 'meter_rate'; 0 is 1. */
};

/* Told of a bucket of one of our groups, as the switch has it.  The bucket
 * belongs to of-sync. */
typedef void of_sync_bucket_cb(uint32_t group_id,
                               const struct ofputil_bucket *, void *aux);

/* Connections that the switch is to forget.  In addresses and ports, zero
 * matches all. */
struct of_sync_ct {
    uint16_t zone;
    uint8_t protocol;           /* IPPROTO_*. */
    bool ipv6;
    struct in6_addr orig_dst;   uint16_t orig_dport;    /* Host byte order. */
    struct in6_addr reply_src;  uint16_t reply_sport;
};

#endif /* of-options.h */
