/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_YAML_H
#define KUBE_YAML_H 1

/* YAML and JSON text into JSON values
 * ===================================
 *
 * libyaml reads the characters.  This gives the values the types that kubectl
 * gives them.  Plain scalars that look like null, a boolean (also yes, no, on
 * and off), an integer or a floating-point number become that; all others are
 * strings.  A key of a mapping is always a string.
 *
 * An alias shares the value of its anchor, by reference count.
 *
 * Attack model: people write manifests and kubeconfig files, sometimes by a
 * program that others wrote.  The limits below bound memory, also for aliases
 * of aliases, and the depth of every recursion over the result.  Unknown
 * things are refused, never guessed: duplicate keys, merge keys ("<<"), tags
 * of applications, strings that contain a null character.
 *
 * Thread-safety: functions are reentrant. */

#include <stddef.h>

struct json;

#define KUBE_YAML_MAX_SIZE (64 * 1024 * 1024) /* Octets of text. */
#define KUBE_YAML_MAX_DEPTH 64                /* Mappings and sequences. */
#define KUBE_YAML_MAX_NODES (4 * 1000 * 1000) /* With aliases expanded. */
#define KUBE_YAML_MAX_ANCHORS 1000            /* In a document. */

char *kube_yaml_parse(const char *text, size_t size,
                      struct json **documents);

#endif /* kube-yaml.h */
