/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_TIME_H
#define SERVICE_TIME_H 1

/* Times as operators write them
 * =============================
 *
 *     2026-03-01T12:00:00.5Z, 2026-03-01T13:00:00+01:00    RFC 3339
 *     1772366400.5                                         since 1970, in s
 *     -90s, -5m, -1h30m, -2d                               before now
 *
 * Thread-safety: functions are reentrant. */

/* Stores in '*when' the time that 's' says, in ms since 1970, where 'now' is
 * the present one.  Returns null, or what is wrong, for the caller to free. */
char *service_time_parse(const char *s, long long int now,
                         long long int *when);

/* Returns 'when' in RFC 3339's form, for the caller to free. */
char *service_time_format(long long int when);

#endif /* service-time.h */
