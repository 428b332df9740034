/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube-config.h"
#include "kube-object.h"
#include "kube-sink.h"
#include "kube-yaml.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/compat-json.h"
#include "utilities/common/complain.h"

VLOG_DEFINE_THIS_MODULE(kube_file);

#define LOOK_MS 500

/* A file that changed less than this ago may change again without another time
 * stamp. */
#define FRESH_S 2

struct manifest {
    struct stat stat;           /* When it was last read. */
    struct json *documents;     /* Null: it could not be read yet. */
    bool seen;                  /* Found by this look at the directory. */
};

struct kube_file {
    char *dir;                  /* Null for standard input. */
    struct kube_sink *sink;
    struct shash manifests;     /* Contains "struct manifest"s by name. */
    long long int next_look;
    bool applied;               /* All files have been read once. */
    size_t n_objects, n_ignored; /* Of the last apply_all(). */
};

/* Parses the 'size' octets at 'text'.  Returns null and stores an array of
 * documents in '*documents', or returns an error message. */
static char *
parse(const char *text, size_t size, struct json **documents)
{
    if (size && text[strspn(text, " \t\r\n")] == '{') {
        struct json *json = json_from_string(text);

        if (json->type == JSON_OBJECT) {
            *documents = json_array_create_1(json);
            return NULL;
        }
        /* Several objects, or YAML that starts like JSON. */
        json_destroy(json);
    }
    return kube_yaml_parse(text, size, documents);
}

static void
apply_object(struct kube_file *f, enum kube_kind kind,
             const struct json *object)
{
    const struct json *metadata = kube_object_member(object, "metadata");
    struct json *copy;

    f->n_objects++;
    if (!kube_kind_is_namespaced(kind) || !metadata
        || kube_object_string(metadata, "namespace")[0]) {
        kube_sink_apply(f->sink, kind, KUBE_ADDED_OR_MODIFIED, object);
        return;
    }
    copy = json_deep_clone(object);
    json_object_put_string(shash_find_data(json_object(copy), "metadata"),
                           "namespace", "default");
    kube_sink_apply(f->sink, kind, KUBE_ADDED_OR_MODIFIED, copy);
    json_destroy(copy);
}

/* Applies 'object', or the items in it if it is a list, as far as they are of
 * kind 'only'. */
static void
apply(struct kube_file *f, enum kube_kind only, const struct json *object)
{
    const struct json *items;
    enum kube_kind kind;
    bool list = false;
    bool known;

    if (object->type != JSON_OBJECT) {
        return;
    }
    known = kube_kind_of(object, &kind, &list);
    if (known && !list) {
        if (kind == only) {
            apply_object(f, kind, object);
        }
        return;
    } else if (!known && strcmp(kube_object_string(object, "kind"), "List")) {
        f->n_ignored++;
        return;
    }

    items = shash_find_data(json_object(object), "items");
    if (!items || items->type != JSON_ARRAY || (known && kind != only)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        const struct json *item = json_array_at(items, i);
        enum kube_kind item_kind;
        bool item_list;

        if (known) {
            /* The items of a ServiceList may lack a kind. */
            apply_object(f, kind, item);
        } else if (!kube_kind_of(item, &item_kind, &item_list)
                   || item_list) {
            f->n_ignored++;
        } else if (item_kind == only) {
            apply_object(f, item_kind, item);
        }
    }
}

/* Returns true if each manifest could be read once. */
static bool
all_are_known(const struct kube_file *f)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &f->manifests) {
        const struct manifest *m = node->data;

        if (!m->documents) {
            return false;
        }
    }
    return true;
}

/* Makes the store hold exactly the objects of the manifests.  The first time,
 * waits until each manifest could be read: an unreadable one may describe
 * flows of the program's last run, which would be deleted. */
static void
apply_all(struct kube_file *f)
{
    static const enum kube_kind kinds[] = {
        KUBE_NODE, KUBE_SERVICE_CIDR, KUBE_SERVICE, KUBE_ENDPOINT_SLICE,
        KUBE_GATEWAY_CLASS, KUBE_GATEWAY, KUBE_TCP_ROUTE, KUBE_UDP_ROUTE,
        KUBE_REFERENCE_GRANT,
    };
    const struct shash_node **nodes;

    if (!f->applied && !all_are_known(f)) {
        complain_once("%s: nothing is changed until all files could be read",
                      f->dir);
        return;
    }
    f->applied = true;
    nodes = shash_sort(&f->manifests);
    f->n_objects = 0;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        f->n_ignored = 0;       /* Each pass counts all. */
        kube_sink_list_begin(f->sink, kinds[k]);
        for (size_t i = 0; i < shash_count(&f->manifests); i++) {
            const struct manifest *m = nodes[i]->data;

            for (size_t j = 0; m->documents
                 && j < json_array_size(m->documents); j++) {
                apply(f, kinds[k], json_array_at(m->documents, j));
            }
        }
        kube_sink_list_end(f->sink, kinds[k]);
    }
    free(nodes);
    VLOG_INFO("%s: %"PRIuSIZE" objects, %"PRIuSIZE" of other kinds ignored",
              f->dir ? f->dir : "standard input", f->n_objects,
              f->n_ignored);
}

static bool
is_manifest(const char *name)
{
    static const char *const ends[] = { ".yaml", ".yml", ".json" };

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        size_t n = strlen(name), m = strlen(ends[i]);

        if (name[0] != '.' && n > m && !strcmp(name + n - m, ends[i])) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'a' and 'b' are states of the same unchanged file, and its
 * time stamp is old enough to tell. */
static bool
is_unchanged(const struct stat *a, const struct stat *b)
{
    return (a->st_dev == b->st_dev
            && a->st_ino == b->st_ino
            && a->st_size == b->st_size
            && a->st_mtim.tv_sec == b->st_mtim.tv_sec
            && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
            && time_wall() - a->st_mtim.tv_sec > FRESH_S);
}

/* Returns the manifest 'name', created if necessary, and marks it as seen. */
static struct manifest *
see_manifest(struct kube_file *f, const char *name)
{
    struct manifest *m = shash_find_data(&f->manifests, name);

    if (!m) {
        m = xzalloc(sizeof *m);
        shash_add(&f->manifests, name, m);
    }
    m->seen = true;
    return m;
}

static void
destroy_manifest(struct manifest *m)
{
    json_destroy(m->documents);
    free(m);
}

/* Reads the manifest 'm' from the file 'path', of state 'st'.  Returns true if
 * its content changed. */
static bool
read_manifest(struct manifest *m, const char *path, const struct stat *st)
{
    struct json *documents = NULL;
    bool changed = false;
    char *error, *text;
    size_t size;

    m->stat = *st;
    error = kube_read_file(path, KUBE_YAML_MAX_SIZE, &text, &size);
    if (error) {
        complain_once("%s", error);
    } else {
        error = parse(text, size, &documents);
        free(text);
        if (error) {
            complain_once("%s: %s", path, error);
        } else if (!m->documents || !json_equal(m->documents, documents)) {
            json_destroy(m->documents);
            m->documents = documents;
            changed = true;
        } else {
            json_destroy(documents);
        }
    }
    free(error);
    return changed;
}

/* Stores in 'names' the names of the manifests in 'f->dir', sorted.  Returns
 * null or an error message. */
static char *
list_manifests(const struct kube_file *f, struct svec *names)
{
    struct dirent *entry;
    DIR *dir = opendir(f->dir);
    int error;

    if (!dir) {
        return xasprintf("%s: %s", f->dir, ovs_strerror(errno));
    }
    while (errno = 0, (entry = readdir(dir))) {
        if (is_manifest(entry->d_name)) {
            svec_add(names, entry->d_name);
        }
    }
    error = errno;
    closedir(dir);
    svec_sort(names);
    return error ? xasprintf("%s: %s", f->dir, ovs_strerror(error)) : NULL;
}

/* Reads the files that changed.  Returns null and stores in '*changed' whether
 * the content of any did, or returns an error message. */
static char *
look(struct kube_file *f, bool *changed)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    struct shash_node *node;
    char *error;

    *changed = false;
    error = list_manifests(f, &names);
    if (error) {
        svec_destroy(&names);
        return error;
    }

    SHASH_FOR_EACH (node, &f->manifests) {
        struct manifest *m = node->data;

        m->seen = false;
    }
    for (size_t i = 0; i < names.n; i++) {
        char *path = xasprintf("%s/%s", f->dir, names.names[i]);
        struct stat st;

        if (!stat(path, &st)) {
            struct manifest *m = see_manifest(f, names.names[i]);

            if (!is_unchanged(&m->stat, &st) && read_manifest(m, path, &st)) {
                *changed = true;
            }
        } else if (errno != ENOENT) {
            complain_once("%s: %s", path, ovs_strerror(errno));
            see_manifest(f, names.names[i]);
        }
        free(path);
    }
    svec_destroy(&names);

    SHASH_FOR_EACH_SAFE (node, &f->manifests) {
        struct manifest *m = node->data;

        if (!m->seen) {
            *changed |= m->documents != NULL;
            destroy_manifest(m);
            shash_delete(&f->manifests, node);
        }
    }
    return NULL;
}

/* Reads all of standard input.  Returns null or an error message. */
static char *
read_stdin(struct kube_file *f)
{
    struct manifest *m = xzalloc(sizeof *m);
    struct ds text = DS_EMPTY_INITIALIZER;
    char buffer[65536];
    char *error;
    ssize_t n;

    shash_add(&f->manifests, "-", m);
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
        if (n > 0) {
            ds_put_buffer(&text, buffer, n);
        } else if (errno != EINTR) {
            ds_destroy(&text);
            return xasprintf("standard input: %s", ovs_strerror(errno));
        }
        if (text.length > KUBE_YAML_MAX_SIZE) {
            ds_destroy(&text);
            return xasprintf("standard input: longer than %d octets",
                             KUBE_YAML_MAX_SIZE);
        }
    }
    error = parse(ds_cstr(&text), text.length, &m->documents);
    ds_destroy(&text);
    if (error) {
        char *full = xasprintf("standard input: %s", error);

        free(error);
        return full;
    }
    return NULL;
}

/* Reads manifests from the directory 'name' or, if that is "-", from standard
 * input up to its end.  Applies them to 'sink', which must outlive the result.
 * Returns null and stores the result, for the caller to destroy, in '*fp'.  If
 * there is no such directory, or standard input cannot be read or parsed,
 * returns an error message, which the caller must free, and stores null. */
char *
kube_file_create(const char *name, struct kube_sink *sink,
                 struct kube_file **fp)
{
    struct kube_file *f = xzalloc(sizeof *f);
    bool changed;
    char *error;

    *fp = NULL;
    f->sink = sink;
    shash_init(&f->manifests);
    if (!strcmp(name, "-")) {
        error = read_stdin(f);
    } else {
        f->dir = abs_file_name(NULL, name);     /* A daemon changes to "/"
                                                 * later. */
        f->next_look = time_msec() + LOOK_MS;
        error = look(f, &changed);
    }
    if (error) {
        kube_file_destroy(f);
        return error;
    }
    apply_all(f);
    *fp = f;
    return NULL;
}

void
kube_file_destroy(struct kube_file *f)
{
    if (f) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &f->manifests) {
            destroy_manifest(node->data);
        }
        shash_destroy(&f->manifests);
        free(f->dir);
        free(f);
    }
}

void
kube_file_run(struct kube_file *f)
{
    if (f->dir && time_msec() >= f->next_look) {
        bool changed;
        char *error;

        f->next_look = time_msec() + LOOK_MS;
        error = look(f, &changed);
        if (error) {
            /* A missing directory, which may come back, removes nothing. */
            complain_once("%s", error);
            free(error);
        } else if (changed || !f->applied) {
            apply_all(f);
        }
    }
}

void
kube_file_wait(struct kube_file *f)
{
    if (f->dir) {
        poll_timer_wait_until(f->next_look);
    }
}

/* Appends a line about the files to 's', for people. */
void
kube_file_format(const struct kube_file *f, struct ds *s)
{
    ds_put_format(s, "%s%s: %"PRIuSIZE" files, %"PRIuSIZE" objects, %"PRIuSIZE
                  " of other kinds ignored%s\n", f->dir ? "directory " : "",
                  f->dir ? f->dir : "standard input",
                  shash_count(&f->manifests), f->n_objects, f->n_ignored,
                  f->applied ? "" : "; waiting until all could be read");
}
