/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-features.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node-database.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"
#include "utilities/common/complain.h"

#define NAME "ovs-ext-node"

struct node_features {
    char *path, *new_path;
    uint64_t generation;        /* Of the database that was looked at. */
    char *written;              /* The file's content, or null. */
};

struct node_features *
node_features_create(const char *directory)
{
    struct node_features *f = NULL;

    if (directory) {
        f = xzalloc(sizeof *f);
        f->path = xasprintf("%s/%s", directory, NAME);
        f->new_path = xasprintf("%s/.%s", directory, NAME);
    }
    return f;
}

void
node_features_destroy(struct node_features *f)
{
    if (f) {
        free(f->path);
        free(f->new_path);
        free(f->written);
        free(f);
    }
}

/* Returns 0 or a positive errno value. */
static int
write_file(const struct node_features *f, const char *text)
{
    FILE *stream = fopen(f->new_path, "w");
    int error = 0;

    if (!stream) {
        return errno;
    }
    if (fputs(text, stream) < 0) {
        error = errno;
    }
    if (fclose(stream) && !error) {
        error = errno;
    }
    if (!error && rename(f->new_path, f->path)) {
        error = errno;
    }
    if (error) {
        unlink(f->new_path);
    }
    return error;
}

void
node_features_run(struct node_features *f, const struct node_database *db)
{
    uint64_t generation = f ? node_database_generation(db) : 0;
    struct ds s = DS_EMPTY_INITIALIZER;
    int error;

    if (!generation || generation == f->generation) {
        return;
    }
    f->generation = generation;
    node_database_put_features(db, &s);
    if (s.length && (!f->written || strcmp(f->written, ds_cstr(&s)))) {
        error = write_file(f, ds_cstr(&s));
        free(f->written);
        f->written = error ? NULL : ds_steal_cstr(&s);
        if (error) {
            complain_once("%s cannot be written: %s", f->path,
                          ovs_strerror(error));
        }
    }
    ds_destroy(&s);
}

void
node_features_clear(const struct node_features *f)
{
    if (f && unlink(f->path) && errno != ENOENT) {
        ovs_fatal(errno, "%s cannot be removed", f->path);
    }
}
