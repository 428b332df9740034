/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-bandwidth.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "cni-request.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

/* Longer than this, in ms, nothing waits in the queue. */
#define QUEUE_MS 25

/* Has 'link', of this network namespace, send no more than 'limit'.  Returns
 * 0 or a positive errno value. */
int
cni_bandwidth_shape(const char *link, const struct cni_limit *limit)
{
    uint64_t rate = limit->rate / 8;
    uint32_t burst = MIN(limit->burst / 8, UINT32_MAX);
    struct tc_tbf_qopt tbf = {
        .rate = { .rate = MIN(rate, UINT32_MAX),
                  .linklayer = TC_LINKLAYER_ETHERNET },
        .limit = MIN(rate * QUEUE_MS / 1000 + burst, UINT32_MAX),
    };
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
    struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof *tcm);
    struct mnl_socket *socket;
    struct nlattr *options;
    int error;

    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = if_nametoindex(link);
    tcm->tcm_parent = TC_H_ROOT;
    mnl_attr_put_strz(nlh, TCA_KIND, "tbf");
    options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put(nlh, TCA_TBF_PARMS, sizeof tbf, &tbf);
    mnl_attr_put_u64(nlh, TCA_TBF_RATE64, rate);
    mnl_attr_put_u32(nlh, TCA_TBF_BURST, burst);
    mnl_attr_nest_end(nlh, options);
    error = netlink_open(&socket);
    if (!error) {
        error = netlink_transact(socket, nlh, NULL, NULL);
        mnl_socket_close(socket);
    }
    return error;
}

struct search {
    int ifindex;
    uint64_t rate;              /* Octets/s; 0 for none. */
};

static void
read_rate(const struct nlattr *options, uint64_t *rate)
{
    const struct nlattr *attr;

    mnl_attr_for_each_nested (attr, options) {
        if (mnl_attr_get_type(attr) == TCA_TBF_PARMS
            && mnl_attr_get_payload_len(attr) >= sizeof(struct tc_tbf_qopt)) {
            struct tc_tbf_qopt tbf;

            memcpy(&tbf, mnl_attr_get_payload(attr), sizeof tbf);
            *rate = tbf.rate.rate;
        }
    }
}

static int
look_at_qdisc(const struct nlmsghdr *nlh, void *search_)
{
    const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
    struct search *search = search_;
    const struct nlattr *attr, *options = NULL;
    bool is_tbf = false;

    if (tcm->tcm_ifindex != search->ifindex || tcm->tcm_parent != TC_H_ROOT) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each (attr, nlh, sizeof *tcm) {
        if (mnl_attr_get_type(attr) == TCA_KIND) {
            is_tbf = !strcmp(mnl_attr_get_str(attr), "tbf");
        } else if (mnl_attr_get_type(attr) == TCA_OPTIONS) {
            options = attr;
        }
    }
    if (is_tbf && options) {
        read_rate(options, &search->rate);
    }
    return MNL_CB_OK;
}

/* Returns true if 'link', of this network namespace, is as
 * cni_bandwidth_shape() leaves it. */
bool
cni_bandwidth_is_shaped(const char *link, const struct cni_limit *limit)
{
    struct search search = { .ifindex = if_nametoindex(link) };
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETQDISC, NLM_F_DUMP);
    struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof *tcm);
    struct mnl_socket *socket;

    tcm->tcm_family = AF_UNSPEC;
    if (netlink_open(&socket)) {
        return false;
    }
    netlink_transact(socket, nlh, look_at_qdisc, &search);
    mnl_socket_close(socket);
    return search.rate == MIN(limit->rate / 8, UINT32_MAX);
}
