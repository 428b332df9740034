/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_HOOKS_H
#define DATAPATH_HOOKS_H 1

#include <stdbool.h>
#include <stdint.h>

/* What the hooks in Open vSwitch's data path call
 * ===============================================
 *
 * The semantic patches in hooks.cocci, here and in lib/, insert calls of these
 * functions, and of no others, into Open vSwitch's lib/. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct conn;
struct conn_key;
struct conntrack;
struct dp_netdev_flow;
struct dp_netdev_pmd_thread;
struct dp_packet;
struct dp_packet_batch;
struct ds;
struct flow;
struct flow_tnl;
struct geneve_opt;
struct mf_field;
struct nat_action_info_t;
struct netdev;
struct netdev_stats;
struct netdev_tnl_build_header_params;
struct netdev_tunnel_config;
struct nlattr;
struct ofpbuf;
struct ovs_action_push_tnl;
struct ovs_key_ct_labels;
struct smap;
struct udp_header;

/* The datapath action lb(ID); see lb-action.c. */
void lb_action_init(void);
void lb_action_execute(struct dp_packet_batch *, const struct nlattr *);
void lb_action_format(const struct nlattr *, struct ds *);
int lb_action_parse(const char *, struct ofpbuf *actions);

/* The connection tracker's NAT; see ct-nat.c. */
bool ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *);
void ct_nat_icmp6_outer(struct dp_packet *, const struct conn_key *,
                        uint16_t nat_action);

/* Packets of no connection that is to be; see ct-new.c. */
typedef bool ct_valid_new_func(struct dp_packet *, struct conn_key *);
bool ct_new_uncommitted(struct conntrack *, struct dp_packet *,
                        struct conn_key *, const struct conn *, bool commit,
                        ct_valid_new_func *);

/* SCTP in the connection tracker; see ct-sctp.c. */
bool ct_sctp_extract(struct conn_key *, const void *data, size_t size,
                     const size_t *min_size);
void ct_sctp_set_ports(struct dp_packet *, const struct conn_key *);

/* The tunnel type "gtpu".
 *
 * The first three are the class's functions, for gtpu-encap.c (main or handler
 * thread; PMD thread) and gtpu-decap.c (PMD thread).  gtpu_vport_pop_header()
 * owns 'packet', and returns it or a null pointer.  It may have become an
 * answer, which comes from another port than the tunnel's: see gtpu-reply.c.
 *
 * The others are told of each tunnel port, whatever its type, and are in
 * gtpu-vport.c (main thread). */
int gtpu_vport_build_header(const struct netdev *,
                            struct ovs_action_push_tnl *,
                            const struct netdev_tnl_build_header_params *);
void gtpu_vport_push_header(const struct netdev *, struct dp_packet *,
                            const struct ovs_action_push_tnl *);
bool gtpu_vport_pushes_g_pdu(const struct ovs_action_push_tnl *);
bool gtpu_vport_may_push(struct dp_packet *,
                         const struct ovs_action_push_tnl *);
struct dp_packet *gtpu_vport_pop_header(struct dp_packet *packet);
odp_port_t gtpu_vport_pop_port(const struct dp_packet *, odp_port_t tunnel);
void gtpu_vport_configured(const struct netdev *,
                           const struct netdev_tunnel_config *);
void gtpu_vport_destructed(const struct netdev *);

/* Adds to the port's statistics what was dropped. */
void gtpu_vport_get_stats(const struct netdev *, struct netdev_stats *);

/* Which of the bits of 'nw_frag' the packets for tunnel device 'name' must not
 * have set: the first fragment of a packet for a GTP-U tunnel is for it, too,
 * to be dropped and counted there.  See gtpu-decap.c. */
uint8_t gtpu_tunnel_frag_mask(const char *name);

/* Makes the packets, just received, contiguous in memory, of which only DPDK
 * has others; see gtpu-linear.c. */
void gtpu_linearize_batch(struct dp_packet_batch *);

/* The options that "gtpu" has and no other type.
 *
 * gtpu_option_is_known() tells whether 'key' is one.  gtpu_options_check()
 * returns 0, or an errno value after it appended to 'errors' what is wrong.
 * gtpu_vport_set_options() puts valid options into effect, and returns whether
 * they have changed; gtpu_vport_get_options() adds them to 'args'. */
bool gtpu_option_is_known(const struct netdev *, const char *key);
int gtpu_options_check(const struct netdev *, const struct smap *args,
                       struct ds *errors);
bool gtpu_vport_set_options(const struct netdev *, const struct smap *args);
void gtpu_vport_get_options(const struct netdev *, struct smap *args);

/* Adds the state of the path to the port's peer to 'status'. */
void gtpu_vport_get_status(const struct netdev *, struct smap *status);

/* Writes the options in 'flow' to 'opts' for a Geneve tunnel: all but those
 * that stand for GTP-U's extension headers.  Otherwise as
 * tun_metadata_to_geneve_header(). */
int gtpu_to_geneve_header(const struct flow_tnl *flow,
                          struct geneve_opt *opts, bool *crit_opt);

/* The GTP-U header in the datapath action tnl_push, as text; see
 * gtpu-push-text.c. */
void gtpu_push_format(const struct ovs_action_push_tnl *, const void *gtpu,
                      struct ds *);
bool gtpu_push_is_next(const char *s);
bool gtpu_push_parse(const char *s, int *n, struct ovs_action_push_tnl *,
                     struct udp_header *, uint8_t *flags, uint8_t *msg_type,
                     uint32_t *teid);
size_t gtpu_push_len(const void *gtpu);

/* Returns true if what 'flow' says is Ethernet has lost its Ethernet header,
 * as 'base' says, for a port that takes IP packets alone. */
bool gtpu_has_lost_eth(const struct flow *, const struct flow *base);

/* OpenFlow matches on GTP-U's flags and message type; see gtpu-match.c. */
void gtpu_match_format(const struct flow_tnl *, const struct flow_tnl *mask,
                       struct ds *);
const char *gtpu_field_name(const char *);
bool gtpu_field_is_writable(const struct mf_field *);

/* The fused flow cache; see datapath-dpdk/fuse/fuse.h.
 *
 * What a hook adds to "struct conn": the entries that depend on the
 * connection, and what has become of it; see fuse-conn.c. */
#define FUSE_CONN_ENTRIES 4
struct fuse_conn {
    _Atomic(uintptr_t) entries[FUSE_CONN_ENTRIES];
    atomic_bool gone;
    atomic_bool relaxed;         /* Its TCP window is not tracked any more. */
};

typedef bool fuse_output_func(struct dp_netdev_pmd_thread *,
                              struct dp_packet_batch *, bool should_steal,
                              odp_port_t);

/* Whether the cache is, or was since the threads last looked, on. */
extern atomic_bool fuse_active;

void fuse_init(fuse_output_func *);
void fuse_set_config(const struct smap *other_config);
void fuse_port_set_config(const void *dp, odp_port_t,
                          const struct smap *config);

/* PMD thread, or main thread with 'non_pmd_mutex'. */
bool fuse_input__(struct dp_netdev_pmd_thread *, struct dp_packet_batch *,
                  odp_port_t in_port);
void fuse_run__(struct dp_netdev_pmd_thread *);
void fuse_thread_destroy(struct dp_netdev_pmd_thread *);

/* Any thread. */
void fuse_flow_changed(struct dp_netdev_pmd_thread *, struct dp_netdev_flow *);
void fuse_tunnels_changed(void);
void fuse_conn_gone(struct conn *);
void fuse_conn_update(struct conn *, const struct dp_packet *);
void fuse_conn_set_mark(const struct dp_packet *, struct conn *,
                        uint32_t value, uint32_t mask);
void fuse_conn_set_label(const struct dp_packet *, struct conn *,
                         const struct ovs_key_ct_labels *value,
                         const struct ovs_key_ct_labels *mask);
bool fuse_conn_is_relaxed(const struct conn *);

/* Takes from 'batch' the packets, just received on 'in_port', whose outcome is
 * known.  Returns true if none is left. */
static inline bool
fuse_input(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
           odp_port_t in_port)
{
    return (OVS_UNLIKELY(atomic_load_explicit(&fuse_active,
                                              memory_order_relaxed))
            && fuse_input__(pmd, batch, in_port));
}

/* Does what is due from time to time. */
static inline void
fuse_run(struct dp_netdev_pmd_thread *pmd)
{
    if (OVS_UNLIKELY(atomic_load_explicit(&fuse_active,
                                          memory_order_relaxed))) {
        fuse_run__(pmd);
    }
}

/* What is recorded while a packet that is to be learned takes the ordinary
 * path, alone; see fuse-record.c. */
struct fuse_record;
extern __thread struct fuse_record *fuse_record_current;

void fuse_record_flow__(struct dp_netdev_flow *,
                        const struct dp_packet_batch *);
void fuse_record_output__(const struct dp_packet_batch *, odp_port_t);
void fuse_record_upcall__(void);
void fuse_record_pop__(const struct netdev *);
void fuse_record_conn__(struct conn *, const struct dp_packet *);
void fuse_record_expiration__(struct conntrack *, struct conn *, int timeout);
void fuse_record_lb__(uint32_t id, uint32_t version, bool sticky,
                      uint64_t flow, bool pure);

#define FUSE_RECORD(CALL)                       \
    do {                                        \
        if (OVS_UNLIKELY(fuse_record_current)) { \
            CALL;                               \
        }                                       \
    } while (0)

static inline void
fuse_record_flow(struct dp_netdev_flow *flow,
                 const struct dp_packet_batch *batch)
{
    FUSE_RECORD(fuse_record_flow__(flow, batch));
}

static inline void
fuse_record_output(const struct dp_packet_batch *batch, odp_port_t port)
{
    FUSE_RECORD(fuse_record_output__(batch, port));
}

static inline void
fuse_record_upcall(void)
{
    FUSE_RECORD(fuse_record_upcall__());
}

static inline void
fuse_record_pop(const struct netdev *netdev)
{
    FUSE_RECORD(fuse_record_pop__(netdev));
}

static inline void
fuse_record_conn(struct conn *conn, const struct dp_packet *packet)
{
    FUSE_RECORD(fuse_record_conn__(conn, packet));
}

static inline void
fuse_record_expiration(struct conntrack *ct, struct conn *conn, int timeout)
{
    FUSE_RECORD(fuse_record_expiration__(ct, conn, timeout));
}

#endif /* datapath-hooks.h */
