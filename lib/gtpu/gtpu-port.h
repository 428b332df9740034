/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PORT_H
#define GTPU_PORT_H 1

/* What the data path tells the control path of its GTP-U ports
 * ============================================================
 *
 * Thread-safety: gtpu_port_set_path_reader() is for the main thread, before
 * the first port counts in 'gtpu_n_ports'.  gtpu_port_path() is for the main
 * thread. */

#include <stdatomic.h>
#include <stdbool.h>

struct gtpu_path_config;
struct netdev;

/* The number of ports of type "gtpu". */
extern _Atomic(unsigned int) gtpu_n_ports;

/* Returns true if there is any port of type "gtpu".  Without one, the control
 * path only clears up after the last.  Any thread. */
static inline bool
gtpu_ports_exist(void)
{
    return atomic_load_explicit(&gtpu_n_ports, memory_order_relaxed) != 0;
}

/* Stores in '*config' the supervision that port 'netdev' is configured for.
 * Returns false if the port is not known. */
typedef bool gtpu_port_path_reader(const struct netdev *netdev,
                                   struct gtpu_path_config *config);

/* Makes gtpu_port_path() call 'reader', a function of the data path. */
void gtpu_port_set_path_reader(gtpu_port_path_reader *reader);

/* Calls the reader.  Returns false, too, if there is none yet. */
gtpu_port_path_reader gtpu_port_path;

#endif /* gtpu-port.h */
