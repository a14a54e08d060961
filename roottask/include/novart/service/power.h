/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `power`: resets the machine or powers it off, for programs that are granted the
 * service.
 */
#ifndef NOVART_SERVICE_POWER_H
#define NOVART_SERVICE_POWER_H

#include "novart/session.h"

/** @defgroup power Service power
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | RESET | – | none if it works | EPERM, ENOTSUP |
 * | OFF | – | none if it works | EPERM, ENOTSUP |
 *
 * EPERM: the service has no permission. ENOTSUP: the machine has no such function.
 *  @{ */

#define NOVA_POWER_RESET (NOVA_OPERATION_FIRST + 0) /**< reset the machine */
#define NOVA_POWER_OFF   (NOVA_OPERATION_FIRST + 1) /**< power it off */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens a session.
 *
 * @param[out] power the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_power_open(struct nova_session **power);

/**
 * Resets the machine.
 *
 * @param power the session
 * @return only if that fails: EPERM, ENOTSUP, or as nova_session_call()
 */
int nova_power_reset(struct nova_session *power);

/**
 * Powers the machine off.
 * @code
 * struct nova_session *power;
 *
 * if (nova_power_open(&power) == 0)
 *         printf("still here: %s\n", strerror(nova_power_off(power)));
 * @endcode
 * @param power the session
 * @return only if that fails: EPERM, ENOTSUP, or as nova_session_call()
 */
int nova_power_off(struct nova_session *power);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
