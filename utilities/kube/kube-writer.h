/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_WRITER_H
#define KUBE_WRITER_H 1

/* Patches for objects of the API server
 * =====================================
 *
 * One patch for each path waits here; a newer one replaces it.  One request is
 * under way at a time.
 *
 * A patch that the server refuses because the object is another by now (409)
 * or is gone (404) is dropped: what the watch brings leads to the next one.
 * Any other failure is tried again.  If the same path gets patch after patch,
 * because somebody else writes what we change, pauses between them double from
 * a quarter of a second to 32 seconds.
 *
 * Thread-safety: none; all of it belongs to one thread.
 *
 * Limits: KUBE_WRITER_MAX paths.  A patch beyond is dropped. */

struct json;
struct kube_config;
struct kube_curl;
struct kube_writer;
struct metrics;

#define KUBE_WRITER_MAX 16384

/* Returns a writer to the server of 'config', for the caller to destroy.
 * 'config' and 'curl' must outlive it. */
struct kube_writer *kube_writer_create(const struct kube_config *config,
                                       struct kube_curl *curl);
void kube_writer_destroy(struct kube_writer *);
void kube_writer_run(struct kube_writer *);
void kube_writer_wait(struct kube_writer *);

/* Has 'path' patched by 'patch', which it takes over. */
void kube_writer_put(struct kube_writer *, const char *path,
                     struct json *patch);

/* Appends counters to 'm'. */
void kube_writer_format_metrics(const struct kube_writer *,
                                const struct metrics *m);

#endif /* kube-writer.h */
