/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_COUNT_H
#define GTPU_COUNT_H 1

/* Counters of GTP-U messages other than G-PDUs, by type */

#include <stdint.h>

struct ds;
struct json;

/* Count a received or sent message.  Any thread. */
void gtpu_count_rx(uint8_t msg_type);
void gtpu_count_tx(uint8_t msg_type);

/* Appends to 's' a line for each type of which there were messages up to some
 * seconds ago.  Main thread. */
void gtpu_count_show(struct ds *s);

/* Returns both counters of each type, also if they are 0, as a JSON object. */
struct json *gtpu_count_json(void);

#endif /* gtpu-count.h */
