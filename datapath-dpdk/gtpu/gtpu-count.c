/* SPDX-License-Identifier: Apache-2.0 */

/* The coverage counters "gtpu_rx_NAME" and "gtpu_tx_NAME" of GTP-U messages.
 * Ports count their G-PDUs. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-count.h"

#include "coverage.h"
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "lib/gtpu/gtpu.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"

#define MESSAGES                                                            \
    MESSAGE(ECHO_REQUEST, echo_request)                                     \
    MESSAGE(ECHO_RESPONSE, echo_response)                                   \
    MESSAGE(ERROR_INDICATION, error_indication)                             \
    MESSAGE(EXT_NOTIFICATION, ext_notification)                             \
    MESSAGE(TUNNEL_STATUS, tunnel_status)                                   \
    MESSAGE(END_MARKER, end_marker)

#define MESSAGE(ENUM, NAME)                                                 \
    COVERAGE_DEFINE(gtpu_rx_##NAME);                                        \
    COVERAGE_DEFINE(gtpu_tx_##NAME);
MESSAGES
#undef MESSAGE
COVERAGE_DEFINE(gtpu_rx_unknown);
COVERAGE_DEFINE(gtpu_drop_not_asked);

void
gtpu_count_not_asked(int n)
{
    COVERAGE_ADD(gtpu_drop_not_asked, n);
}

void
gtpu_count_rx(uint8_t msg_type)
{
    switch (msg_type) {
#define MESSAGE(ENUM, NAME) \
    case GTPU_MSG_##ENUM: COVERAGE_INC(gtpu_rx_##NAME); break;
    MESSAGES
#undef MESSAGE
    default: COVERAGE_INC(gtpu_rx_unknown); break;
    }
}

void
gtpu_count_tx(uint8_t msg_type)
{
    switch (msg_type) {
#define MESSAGE(ENUM, NAME) \
    case GTPU_MSG_##ENUM: COVERAGE_INC(gtpu_tx_##NAME); break;
    MESSAGES
#undef MESSAGE
    }
}

static void
show(struct ds *s, const char *name, unsigned long long int rx,
     unsigned long long int tx)
{
    if (rx || tx) {
        ds_put_format(s, "  %-16s rx %10llu  tx %10llu\n", name, rx, tx);
    }
}

void
gtpu_count_show(struct ds *s)
{
#define MESSAGE(ENUM, NAME) \
    show(s, #NAME, counter_gtpu_rx_##NAME.total, \
         counter_gtpu_tx_##NAME.total);
    MESSAGES
#undef MESSAGE
    show(s, "unknown", counter_gtpu_rx_unknown.total, 0);
}

static void
put(struct json *json, const char *name, unsigned long long int rx,
    unsigned long long int tx)
{
    struct json *both = json_object_create();

    json_object_put(both, "rx", json_integer_create(rx));
    json_object_put(both, "tx", json_integer_create(tx));
    json_object_put(json, name, both);
}

struct json *
gtpu_count_json(void)
{
    struct json *json = json_object_create();

#define MESSAGE(ENUM, NAME) \
    put(json, #NAME, counter_gtpu_rx_##NAME.total, \
        counter_gtpu_tx_##NAME.total);
    MESSAGES
#undef MESSAGE
    put(json, "unknown", counter_gtpu_rx_unknown.total, 0);
    return json;
}
