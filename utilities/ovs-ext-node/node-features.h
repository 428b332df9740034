/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_FEATURES_H
#define NODE_FEATURES_H 1

/* Features of the node's switch as labels of the Node
 * ===================================================
 *
 * node-feature-discovery makes a label feature.node.kubernetes.io/NAME of each
 * line NAME=VALUE of the files in a directory: its "local" source.  It ignores
 * files whose names begin with a dot, so ours is written under such a name
 * first.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct node_database;
struct node_features;

/* 'directory' must outlive the result, which is null, as all functions take
 * it, if 'directory' is. */
struct node_features *node_features_create(const char *directory);
void node_features_destroy(struct node_features *);

/* Writes the file if it is not as the database says. */
void node_features_run(struct node_features *, const struct node_database *);

/* Removes the file. */
void node_features_clear(const struct node_features *);

#endif /* node-features.h */
