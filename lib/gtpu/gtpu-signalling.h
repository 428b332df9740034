/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_SIGNALLING_H
#define GTPU_SIGNALLING_H 1

/* GTP-U signalling: what control path and data path share
 * =======================================================
 *
 * The data path answers messages; the control path tells how, and through
 * which ports answers can leave.
 *
 * Thread-safety: functions named "set" are for one thread at a time, the main
 * thread.  All others are for any thread and take no lock.  Who replaces the
 * underlay lets a grace period pass, in which every reader drops what it got,
 * before it frees the old one. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-limit.h"

/* What becomes of an Echo Request. */
enum gtpu_echo_mode {
    GTPU_ECHO_ANSWER,           /* The switch answers it (default). */
    GTPU_ECHO_CONTROLLER,       /* OpenFlow sees it, as other messages. */
    GTPU_ECHO_DROP,
};

extern _Atomic(int) gtpu_echo_mode__;

static inline enum gtpu_echo_mode
gtpu_echo_mode(void)
{
    return (enum gtpu_echo_mode) atomic_load_explicit(&gtpu_echo_mode__,
                                                      memory_order_relaxed);
}

void gtpu_set_echo_mode(enum gtpu_echo_mode);

/* Kinds of answers, each with limits of its own. */
enum gtpu_answer {
    GTPU_ANSWER_ECHO,           /* Echo Response. */
    GTPU_ANSWER_EXT,            /* Supported Extension Headers Notification. */
    GTPU_ANSWER_ERROR,          /* Error Indication. */
    GTPU_N_ANSWERS
};

/* Defaults, a second's worth of them at once: per peer, and in total. */
#define GTPU_ECHO_RATE_PEER 10
#define GTPU_ECHO_RATE 1000
#define GTPU_ERROR_RATE_PEER 10
#define GTPU_ERROR_RATE 100

/* Initializes the limits.  Before it is called, nothing is admitted. */
void gtpu_answers_set(const struct siphash_key *key);

/* Sets the rates of 'answer', in packets per second. */
void gtpu_answer_set_rates(enum gtpu_answer, uint32_t peer, uint32_t total);

/* See gtpu_limiter_admit(). */
enum gtpu_limit gtpu_answer_admit(enum gtpu_answer, const uint8_t peer[16],
                                  bool known, uint64_t now);

/* The bridges whose addresses tunnels end at. */

#define GTPU_BRIDGE_NAME_LEN 16

struct gtpu_bridge {
    char name[GTPU_BRIDGE_NAME_LEN]; /* With its null, padded with zeros. */
    uint32_t odp_port;          /* Its local port in the datapath. */
};

/* An IPv4 subnet that a bridge has an address in. */
struct gtpu_subnet {
    uint32_t address;           /* Host order, host bits 0. */
    uint32_t mask;
};

struct gtpu_underlay {
    size_t n_bridges;
    size_t n_subnets;
    const struct gtpu_subnet *subnets; /* In the same block of memory. */
    struct gtpu_bridge bridges[];
};

/* Returns an underlay that has room for as many bridges and subnets, all
 * zeros, which the caller frees by free(), or a null pointer if there is no
 * memory.  '*subnets' points to the latter, to be filled in. */
struct gtpu_underlay *gtpu_underlay_alloc(size_t n_bridges, size_t n_subnets,
                                          struct gtpu_subnet **subnets);

/* Returns true if 'a' and 'b', which may be null, say the same. */
bool gtpu_underlay_equal(const struct gtpu_underlay *a,
                         const struct gtpu_underlay *b);

extern _Atomic(struct gtpu_underlay *) gtpu_underlay__;

/* Returns the underlay, or a null pointer if there is none yet.  It stays
 * valid until the calling thread next quiesces. */
static inline const struct gtpu_underlay *
gtpu_underlay_get(void)
{
    return atomic_load_explicit(&gtpu_underlay__, memory_order_acquire);
}

/* Puts 'underlay', which may be null, in place and returns the one that it
 * replaces. */
struct gtpu_underlay *gtpu_underlay_set(struct gtpu_underlay *);

/* Stores in '*odp_port' the local port of bridge 'name'.  Returns false if
 * there is no such bridge. */
bool gtpu_underlay_find(const struct gtpu_underlay *, const char *name,
                        uint32_t *odp_port);

/* Returns true if 'address', in host order, is the broadcast address or the
 * number of one of the subnets. */
bool gtpu_underlay_is_broadcast(const struct gtpu_underlay *,
                                uint32_t address);

/* How many ports of type "gtpu" there are: with none, the control path has
 * nothing to do. */
extern _Atomic(unsigned int) gtpu_n_ports;

#endif /* gtpu-signalling.h */
