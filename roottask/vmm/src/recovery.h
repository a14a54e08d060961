/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery of a guest's device whose service has ended. Each device has a thread of its own, which
 * waits here. */
#ifndef NOVAVMM_SRC_RECOVERY_H
#define NOVAVMM_SRC_RECOVERY_H

/* Opens the session of @p device again: calls @p reopen until it succeeds, or fails with an error
 * that does not pass. May wait for ever. Holds no lock between the calls. After an error, the
 * session may be half open, so the caller must not use it.
 * @return 0, or an error that does not pass */
int novavmm_recovery_wait(int (*reopen)(void *device), void *device);

#endif
