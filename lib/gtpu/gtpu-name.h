/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_NAME_H
#define GTPU_NAME_H 1

/* Names of GTP-U errors and types
 * ===============================
 *
 * All results are static strings.  Each function takes any value of its
 * argument. */

#include <stdint.h>

#include "lib/gtpu/gtpu-error.h"

/* Returns "ok" for GTPU_OK, the name in GTPU_ERRORS for an error, and
 * "unknown" for any other value. */
const char *gtpu_error_name(enum gtpu_error);

/* Returns a phrase for people in the same way. */
const char *gtpu_error_description(enum gtpu_error);

/* Return the name in TS 29.281, or a null pointer for a type that it does not
 * define for GTP-U. */
const char *gtpu_msg_name(uint8_t msg_type);
const char *gtpu_ext_name(uint8_t ext_type);

#endif /* gtpu-name.h */
