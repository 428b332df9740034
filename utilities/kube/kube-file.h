/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_FILE_H
#define KUBE_FILE_H 1

/* Objects from manifests, into a sink
 * ===================================
 *
 * For use without a cluster.  The source is standard input, read once, or a
 * directory.  In a directory every file counts whose name ends in .yaml, .yml
 * or .json and does not start with a dot.  Files are read in the order of
 * names, and again when they change.
 *
 * A file holds YAML documents or JSON: objects or lists of objects, as
 * "kubectl get -o yaml" and "-o json" print them.  Objects of other kinds are
 * ignored.  An object without a namespace is in "default".
 *
 * The directory is looked at twice a second.  That works on any file system,
 * and for the symbolic links by which a ConfigMap is mounted.  All changes of
 * one look are applied together.
 *
 * A file that cannot be read or parsed counts with its last good content.  At
 * the start nothing is applied until each file could be read or is gone.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct ds;
struct kube_file;
struct kube_sink;

char *kube_file_create(const char *name, struct kube_sink *,
                       struct kube_file **);
void kube_file_destroy(struct kube_file *);
void kube_file_run(struct kube_file *);
void kube_file_wait(struct kube_file *);
void kube_file_format(const struct kube_file *, struct ds *);

#endif /* kube-file.h */
