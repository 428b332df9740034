/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_YAML_H
#define KUBE_YAML_H 1

/* YAML and JSON text into JSON values
 * ===================================
 *
 * libyaml reads the characters; this gives the values the types that kubectl
 * gives them: plain scalars that look like null, booleans (yes, no, on and
 * off too), integers and floating point numbers become such, all others are
 * strings.  A key of a mapping becomes a string whatever it looks like.
 *
 * An alias shares the value that its anchor names, by reference count.
 *
 * Attack model: manifests and kubeconfig files come from people, not from the
 * network, but what one person may write another's program may generate.  The
 * limits below bound the memory, also of aliases that refer to aliases, and
 * the depth of every recursion over the result.  What is not understood is
 * refused, never guessed: duplicate keys, merge keys ("<<"), tags of
 * applications, strings that contain a null character.
 *
 * Thread-safety: none needed, no state. */

#include <stddef.h>

struct json;

#define KUBE_YAML_MAX_SIZE (64 * 1024 * 1024) /* Octets of text. */
#define KUBE_YAML_MAX_DEPTH 64                /* Mappings and sequences. */
#define KUBE_YAML_MAX_NODES (4 * 1000 * 1000) /* With aliases expanded. */
#define KUBE_YAML_MAX_ANCHORS 1000            /* In a document. */

char *kube_yaml_parse(const char *text, size_t size,
                      struct json **documents);

#endif /* kube-yaml.h */
