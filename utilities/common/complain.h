/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPLAIN_H
#define COMPLAIN_H 1

/* Warnings about input that others wrote, each logged once
 * ========================================================
 *
 * A faulty object, file or switch stays faulty, and a program meets the fault
 * again and again.  The log names each fault once.
 *
 * Attack model: the text of a warning may come from anybody.  Control
 * characters become spaces, a warning has at most 300 octets, and at most 60
 * warnings a minute are logged.  At most 1,000 warnings are remembered.
 *
 * Thread-safety: none; only one thread may call. */

#include <stdbool.h>
#include "openvswitch/compiler.h"

bool complain_once(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

#endif /* complain.h */
