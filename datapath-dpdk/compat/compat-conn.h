/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_CONN_H
#define COMPAT_CONN_H 1

/* Connections of the tracker in each release of Open vSwitch. */

#include "conntrack.h"
#include "conntrack-private.h"
#include "ovs-features.h"

/* Returns the protocol of 'conn'. */
static inline uint8_t
compat_conn_proto(const struct conn *conn)
{
#ifdef OVS_HAS_CONN_KEY_NODE
    return conn->key_node[CT_DIR_FWD].key.nw_proto;
#else
    return conn->key.nw_proto;
#endif
}

/* Returns true if 'conn' is a connection and not the second key that older
 * releases make a structure of its own for if there is NAT. */
static inline bool
compat_conn_is_whole(const struct conn *conn OVS_UNUSED)
{
#ifdef OVS_HAS_CONN_KEY_NODE
    return true;
#else
    return conn->conn_type == CT_CONN_TYPE_DEFAULT;
#endif
}

#endif /* compat-conn.h */
