/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_OVSDB_H
#define CNI_OVSDB_H 1

/* Transactions with Open vSwitch's database, by JSON-RPC (RFC 7047)
 * =================================================================
 *
 * No table is monitored or downloaded: the cost of a request does not depend
 * on how many ports there are, as far as the network is concerned.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stddef.h>

struct cni_error;
struct json;
struct ovsdb_connection;

struct cni_error *ovsdb_connect(const char *remote, int timeout,
                                struct ovsdb_connection **);
void ovsdb_disconnect(struct ovsdb_connection *);

struct cni_error *ovsdb_transact(struct ovsdb_connection *,
                                 struct json *operations, int timeout,
                                 struct json **results);

/* Parts of operations. */
struct json *ovsdb_operation(const char *op, const char *table);
struct json *ovsdb_set_empty(void);
struct json *ovsdb_map(const char *const pairs[]);
struct json *ovsdb_condition(const char *column, const char *function,
                             struct json *value);
struct json *ovsdb_columns(const char *const names[]);

/* Parts of results. */
const struct json *ovsdb_row(const struct json *results, size_t operation,
                             size_t row);
size_t ovsdb_count(const struct json *results, size_t operation);
const struct json *ovsdb_map_get(const struct json *row, const char *column,
                                 const char *key);
const char *ovsdb_map_string(const struct json *row, const char *column,
                             const char *key);

#endif /* cni-ovsdb.h */
