/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* No number of seconds that is longer makes sense. */
#define MAX_DIGITS 12

/* Takes a whole number from '*s' into '*value'.  Returns the number of its
 * digits, 0 if there is none or too many. */
static size_t
take_number(const char **s, long long int *value)
{
    size_t n = 0;

    *value = 0;
    while (isdigit((unsigned char) (*s)[n]) && n <= MAX_DIGITS) {
        *value = *value * 10 + ((*s)[n++] - '0');
    }
    *s += n;
    return n <= MAX_DIGITS ? n : 0;
}

/* Takes ".123", if it is there, from '*s', and adds it to '*when'.  What is
 * less than a millisecond is dropped. */
static bool
take_fraction(const char **s, long long int *when)
{
    long long int unit = 100;

    if (**s != '.') {
        return true;
    }
    ++*s;
    if (!isdigit((unsigned char) **s)) {
        return false;
    }
    for (; isdigit((unsigned char) **s); ++*s, unit /= 10) {
        *when += (**s - '0') * unit;
    }
    return true;
}

/* Takes "Z" or "+01:00" from '*s', and subtracts it from '*when'. */
static bool
take_offset(const char **s, long long int *when)
{
    unsigned int hours, minutes;
    int n = 0;

    if (**s == 'Z' || **s == 'z') {
        ++*s;
        return true;
    }
    if ((**s != '+' && **s != '-')
        || !ovs_scan(*s + 1, "%2u:%2u%n", &hours, &minutes, &n) || n != 5
        || hours > 23 || minutes > 59) {
        return false;
    }
    *when -= (**s == '+' ? 60000LL : -60000LL) * (hours * 60 + minutes);
    *s += 6;
    return true;
}

static bool
parse_rfc3339(const char *s, long long int *when)
{
    struct tm tm;

    memset(&tm, 0, sizeof tm);
    s = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!s) {
        return false;
    }
    *when = timegm(&tm) * 1000LL;
    return take_fraction(&s, when) && take_offset(&s, when) && !*s;
}

static bool
parse_epoch(const char *s, long long int *when)
{
    if (!take_number(&s, when)) {
        return false;
    }
    *when *= 1000;
    return take_fraction(&s, when) && !*s;
}

static bool
parse_ago(const char *s, long long int now, long long int *when)
{
    static const char units[] = "smhd";
    static const int seconds[] = { 1, 60, 3600, 86400 };

    *when = now;
    do {
        const char *unit;
        long long int n;

        if (!take_number(&s, &n) || !*s || !(unit = strchr(units, *s))) {
            return false;
        }
        *when -= n * seconds[unit - units] * 1000;
        s++;
    } while (*s);
    return true;
}

char *
service_time_parse(const char *s, long long int now, long long int *when)
{
    if (*s == '-' ? !parse_ago(s + 1, now, when)
        : !parse_rfc3339(s, when) && !parse_epoch(s, when)) {
        return xasprintf("\"%s\" is no time: give one such as "
                         "2026-03-01T12:00:00Z, 1772366400 or -5m", s);
    }
    if (*when > now) {
        return xasprintf("\"%s\" is still to come", s);
    }
    return NULL;
}

char *
service_time_format(long long int when)
{
    return xastrftime_msec("%Y-%m-%dT%H:%M:%S.###Z", when, true);
}
