/* SPDX-License-Identifier: Apache-2.0 */

/* What this program leaves out of Open vSwitch's library
 * ======================================================
 *
 * The library's strings and JSON lead to its packets, and those to DPDK, TLS
 * and DNS: 25 shared libraries, which a runtime would load for each pod, and
 * which a host whose Open vSwitch is in a container does not have.
 *
 * The functions and objects here are in their place.  They are weak: what
 * the library has is linked instead if something else needs it.  There are no
 * packets here, and cni-request.c allows connections by unix: and tcp:
 * only. */

#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/random.h>

#include "dns-resolve.h"
#include "entropy.h"
#include "openvswitch/compiler.h"
#include "stream-provider.h"
#include "util.h"

#define WEAK __attribute__((weak))

/* Of netdev-dpdk.h and netdev-afxdp.h. */
struct dp_packet;
void free_dpdk_buf(struct dp_packet *);
void free_afxdp_buf(struct dp_packet *);

void WEAK
free_dpdk_buf(struct dp_packet *packet OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

void WEAK
free_afxdp_buf(struct dp_packet *packet OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool WEAK
dns_resolve(const char *name OVS_UNUSED, char **address)
{
    *address = NULL;
    return false;
}

/* By the kernel, not by a library for TLS. */
int WEAK
get_entropy(void *buffer, size_t n)
{
    return getrandom(buffer, n, 0) == n ? 0 : errno ? errno : EIO;
}

static int
refuse_open(const char *name OVS_UNUSED, char *suffix OVS_UNUSED,
            struct stream **stream OVS_UNUSED, uint8_t dscp OVS_UNUSED)
{
    return EPROTONOSUPPORT;
}

static int
refuse_listen(const char *name OVS_UNUSED, char *suffix OVS_UNUSED,
              struct pstream **pstream OVS_UNUSED, uint8_t dscp OVS_UNUSED)
{
    return EPROTONOSUPPORT;
}

const struct stream_class WEAK ssl_stream_class = {
    .name = "ssl",
    .open = refuse_open,
};

const struct pstream_class WEAK pssl_pstream_class = {
    .name = "pssl",
    .listen = refuse_listen,
};
