/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_LOCK_H
#define CNI_LOCK_H 1

/* One command at a time on an attachment
 * ======================================
 *
 * An ADD that is killed may leave an IPAM plugin that still runs.  The lock
 * goes with it, so that a DEL gives back what that plugin takes.
 *
 * It is a lock on one octet of a file in Open vSwitch's run-time folder, and
 * there is nothing in the file.  Without the folder there is no lock, and no
 * switch either.
 *
 * Thread-safety: none; only one thread may call. */

struct cni_attachment;

int cni_lock_take(const struct cni_attachment *);

#endif /* cni-lock.h */
