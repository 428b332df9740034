/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-generate.h"

#include <netinet/in.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Conversations.  Ports of clients differ, so that no two conversations are
 * translated to the same: random numbers of the connection tracker decide
 * which of two gets another port. */
static void
make_conv(struct plan *p, uint32_t i)
{
    static const uint8_t protos[] = {
        IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP,
        IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_ICMP,
        IPPROTO_SCTP,
    };
    static const uint16_t ports[] = { 80, 80, 443, 53 };
    struct eq_conv *conv = &p->c->convs[i];

    memset(conv, 0, sizeof *conv);
    conv->in_port = rnd(p, rarely(p, 3) ? EQ_N_PORTS : 2);
    conv->proto = protos[rnd(p, ARRAY_SIZE(protos))];
    conv->ipv6 = rarely(p, 4);
    conv->tos = rarely(p, 3) ? rnd(p, 256) : 0;
    conv->ttl = rarely(p, 4) ? 3 + rnd(p, 250) : 64;
    conv->vlan = rarely(p, 5) ? 1 + rnd(p, 3) : 0;
    conv->src = 0x0a000001 + rnd(p, 4);
    conv->dst = 0x0a000101 + rnd(p, 3);
    conv->tp_src = 10000 + 17 * i + rnd(p, 16);
    conv->tp_dst = conv->proto == IPPROTO_ICMP ? 0 : ports[rnd(p, 4)];
    conv->rss = rarely(p, 3) ? 1 + rnd(p, UINT32_MAX - 1) : 0;
    conv->window = rarely(p, 3) ? 1 + rnd(p, 2000) : 65535;
    if (p->c->tunnels && rarely(p, 2)) {
        conv->tunnel = 1 + rnd(p, EQ_N_TUNNELS - 1);
        conv->tun_id = 1 + rnd(p, 3);
        conv->in_port = EQ_UNDERLAY;
    }
}

void
eq_case_generate(struct eq_case *c, uint64_t seed)
{
    struct plan p = { .c = c, .rng = seed, .meter_rng = ~seed };

    c->seed = seed;
    c->meters = (!eq_rarely(&p.meter_rng, 6) ? EQ_NO_METERS
                 : eq_rarely(&p.meter_rng, 2) ? EQ_COUNTING_METERS
                 : EQ_DROPPING_METERS);
    c->tunnels = rarely(&p, 3);
    c->n_convs = 2 + rnd(&p, EQ_MAX_CONVS - 1);
    for (uint32_t i = 0; i < c->n_convs; i++) {
        make_conv(&p, i);
    }
    for (uint32_t i = 0; i < EQ_N_GROUPS; i++) {
        make_group(&p, &c->groups[i], rarely(&p, 2) ? 40 : 0);
    }
    make_tables(&p);
    make_events(&p);
    c->overlaps = rarely(&p, 3);
}
