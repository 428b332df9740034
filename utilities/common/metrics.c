/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "metrics.h"

#include <inttypes.h>

#include "openvswitch/dynamic-string.h"

/* Appends the head of metric 'name', which is of 'type'. */
void
metrics_begin(const struct metrics *m, const char *name, const char *type,
              const char *help)
{
    ds_put_format(m->out, "# HELP %s_%s %s\n# TYPE %s_%s %s\n",
                  m->program, name, help, m->program, name, type);
}

/* Appends the value of metric 'name' for which 'label' is 'label_value'. */
void
metrics_put(const struct metrics *m, const char *name, const char *label,
            const char *label_value, uint64_t value)
{
    ds_put_format(m->out, "%s_%s{%s=\"%s\"} %"PRIu64"\n",
                  m->program, name, label, label_value, value);
}

/* Appends 'label_value', which may be any text, to 's', as it must be between
 * quotes. */
void
metrics_escape(struct ds *s, const char *label_value)
{
    for (const char *c = label_value; *c; c++) {
        if (*c == '\n') {
            ds_put_cstr(s, "\\n");
        } else {
            if (*c == '"' || *c == '\\') {
                ds_put_char(s, '\\');
            }
            ds_put_char(s, *c);
        }
    }
}

static void
put_single(const struct metrics *m, const char *name, const char *type,
           const char *help, uint64_t value)
{
    metrics_begin(m, name, type, help);
    ds_put_format(m->out, "%s_%s %"PRIu64"\n", m->program, name, value);
}

void
metrics_put_counter(const struct metrics *m, const char *name,
                    const char *help, uint64_t value)
{
    put_single(m, name, "counter", help, value);
}

void
metrics_put_gauge(const struct metrics *m, const char *name,
                  const char *help, uint64_t value)
{
    put_single(m, name, "gauge", help, value);
}
