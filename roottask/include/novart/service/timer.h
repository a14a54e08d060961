/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `timer`: one timer per session, for many clients. Times are nanoseconds since boot,
 * as nova_time_ns() returns them. */
#ifndef NOVART_SERVICE_TIMER_H
#define NOVART_SERVICE_TIMER_H

#include "novart/session.h"

/** @defgroup timer Service timer
 *
 * | operation | words | answer |
 * |---|---|---|
 * | ARM | deadline low, high; period low, high (32 bits each; period 0: once) | – |
 * | CANCEL | – | – |
 * | READ | – | how often it expired since the last READ; missed periods count as one |
 *
 * Error of ARM: EINVAL a period below NOVA_TIMER_PERIOD_MIN.
 *
 * Each time the timer expires the session is notified. ARM replaces what was armed before.
 *  @{ */

#define NOVA_TIMER_ARM    (NOVA_OPERATION_FIRST + 0) /**< set the timer */
#define NOVA_TIMER_CANCEL (NOVA_OPERATION_FIRST + 1) /**< stop it */
#define NOVA_TIMER_READ   (NOVA_OPERATION_FIRST + 2) /**< how often has it expired? */

#define NOVA_TIMER_PERIOD_MIN 100000 /**< shortest period, in ns */

/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Open a session, which is a timer.
 *
 * @param[out] timer to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_timer_open(struct nova_session **timer);

/**
 * Set the timer.
 *
 * @param timer    the session
 * @param deadline when it expires first, in ns since boot; may have passed
 * @param period   ns from then on; 0: only once
 * @retval 0      done
 * @retval EINVAL the period is shorter than NOVA_TIMER_PERIOD_MIN; else as nova_session_call()
 */
int nova_timer_arm(struct nova_session *timer, uint64_t deadline, uint64_t period);

/** Stop the timer. @param timer the session  @return as nova_session_call() */
int nova_timer_cancel(struct nova_session *timer);

/**
 * Wait until the timer has expired since the last wait.
 *
 * @param timer      the session
 * @param[out] count how often; may be NULL
 * @param limit      give up at this moment, in ns since boot; UINT64_MAX: never
 * @return 0, ETIMEDOUT, ECANCELED or ECONNRESET as nova_session_wait()
 */
int nova_timer_wait(struct nova_session *timer, unsigned *count, uint64_t limit);

#ifdef __cplusplus
}
#endif

#endif
