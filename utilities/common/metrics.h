/* SPDX-License-Identifier: Apache-2.0 */

#ifndef METRICS_H
#define METRICS_H 1

/* Metrics in the text format of Prometheus
 * ========================================
 *
 * Each name starts with the name of the program and "_".  So parts that
 * several programs share need not know whose metrics they add to.
 *
 * Names, labels and texts of help are constants: they are not escaped.  Other
 * values of labels need metrics_escape().
 *
 * Thread-safety: functions are reentrant. */

#include <stdint.h>

struct ds;

struct metrics {
    const char *program;        /* Start of all names, without "_". */
    struct ds *out;             /* Where the text is appended. */
};

/* A metric with one value. */
void metrics_put_counter(const struct metrics *, const char *name,
                         const char *help, uint64_t value);
void metrics_put_gauge(const struct metrics *, const char *name,
                       const char *help, uint64_t value);

/* A metric with several values: its head, and each value with its label. */
void metrics_begin(const struct metrics *, const char *name, const char *type,
                   const char *help);
void metrics_put(const struct metrics *, const char *name, const char *label,
                 const char *label_value, uint64_t value);

void metrics_escape(struct ds *, const char *label_value);

#endif /* metrics.h */
