/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_FILE_H
#define KUBE_FILE_H 1

/* Services, EndpointSlices and Nodes from manifests, into a sink
 * ==============================================================
 *
 * For use without a cluster.  The source is standard input, read once, or a
 * directory, of which every file whose name ends in .yaml, .yml or .json and
 * does not begin with a dot is read, in the order of names, and read again
 * when it changes.  A file holds YAML documents or JSON, each an object or a
 * list of objects, as "kubectl get -o yaml" and "-o json" print them.  Objects
 * of other kinds are ignored; one without a namespace is in "default".
 *
 * Which files changed is found by looking, twice a second: that works on any
 * file system, and for the symbolic links that a ConfigMap is mounted by.
 * What changed is applied as a whole.  A file that cannot be read or parsed
 * counts as it was when it last could be.  At the start nothing is applied
 * until each file could be, or has gone.
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
