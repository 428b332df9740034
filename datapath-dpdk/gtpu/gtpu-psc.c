/* SPDX-License-Identifier: Apache-2.0 */

/* PDU Session Containers as tunnel metadata
 * =========================================
 *
 * OpenFlow has no field for a QFI.  A controller maps the fields tun_metadata0
 * to tun_metadata63 to tunnel options by class and type.  A PDU Session
 * Container is such an option: see lib/gtpu/gtpu-tlv.h.
 *
 * Received metadata is in the datapath's format even without a container.  A
 * megaflow then has the exact length of the options in its key, so that the
 * megaflow of a packet without a container matches no packet with one. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-psc.h"

#include <errno.h>

#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu-tlv.h"
#include "openvswitch/packets.h"
#include "packets.h"
#include "tun-metadata.h"
#include "util.h"

/* A walk over options in memory, at octet 'pos' of 'len'. */
struct walk {
    struct geneve_opt *opts;
    int len, pos;
};

static struct geneve_opt *
next_option(struct walk *walk, int *len)
{
    struct geneve_opt *opt = walk->opts + walk->pos / (int) sizeof *opt;

    if (walk->pos >= walk->len) {
        return NULL;
    }
    *len = (int) sizeof *opt + opt->length * 4;
    walk->pos += *len;
    return opt;
}

static bool
is_ours(const struct geneve_opt *opt)
{
    return opt->opt_class == htons(GTPU_TLV_CLASS);
}

void
gtpu_psc_to_tnl(const struct gtpu_psc *psc, struct flow_tnl *tnl)
{
    tnl->flags |= FLOW_TNL_F_UDPIF;
    if (psc) {
        struct geneve_opt *opt = tnl->metadata.opts.gnv;

        memset(opt, 0, sizeof *opt);
        opt->opt_class = htons(GTPU_TLV_CLASS);
        opt->type = GTPU_TLV_PSC;
        opt->length = GTPU_TLV_PSC_LEN / 4;
        gtpu_psc_to_tlv(psc, (uint8_t *) (opt + 1));
        tnl->metadata.present.len = sizeof *opt + GTPU_TLV_PSC_LEN;
    }
}

int
gtpu_psc_from_tnl(const struct flow_tnl *tnl, struct gtpu_psc *psc,
                  bool *present)
{
    struct geneve_opt opts[TLV_TOT_OPT_SIZE / sizeof(struct geneve_opt)];
    struct walk walk = { .opts = opts };
    struct geneve_opt *opt;
    bool crit_opt;
    int len;

    *present = false;
    if (!tnl->metadata.present.map) {
        return 0;
    }
    walk.len = tun_metadata_to_geneve_header(tnl, opts, &crit_opt);
    while ((opt = next_option(&walk, &len)) != NULL) {
        if (is_ours(opt) && opt->type == GTPU_TLV_PSC) {
            *present = true;
            return (opt->length * 4 == GTPU_TLV_PSC_LEN
                    ? -gtpu_psc_from_tlv((const uint8_t *) (opt + 1), psc)
                    : EINVAL);
        }
    }
    return 0;
}

int
gtpu_to_geneve_header(const struct flow_tnl *flow, struct geneve_opt *opts,
                      bool *crit_opt)
{
    struct walk walk = { .opts = opts };
    char *end = (char *) opts;
    struct geneve_opt *opt;
    int len;

    walk.len = tun_metadata_to_geneve_header(flow, opts, crit_opt);
    *crit_opt = false;
    while ((opt = next_option(&walk, &len)) != NULL) {
        if (!is_ours(opt)) {
            *crit_opt |= (opt->type & GENEVE_CRIT_OPT_TYPE) != 0;
            memmove(end, opt, len);
            end += len;
        }
    }
    return end - (char *) opts;
}
