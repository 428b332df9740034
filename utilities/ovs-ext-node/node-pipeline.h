/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_PIPELINE_H
#define NODE_PIPELINE_H 1

/* From Nodes and ports to flows
 * =============================
 *
 * Keeps the flows of the node as they should be, through of-sync, and tells
 * the database which pods have theirs.  A pod is admitted when the switch has
 * acknowledged its flows.
 *
 * Flows are made anew, as text: those of all pods when a port changes, and all
 * when a Node changes.  of-sync gets those of the keys that differ: "base",
 * "pod PORT", "node NAME".
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct ds;
struct json;
struct metrics;
struct node_cluster;
struct node_database;
struct node_link;
struct node_pipeline;
struct node_pipeline_options;
struct of_sync;

struct node_pipeline *node_pipeline_create(
    const struct node_pipeline_options *, struct node_cluster *,
    struct node_database *, struct node_link *, struct of_sync *);
void node_pipeline_destroy(struct node_pipeline *);
void node_pipeline_run(struct node_pipeline *);

const char *node_pipeline_fault(const struct node_pipeline *);
void node_pipeline_show(struct node_pipeline *, struct ds *);
struct json *node_pipeline_show_json(struct node_pipeline *);
void node_pipeline_format_metrics(const struct node_pipeline *,
                                  const struct metrics *);

#endif /* node-pipeline.h */
