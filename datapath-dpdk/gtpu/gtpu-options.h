/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_OPTIONS_H
#define GTPU_OPTIONS_H 1

/* Options of ports of type "gtpu"
 * ===============================
 *
 * One table has all options: Open vSwitch's own, too, some of which it takes
 * without a check. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-path.h"

struct smap;

/* The options that no other type has. */
struct gtpu_port_options {
    bool has_qfi, has_pdu_type; /* options:qfi and options:pdu_type are set. */
    uint8_t qfi;                /* 0 to GTPU_QFI_MAX. */
    uint8_t pdu_type;           /* GTPU_PSC_DL or GTPU_PSC_UL. */
    struct gtpu_path_config path;
};

/* Parses 'args', a port's column "options", into '*options'.  Returns null, or
 * what is wrong, which the caller frees. */
char *gtpu_options_parse(const struct smap *args,
                         struct gtpu_port_options *options);

/* Return each option with its default and valid values, as lines and as JSON.
 * The caller frees them. */
char *gtpu_options_text(void);
char *gtpu_options_json(void);

/* Adds 'options' to 'args' as text. */
void gtpu_options_format(const struct gtpu_port_options *options,
                         struct smap *args);

#endif /* gtpu-options.h */
