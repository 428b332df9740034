/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-ports.h"

#include <stdio.h>
#include <string.h>

#include "bitmap.h"

/* Lower ports belong to servers and to node ports. */
#define FIRST_PORT 32768

/* Fewer ports than this are not worth the surprise. */
#define MIN_PORTS 1024

#define N_PORTS 65536

/* Of the network namespace that the program runs in. */
#define SYSCTL "/proc/sys/net/ipv4/"

/* Sets the bits of 'ports' for ip_local_port_range, from which the kernel
 * takes source ports.  Its default counts unless 'local'. */
static void
add_kernel_range(bool local, unsigned long *ports)
{
    FILE *stream = local ? fopen(SYSCTL "ip_local_port_range", "r") : NULL;
    unsigned int first, last;

    if (!stream || fscanf(stream, "%u %u", &first, &last) != 2
        || first > last || last >= N_PORTS) {
        first = 32768;
        last = 60999;
    }
    if (stream) {
        fclose(stream);
    }
    bitmap_set_multiple(ports, first, last - first + 1, true);
}

/* Clears the bits of 'ports' for ip_local_reserved_ports, which the kernel
 * leaves out.  That is a list such as "8080,61000-65535". */
static void
remove_reserved(unsigned long *ports)
{
    FILE *stream = fopen(SYSCTL "ip_local_reserved_ports", "r");
    unsigned int first, last;

    if (!stream) {
        return;
    }
    while (fscanf(stream, "%u", &first) == 1) {
        int c = getc(stream);

        last = first;
        if (c == '-') {
            if (fscanf(stream, "%u", &last) != 1) {
                break;
            }
            c = getc(stream);
        }
        if (first > last || last >= N_PORTS) {
            break;
        }
        bitmap_set_multiple(ports, first, last - first + 1, false);
        if (c != ',') {
            break;
        }
    }
    fclose(stream);
}

/* Stores in '*min' and '*max' the longest range of ports, in host byte order,
 * that the kernel does not give to its own connections.  If 'local', the
 * kernel is this machine's; otherwise it is one with default settings.
 * Returns false if the range is too short to be of use. */
bool
proxy_ports_choose(bool local, uint16_t *min, uint16_t *max)
{
    unsigned long *ports = bitmap_allocate(N_PORTS);
    size_t best = 0;

    add_kernel_range(local, ports);
    if (local) {
        remove_reserved(ports);
    }
    for (size_t first = FIRST_PORT; first < N_PORTS; ) {
        size_t end;

        first = bitmap_scan(ports, false, first, N_PORTS);
        end = bitmap_scan(ports, true, first, N_PORTS);
        if (end - first > best) {
            best = end - first;
            *min = first;
            *max = end - 1;
        }
        first = end;
    }
    bitmap_free(ports);
    return best >= MIN_PORTS;
}
