/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "complain.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/vlog.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(complain);

/* Warnings that are remembered.  One more, and all of them are forgotten. */
#define MAX_COMPLAINTS 1000

/* Octets of a warning. */
#define MAX_COMPLAINT_LEN 300

/* Logs a warning.  The same text is logged at level DBG from then on.  When
 * the rate limit is reached, the warning is not remembered: the next call with
 * the same text tries again.  Returns true if the warning was logged now. */
bool
complain_once(const char *format, ...)
{
    static struct sset complaints = SSET_INITIALIZER(&complaints);
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    va_list args;
    char *message;
    bool logged = false;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    for (char *p = message; *p; p++) {
        if ((unsigned char) *p < ' ' || *p == 0x7f) {
            *p = ' ';
        }
    }
    if (strlen(message) > MAX_COMPLAINT_LEN) {
        memcpy(&message[MAX_COMPLAINT_LEN - 3], "...", 4);
    }

    if (sset_count(&complaints) >= MAX_COMPLAINTS) {
        sset_clear(&complaints);
    }
    if (!sset_contains(&complaints, message)
        && !vlog_should_drop(&this_module, VLL_WARN, &rl)) {
        sset_add(&complaints, message);
        VLOG_WARN("%s", message);
        logged = true;
    } else {
        VLOG_DBG("%s", message);
    }
    free(message);
    return logged;
}
