/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-options.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "dirs.h"
#include "openvswitch/vconn.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "proxy-ports.h"
#include "stream-ssl.h"
#include "util.h"

/* "kp", then zeros. */
#define DEFAULT_COOKIE UINT64_C(0x6b70000000000000)
#define DEFAULT_COOKIE_MASK UINT64_C(0xffff000000000000)
#define DEFAULT_GROUP_MIN 0x6b700000
#define DEFAULT_GROUP_MAX 0x6b7fffff
#define DEFAULT_CONTROLLER_ID 0x6b70
#define DEFAULT_METER 0x6b70

#define DEFAULT_TABLE 60
#define DEFAULT_ZONE 60000
#define DEFAULT_REGISTER 8
#define DEFAULT_METRICS_SERIES 1000
#define DEFAULT_JOURNAL_MB 16
#define DEFAULT_REJECT_RATE 1000
#define DEFAULT_PROBE_INTERVAL 15

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: Kubernetes Services as OpenFlow\n\
usage: %s [OPTIONS] SWITCH\n\
where SWITCH is a bridge of this machine or an active OpenFlow connection\n\
method.\n", program_name, program_name);
    vconn_usage(true, false, false);
    daemon_usage();
    vlog_usage();
    printf("\n\
Source of Services, one of:\n\
" KUBE_SOURCE_USAGE "\n\
Our node and the cluster:\n\
  --node=NAME             our Node object's name\n\
  --cluster-cidr=LIST     pods' addresses (default: the Node's podCIDRs)\n\
  --service-cidr=LIST     ClusterIPs: drop packets to unknown ones (default:\n\
                          those of the cluster's ServiceCIDR objects)\n\
  --direct-return         hand packets over to endpoints' nodes, for\n\
                          Services that ask for it\n\
  --gateway-api           serve TCPRoutes and UDPRoutes of Gateway API, too\n\
  --gateway-status=NAME   with --node=NAME, write their status\n\
  --nodeport-addresses=LIST  addresses of node ports (default: the Node's\n\
                          primary addresses)\n\
  --masquerade-address=LIST  source of masqueraded packets (default: the\n\
                          Node's primary addresses)\n\
  --node-masquerade-address=LIST|podCIDRs  the same, to endpoints at our\n\
                          Node's addresses\n\
  --masquerade-ports=MIN-MAX  source ports of masqueraded packets (default:\n\
                          those above 32767 that the kernel does not use)\n\
\n\
Place in the switch:\n\
  --first-table=TABLE     of %d tables in a row (default: %d)\n\
  --next-table=TABLE|normal  where packets go from there (default: normal)\n\
  --zone=ZONE             first of two conntrack zones (default: %d)\n\
  --register=N            register for these tables (default: %d)\n\
  --cookie=VALUE/MASK     of our flows\n\
  --groups=MIN-MAX        ids of our groups\n\
  --controller-id=ID      marks packets to reject (default: %d)\n\
  --meter=ID              limits packets to reject; 0: none (default: %d)\n\
  --stock                 do not use selection_method=maglev\n\
  --seed=N                switches with the same seed choose alike\n\
\n\
Operation:\n\
  --cleanup               remove our flows and groups, and exit\n\
  --healthz-address=[HOST]:PORT  serve /healthz and /livez over HTTP\n\
  --metrics-address=[HOST]:PORT  serve /metrics over HTTP\n\
  --metrics-series=N      limit for series of Services, and of endpoints;\n\
                          0: none (default: %d)\n\
  --journal=MB            memory for past states of Services, which\n\
                          service/explain --at looks at (default: %d)\n\
  --page-address=[HOST]:PORT  serve a page that shows Services over HTTP\n\
  --reject-rate=N         rejections a second (default: %d)\n\
  --probe-interval=SECS   0 to not probe the switch (default: %d)\n\
  --unixctl=SOCKET        override default control socket name\n\
  -h, --help              display this help message\n\
  -V, --version           display version information\n",
           SERVICE_N_TABLES, DEFAULT_TABLE, DEFAULT_ZONE, DEFAULT_REGISTER,
           DEFAULT_CONTROLLER_ID, DEFAULT_METER, DEFAULT_METRICS_SERIES,
           DEFAULT_JOURNAL_MB, DEFAULT_REJECT_RATE, DEFAULT_PROBE_INTERVAL);
    exit(EXIT_SUCCESS);
}

/* Returns the number 's', the argument of 'option'.  Ends the program if it is
 * not between 'min' and 'max'. */
static unsigned int
parse_number(const char *option, const char *s, unsigned int min,
             unsigned int max)
{
    unsigned long long int value;

    if (!str_to_ullong(s, 0, &value) || value < min || value > max) {
        ovs_fatal(0, "--%s: \"%s\" is not a number from %u to %u", option, s,
                  min, max);
    }
    return value;
}

/* Parses "MIN-MAX", the argument of 'option'. */
static void
parse_range(const char *option, const char *s, unsigned int min,
            unsigned int max, unsigned int *first, unsigned int *last)
{
    char *copy = xstrdup(s);
    char *dash = strchr(copy, '-');

    if (!dash) {
        ovs_fatal(0, "--%s: \"%s\" is not MIN-MAX", option, s);
    }
    *dash = '\0';
    *first = parse_number(option, copy, min, max);
    *last = parse_number(option, dash + 1, *first, max);
    free(copy);
}

static void
parse_cookie(const char *s, struct of_sync_options *o)
{
    char *copy = xstrdup(s);
    char *slash = strchr(copy, '/');
    unsigned long long int value, mask;

    if (slash) {
        *slash = '\0';
    }
    if (!slash || !str_to_ullong(copy, 0, &value)
        || !str_to_ullong(slash + 1, 0, &mask) || value & ~mask || !mask
        || mask == ULLONG_MAX) {
        ovs_fatal(0, "--cookie: \"%s\" is not VALUE/MASK with a mask that "
                  "covers the value and is neither 0 nor all ones", s);
    }
    o->cookie = htonll(value);
    o->cookie_mask = htonll(mask);
    free(copy);
}

/* Parses a comma-separated list of addresses or, if 'prefixes', of address
 * ranges.  Returns an array, for the caller to free, and stores its size in
 * '*n'. */
static struct kube_cidr *
parse_cidrs(const char *option, const char *s, bool prefixes, size_t *n)
{
    char *copy = xstrdup(s), *save = NULL;
    struct kube_cidr *cidrs = NULL;
    size_t allocated = 0;

    *n = 0;
    for (char *item = strtok_r(copy, ", ", &save); item;
         item = strtok_r(NULL, ", ", &save)) {
        struct kube_cidr cidr;
        unsigned int plen;
        ovs_be32 ipv4;
        char *error;

        error = ip_parse_cidr(item, &ipv4, &plen);
        if (!error) {
            cidr.addr = in6_addr_mapped_ipv4(ipv4 & be32_prefix_mask(plen));
        } else {
            free(error);
            error = ipv6_parse_cidr(item, &cidr.addr, &plen);
            if (!error) {
                struct in6_addr mask = ipv6_create_mask(plen);

                cidr.addr = ipv6_addr_bitand(&cidr.addr, &mask);
            }
        }
        if (error || (!prefixes && strchr(item, '/'))) {
            ovs_fatal(0, "--%s: \"%s\" is not an IP address%s", option, item,
                      prefixes ? " or an address range, ADDRESS/LENGTH" : "");
        }
        cidr.plen = plen;
        if (*n >= allocated) {
            cidrs = x2nrealloc(cidrs, &allocated, sizeof *cidrs);
        }
        cidrs[(*n)++] = cidr;
    }
    free(copy);
    return cidrs;
}

/* Parses 's', the argument of 'option', which has at most one address of each
 * family. */
static void
parse_addresses(const char *option, const char *s, struct in6_addr *ipv4,
                struct in6_addr *ipv6)
{
    size_t n;
    struct kube_cidr *cidrs = parse_cidrs(option, s, false, &n);

    for (size_t i = 0; i < n; i++) {
        struct in6_addr *addr = (IN6_IS_ADDR_V4MAPPED(&cidrs[i].addr)
                                 ? ipv4 : ipv6);

        if (ipv6_addr_is_set(addr)) {
            ovs_fatal(0, "--%s: \"%s\" has two addresses of one family",
                      option, s);
        }
        *addr = cidrs[i].addr;
    }
    free(cidrs);
}

static void
set_defaults(struct proxy_options *o)
{
    memset(o, 0, sizeof *o);
    o->sync.cookie = htonll(DEFAULT_COOKIE);
    o->sync.cookie_mask = htonll(DEFAULT_COOKIE_MASK);
    o->sync.group_min = DEFAULT_GROUP_MIN;
    o->sync.group_max = DEFAULT_GROUP_MAX;
    o->sync.probe_interval = DEFAULT_PROBE_INTERVAL;
    o->pipeline.tables.first = DEFAULT_TABLE;
    o->pipeline.tables.next = -1;
    o->pipeline.tables.zone = DEFAULT_ZONE;
    o->pipeline.tables.reg = DEFAULT_REGISTER;
    o->reject.controller_id = DEFAULT_CONTROLLER_ID;
    o->sync.meter_id = DEFAULT_METER;
    o->metrics_series = DEFAULT_METRICS_SERIES;
    o->journal_mb = DEFAULT_JOURNAL_MB;
    o->reject.rate = DEFAULT_REJECT_RATE;
}

/* A bridge's name stands for its socket, as for ovs-ofctl. */
static void
parse_switch(const char *s, struct proxy_options *o)
{
    if (!strchr(s, ':')) {
        o->switch_path = xasprintf("unix:%s/%s.mgmt", ovs_rundir(), s);
        s = o->switch_path;
    } else if (vconn_verify_name(s)) {
        ovs_fatal(0, "\"%s\" is neither a bridge nor an active OpenFlow "
                  "connection method; use --help for usage", s);
    }
    o->sync.remote = s;
}

/* Chooses the source ports of masqueraded packets, unless they are given.
 * Ends the program if none are left. */
static void
choose_masquerade_ports(struct proxy_options *o)
{
    struct service_tables *t = &o->pipeline.tables;

    if (!o->cleanup && !t->masq_max
        && !proxy_ports_choose(o->pipeline.local, &t->masq_min,
                               &t->masq_max)) {
        ovs_fatal(0, "net.ipv4.ip_local_port_range leaves no source ports for "
                  "masqueraded packets: reserve some above 32767 by "
                  "net.ipv4.ip_local_reserved_ports, or give "
                  "--masquerade-ports");
    }
}

/* Copies values that are needed in several places.  Ends the program if
 * options contradict each other. */
static void
complete(struct proxy_options *o)
{
    struct service_tables *t = &o->pipeline.tables;
    const char *fault = kube_source_check(&o->source, o->cleanup);

    if (fault) {
        ovs_fatal(0, "%s", fault);
    }
    if (t->next >= t->first && t->next < t->first + SERVICE_N_TABLES) {
        ovs_fatal(0, "--next-table: %d is one of the program's own "
                  "tables, %d to %d", t->next, t->first,
                  t->first + SERVICE_N_TABLES - 1);
    }
    if (t->direct && (t->next < 0 || !o->pipeline.node)) {
        ovs_fatal(0, "--direct-return needs --node, and --next-table with a "
                  "table that has the way to other nodes");
    }
    if (o->gateway_status && !o->gateway_api) {
        ovs_fatal(0, "--gateway-status needs --gateway-api");
    }
    o->pipeline.local = !strncmp(o->sync.remote, "unix:", 5);
    choose_masquerade_ports(o);
    t->cookie = o->sync.cookie;
    o->sync.first_table = t->first;
    o->sync.n_tables = SERVICE_N_TABLES;
    t->controller_id = o->reject.controller_id;
    o->sync.meter_rate = o->cleanup ? 0 : MAX(o->reject.rate, 1);
    o->reject.remote = o->sync.remote;
    o->reject.probe_interval = o->sync.probe_interval;
    o->reject.leave_table = t->first + SERVICE_LEAVE;
    o->reject.reg = t->reg;
}

/* Parses the command line into '*o', for the caller to destroy.  Ends the
 * program if it is faulty. */
void
proxy_options_parse(int argc, char *argv[], struct proxy_options *o)
{
    enum {
        OPT_NODE = UCHAR_MAX + 1, OPT_CLUSTER_CIDR, OPT_SERVICE_CIDR,
        OPT_DIRECT_RETURN, OPT_GATEWAY_API, OPT_GATEWAY_STATUS,
        OPT_NODEPORT_ADDRESSES, OPT_MASQUERADE_ADDRESS,
        OPT_NODE_MASQUERADE_ADDRESS, OPT_MASQUERADE_PORTS,
        OPT_FIRST_TABLE, OPT_NEXT_TABLE, OPT_ZONE, OPT_REGISTER, OPT_COOKIE,
        OPT_GROUPS, OPT_CONTROLLER_ID, OPT_METER, OPT_STOCK, OPT_SEED,
        OPT_CLEANUP,
        OPT_HEALTHZ_ADDRESS, OPT_METRICS_ADDRESS, OPT_METRICS_SERIES,
        OPT_JOURNAL, OPT_PAGE_ADDRESS, OPT_REJECT_RATE, OPT_PROBE_INTERVAL,
        OPT_UNIXCTL,
        OPT_PEER_CA_CERT,
        KUBE_SOURCE_OPTION_ENUMS,
        VLOG_OPTION_ENUMS,
        DAEMON_OPTION_ENUMS,
        SSL_OPTION_ENUMS,
    };
    static const struct option long_options[] = {
        { "node", required_argument, NULL, OPT_NODE },
        { "cluster-cidr", required_argument, NULL, OPT_CLUSTER_CIDR },
        { "service-cidr", required_argument, NULL, OPT_SERVICE_CIDR },
        { "direct-return", no_argument, NULL, OPT_DIRECT_RETURN },
        { "gateway-api", no_argument, NULL, OPT_GATEWAY_API },
        { "gateway-status", required_argument, NULL, OPT_GATEWAY_STATUS },
        { "nodeport-addresses", required_argument, NULL,
          OPT_NODEPORT_ADDRESSES },
        { "masquerade-address", required_argument, NULL,
          OPT_MASQUERADE_ADDRESS },
        { "node-masquerade-address", required_argument, NULL,
          OPT_NODE_MASQUERADE_ADDRESS },
        { "masquerade-ports", required_argument, NULL,
          OPT_MASQUERADE_PORTS },
        { "first-table", required_argument, NULL, OPT_FIRST_TABLE },
        { "next-table", required_argument, NULL, OPT_NEXT_TABLE },
        { "zone", required_argument, NULL, OPT_ZONE },
        { "register", required_argument, NULL, OPT_REGISTER },
        { "cookie", required_argument, NULL, OPT_COOKIE },
        { "groups", required_argument, NULL, OPT_GROUPS },
        { "controller-id", required_argument, NULL, OPT_CONTROLLER_ID },
        { "meter", required_argument, NULL, OPT_METER },
        { "stock", no_argument, NULL, OPT_STOCK },
        { "seed", required_argument, NULL, OPT_SEED },
        { "cleanup", no_argument, NULL, OPT_CLEANUP },
        { "healthz-address", required_argument, NULL, OPT_HEALTHZ_ADDRESS },
        { "metrics-address", required_argument, NULL, OPT_METRICS_ADDRESS },
        { "metrics-series", required_argument, NULL, OPT_METRICS_SERIES },
        { "journal", required_argument, NULL, OPT_JOURNAL },
        { "page-address", required_argument, NULL, OPT_PAGE_ADDRESS },
        { "reject-rate", required_argument, NULL, OPT_REJECT_RATE },
        { "probe-interval", required_argument, NULL, OPT_PROBE_INTERVAL },
        { "unixctl", required_argument, NULL, OPT_UNIXCTL },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        KUBE_SOURCE_LONG_OPTIONS,
        DAEMON_LONG_OPTIONS,
        VLOG_LONG_OPTIONS,
        STREAM_SSL_LONG_OPTIONS,
        { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
        { NULL, 0, NULL, 0 },
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(long_options);
    struct service_tables *t = &o->pipeline.tables;
    unsigned int min, max;
    int c;

    set_defaults(o);
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL))
           != -1) {
        if (c == 'C' && !strcmp(optarg, "none")) {
            /* Open vSwitch's programs accept "none", and then any peer. */
            ovs_fatal(0, "--ca-cert=none: the switch must prove who it is");
        }
        switch (c) {
        case OPT_NODE: o->pipeline.node = optarg; break;
        case OPT_CLUSTER_CIDR:
            free(o->pipeline.pods);
            o->pipeline.pods = parse_cidrs("cluster-cidr", optarg, true,
                                           &o->pipeline.n_pods);
            break;
        case OPT_SERVICE_CIDR:
            free(o->pipeline.services);
            o->pipeline.services = parse_cidrs("service-cidr", optarg, true,
                                               &o->pipeline.n_services);
            break;
        case OPT_DIRECT_RETURN: t->direct = true; break;
        case OPT_GATEWAY_API: o->gateway_api = true; break;
        case OPT_GATEWAY_STATUS: o->gateway_status = optarg; break;
        case OPT_NODEPORT_ADDRESSES:
            free(o->pipeline.nodeports);
            o->pipeline.nodeports = parse_cidrs("nodeport-addresses", optarg,
                                                true,
                                                &o->pipeline.n_nodeports);
            break;
        case OPT_MASQUERADE_ADDRESS:
            parse_addresses("masquerade-address", optarg, &t->masq4,
                            &t->masq6);
            break;
        case OPT_NODE_MASQUERADE_ADDRESS:
            t->self_from_node = !strcmp(optarg, "podCIDRs");
            if (!t->self_from_node) {
                parse_addresses("node-masquerade-address", optarg, &t->self4,
                                &t->self6);
            }
            break;
        case OPT_MASQUERADE_PORTS:
            parse_range("masquerade-ports", optarg, 1, UINT16_MAX, &min,
                        &max);
            t->masq_min = min;
            t->masq_max = max;
            break;
        case OPT_FIRST_TABLE:
            t->first = parse_number("first-table", optarg, 1,
                                    255 - SERVICE_N_TABLES);
            break;
        case OPT_NEXT_TABLE:
            t->next = (!strcasecmp(optarg, "normal") ? -1
                       : parse_number("next-table", optarg, 0, 254));
            break;
        case OPT_ZONE:
            t->zone = parse_number("zone", optarg, 1, UINT16_MAX - 1);
            break;
        case OPT_REGISTER:
            t->reg = parse_number("register", optarg, 0, 15);
            break;
        case OPT_COOKIE: parse_cookie(optarg, &o->sync); break;
        case OPT_GROUPS:
            parse_range("groups", optarg, 1, 0xffffff00, &min, &max);
            o->sync.group_min = min;
            o->sync.group_max = max;
            break;
        case OPT_CONTROLLER_ID:
            o->reject.controller_id = parse_number("controller-id", optarg,
                                                   1, UINT16_MAX);
            break;
        case OPT_METER:
            o->sync.meter_id = parse_number("meter", optarg, 0, OFPM13_MAX);
            break;
        case OPT_STOCK: o->pipeline.stock = true; break;
        case OPT_SEED:
            t->seed = parse_number("seed", optarg, 0, UINT32_MAX);
            break;
        case OPT_CLEANUP: o->cleanup = true; break;
        case OPT_HEALTHZ_ADDRESS: o->healthz_address = optarg; break;
        case OPT_METRICS_ADDRESS: o->metrics_address = optarg; break;
        case OPT_METRICS_SERIES:
            o->metrics_series = parse_number("metrics-series", optarg, 0,
                                             1000000);
            break;
        case OPT_JOURNAL:
            o->journal_mb = parse_number("journal", optarg, 0, 65536);
            break;
        case OPT_PAGE_ADDRESS: o->page_address = optarg; break;
        case OPT_REJECT_RATE:
            o->reject.rate = parse_number("reject-rate", optarg, 0, 1000000);
            break;
        case OPT_PROBE_INTERVAL:
            o->sync.probe_interval = parse_number("probe-interval", optarg, 0,
                                                  86400);
            break;
        case OPT_UNIXCTL: o->unixctl_path = optarg; break;
        case 'h': usage();
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);
        case OPT_PEER_CA_CERT: stream_ssl_set_peer_ca_cert_file(optarg); break;

        KUBE_SOURCE_OPTION_HANDLERS(&o->source)
        DAEMON_OPTION_HANDLERS
        VLOG_OPTION_HANDLERS
        STREAM_SSL_OPTION_HANDLERS

        case '?': exit(EXIT_FAILURE);
        default: abort();
        }
    }
    free(short_options);

    if (argc - optind != 1) {
        ovs_fatal(0, "one SWITCH is needed; use --help for usage");
    }
    parse_switch(argv[optind], o);
    complete(o);
}

void
proxy_options_destroy(struct proxy_options *o)
{
    free(o->pipeline.services);
    free(o->pipeline.pods);
    free(o->pipeline.nodeports);
    free(o->switch_path);
}
