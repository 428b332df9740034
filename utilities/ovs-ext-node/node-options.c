/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-options.h"

#include <getopt.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "dirs.h"
#include "node-flows.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-value.h"

#define DEFAULT_HOST_PORT "ovs-host0"
#define DEFAULT_TUNNEL_PORT "ovs-geneve0"
#define DEFAULT_SERVICES 60
#define PROBE_INTERVAL 15       /* Seconds. */

/* of-sync asks for a range, of which nothing is used: "no", then zeros. */
#define GROUP 0x6e6f0000

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: pods of a Kubernetes node as OpenFlow\n\
usage: %s [OPTIONS] --node=NAME BRIDGE\n\
where BRIDGE is a bridge of this machine.\n", program_name, program_name);
    daemon_usage();
    vlog_usage();
    printf("\n\
Source of Nodes, one of:\n\
" KUBE_SOURCE_USAGE "\n\
The node:\n\
  --node=NAME             our Node object's name\n\
  --between=geneve|routes how pods of other nodes are reached (default:\n\
                          geneve)\n\
  --mtu=MTU               largest MTU of a pod (default: what the network\n\
                          between nodes carries)\n\
  --host-routes=LIST      address ranges that the host reaches through the\n\
                          switch, such as ClusterIPs\n\
  --node-ports=FIRST-LAST node ports that are asked from outside\n\
  --direct-return         carry what ovs-kube-proxy hands over to other\n\
                          nodes\n\
\n\
Place in the switch:\n\
  --services=TABLE        first table of ovs-kube-proxy (default: %d)\n\
  --host-port=NAME        the host's port (default: %s)\n\
  --tunnel-port=NAME      port of the tunnels (default: %s)\n\
  --database=REMOTE       Open vSwitch's database\n\
\n\
Operation:\n\
  --cleanup               remove our flows, ports, routes and rules,\n\
                          and exit\n\
  --features=DIR          describe the switch there, for\n\
                          node-feature-discovery\n\
  --healthz-address=[HOST]:PORT  serve /healthz and /livez over HTTP\n\
  --metrics-address=[HOST]:PORT  serve /metrics over HTTP\n\
  --unixctl=SOCKET        override default control socket name\n\
  -h, --help              display this help message\n\
  -V, --version           display version information\n",
           DEFAULT_SERVICES, DEFAULT_HOST_PORT, DEFAULT_TUNNEL_PORT);
    exit(EXIT_SUCCESS);
}

/* Returns the number 's', the argument of 'option'.  Ends the program if it is
 * not between 'min' and 'max'. */
static unsigned int
parse_number(const char *option, const char *s, int min, int max)
{
    int value;

    if (!str_to_int(s, 10, &value) || value < min || value > max) {
        ovs_fatal(0, "--%s: \"%s\" is not a number from %d to %d", option, s,
                  min, max);
    }
    return value;
}

static const char *
parse_port(const char *option, const char *s)
{
    if (!s[0] || strlen(s) >= IFNAMSIZ || strpbrk(s, "/ ")) {
        ovs_fatal(0, "--%s: \"%s\" is not the name of an interface", option,
                  s);
    }
    return s;
}

static void
parse_host_routes(const char *s, struct node_options *o)
{
    char *copy = xstrdup(s), *save = NULL;
    size_t n = 0;

    for (char *item = strtok_r(copy, ", ", &save); item;
         item = strtok_r(NULL, ", ", &save)) {
        o->host_routes = xrealloc(o->host_routes,
                                  (n + 1) * sizeof *o->host_routes);
        if (!kv_cidr(item, &o->host_routes[n++])) {
            ovs_fatal(0, "--host-routes: \"%s\" is not an address range, "
                      "ADDRESS/LENGTH", item);
        }
    }
    free(copy);
    o->pipeline.n_host_routes = n;
}

static void
parse_node_ports(const char *s, struct node_ports *ports)
{
    unsigned int first, last;
    int n = 0;

    if (!ovs_scan(s, "%u-%u%n", &first, &last, &n) || s[n] || !first
        || first > last || last > UINT16_MAX) {
        ovs_fatal(0, "--node-ports: \"%s\" is not a range of ports, "
                  "FIRST-LAST", s);
    }
    *ports = (struct node_ports) { first, last };
}

static void
parse_between(const char *s, bool *tunnels)
{
    *tunnels = !strcmp(s, "geneve");
    if (!*tunnels && strcmp(s, "routes")) {
        ovs_fatal(0, "--between: \"%s\" is neither geneve nor routes", s);
    }
}

static void
set_defaults(struct node_options *o)
{
    memset(o, 0, sizeof *o);
    o->pipeline.host = DEFAULT_HOST_PORT;
    o->pipeline.tunnel = DEFAULT_TUNNEL_PORT;
    o->pipeline.services = DEFAULT_SERVICES;
    o->sync.cookie = NODE_COOKIE;
    o->sync.cookie_mask = NODE_COOKIE_MASK;
    o->sync.group_min = o->sync.group_max = GROUP;
    o->sync.first_table = NODE_ENTRY;
    o->sync.n_tables = NODE_N_TABLES;
    o->sync.probe_interval = PROBE_INTERVAL;
    o->sync.meter_id = NODE_METER;
    o->sync.n_meters = NODE_N_METERS;
    o->sync.meter_rate = NODE_METER_RATE;
}

/* Completes 'o', with 'bridge'.  Ends the program if options contradict each
 * other. */
static void
complete(struct node_options *o, const char *bridge, bool tunnels)
{
    const char *fault = (o->cleanup ? NULL
                         : kube_source_check(&o->source, false));

    if (fault) {
        ovs_fatal(0, "%s", fault);
    } else if (!o->cleanup && !o->node) {
        ovs_fatal(0, "--node is missing; use --help for usage");
    } else if (strpbrk(bridge, ":/")) {
        ovs_fatal(0, "\"%s\" is not the name of a bridge of this machine",
                  bridge);
    } else if (!strcmp(o->pipeline.host, o->pipeline.tunnel)) {
        ovs_fatal(0, "--host-port and --tunnel-port are the same");
    } else if (o->pipeline.direct && !tunnels) {
        ovs_fatal(0, "--direct-return needs --between=geneve");
    }
    if (!tunnels) {
        o->pipeline.tunnel = NULL;
    }
    if (!o->database.remote) {
        o->database_path = xasprintf("unix:%s/db.sock", ovs_rundir());
        o->database.remote = o->database_path;
    }
    o->database.bridge = o->pipeline.bridge = bridge;
    o->switch_path = xasprintf("unix:%s/%s.mgmt", ovs_rundir(), bridge);
    o->sync.remote = o->switch_path;
    if (o->cleanup) {
        o->sync.meter_rate = 0;
    }
    o->sync.other_table = o->pipeline.services;
    o->pipeline.host_routes = o->host_routes;
}

/* Parses the command line into 'o', for the caller to destroy.  Ends the
 * program on a fault, and after --help and --version. */
void
node_options_parse(int argc, char *argv[], struct node_options *o)
{
    enum {
        OPT_NODE = UCHAR_MAX + 1, OPT_BETWEEN, OPT_MTU, OPT_HOST_ROUTES,
        OPT_NODE_PORTS, OPT_DIRECT_RETURN, OPT_SERVICES, OPT_HOST_PORT,
        OPT_TUNNEL_PORT, OPT_DATABASE, OPT_FEATURES, OPT_CLEANUP,
        OPT_HEALTHZ_ADDRESS, OPT_METRICS_ADDRESS, OPT_UNIXCTL,
        KUBE_SOURCE_OPTION_ENUMS,
        DAEMON_OPTION_ENUMS,
        VLOG_OPTION_ENUMS,
    };
    static const struct option long_options[] = {
        { "node", required_argument, NULL, OPT_NODE },
        { "between", required_argument, NULL, OPT_BETWEEN },
        { "mtu", required_argument, NULL, OPT_MTU },
        { "host-routes", required_argument, NULL, OPT_HOST_ROUTES },
        { "node-ports", required_argument, NULL, OPT_NODE_PORTS },
        { "direct-return", no_argument, NULL, OPT_DIRECT_RETURN },
        { "services", required_argument, NULL, OPT_SERVICES },
        { "host-port", required_argument, NULL, OPT_HOST_PORT },
        { "tunnel-port", required_argument, NULL, OPT_TUNNEL_PORT },
        { "database", required_argument, NULL, OPT_DATABASE },
        { "features", required_argument, NULL, OPT_FEATURES },
        { "cleanup", no_argument, NULL, OPT_CLEANUP },
        { "healthz-address", required_argument, NULL, OPT_HEALTHZ_ADDRESS },
        { "metrics-address", required_argument, NULL, OPT_METRICS_ADDRESS },
        { "unixctl", required_argument, NULL, OPT_UNIXCTL },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        KUBE_SOURCE_LONG_OPTIONS,
        DAEMON_LONG_OPTIONS,
        VLOG_LONG_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(long_options);
    bool tunnels = true;
    int c;

    set_defaults(o);
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL))
           != -1) {
        switch (c) {
        case OPT_NODE: o->node = o->pipeline.node = optarg; break;
        case OPT_BETWEEN: parse_between(optarg, &tunnels); break;
        case OPT_MTU:
            o->pipeline.mtu = parse_number("mtu", optarg, 68, 65535);
            break;
        case OPT_HOST_ROUTES: parse_host_routes(optarg, o); break;
        case OPT_NODE_PORTS:
            parse_node_ports(optarg, &o->pipeline.node_ports);
            break;
        case OPT_DIRECT_RETURN: o->pipeline.direct = true; break;
        case OPT_SERVICES:
            o->pipeline.services = parse_number("services", optarg,
                                                NODE_N_TABLES, 254);
            break;
        case OPT_HOST_PORT:
            o->pipeline.host = parse_port("host-port", optarg);
            break;
        case OPT_TUNNEL_PORT:
            o->pipeline.tunnel = parse_port("tunnel-port", optarg);
            break;
        case OPT_DATABASE: o->database.remote = optarg; break;
        case OPT_FEATURES: o->features = optarg; break;
        case OPT_CLEANUP: o->cleanup = true; break;
        case OPT_HEALTHZ_ADDRESS: o->healthz_address = optarg; break;
        case OPT_METRICS_ADDRESS: o->metrics_address = optarg; break;
        case OPT_UNIXCTL: o->unixctl_path = optarg; break;
        case 'h': usage();
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);

        KUBE_SOURCE_OPTION_HANDLERS(&o->source)
        DAEMON_OPTION_HANDLERS
        VLOG_OPTION_HANDLERS

        case '?': exit(EXIT_FAILURE);
        default: OVS_NOT_REACHED();
        }
    }
    free(short_options);
    if (argc - optind != 1) {
        ovs_fatal(0, "one BRIDGE is needed; use --help for usage");
    }
    complete(o, argv[optind], tunnels);
}

/* Frees what 'o' holds. */
void
node_options_destroy(struct node_options *o)
{
    free(o->database_path);
    free(o->switch_path);
    free(o->host_routes);
}
