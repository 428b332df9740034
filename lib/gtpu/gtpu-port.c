/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-port.h"

#include <stddef.h>

_Atomic(unsigned int) gtpu_n_ports;

static gtpu_port_path_reader *path_reader;

void
gtpu_port_set_path_reader(gtpu_port_path_reader *reader)
{
    path_reader = reader;
}

bool
gtpu_port_path(const struct netdev *netdev, struct gtpu_path_config *config)
{
    return path_reader && path_reader(netdev, config);
}
