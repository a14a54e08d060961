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
 * | READ | – | number of expirations since the last READ; missed periods count as one |
 *
 * Error of ARM: EINVAL the period is below NOVA_TIMER_PERIOD_MIN.
 *
 * The service notifies the session each time the timer expires. ARM replaces an earlier ARM.
 *  @{ */

#define NOVA_TIMER_ARM    (NOVA_OPERATION_FIRST + 0) /**< set the timer */
#define NOVA_TIMER_CANCEL (NOVA_OPERATION_FIRST + 1) /**< stop it */
#define NOVA_TIMER_READ   (NOVA_OPERATION_FIRST + 2) /**< read the number of expirations */

#define NOVA_TIMER_PERIOD_MIN 100000 /**< shortest period, in ns */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens a session, which is a timer.
 *
 * @param[out] timer the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_timer_open(struct nova_session **timer);

/**
 * Sets the timer.
 * @code
 * struct nova_session *timer;
 * const uint64_t second = 1000000000;
 *
 * if (nova_timer_open(&timer) == 0 &&
 *     nova_timer_arm(timer, nova_time_ns() + second, second) == 0)
 *         while (nova_timer_wait(timer, NULL, UINT64_MAX) == 0)
 *                 puts("tick");
 * @endcode
 * @param timer    the session
 * @param deadline first expiration in ns since boot; may be in the past
 * @param period   in ns; 0: expires only once
 * @retval 0      done
 * @retval EINVAL the period is shorter than NOVA_TIMER_PERIOD_MIN; other values as for
 *                nova_session_call()
 */
int nova_timer_arm(struct nova_session *timer, uint64_t deadline, uint64_t period);

/** Stops the timer. @param timer the session  @return as nova_session_call() */
int nova_timer_cancel(struct nova_session *timer);

/**
 * Waits until the timer has expired since the last wait.
 *
 * @param timer      the session
 * @param[out] count number of expirations; may be NULL
 * @param limit      deadline in ns since boot; UINT64_MAX: none
 * @return 0, or an error of nova_session_wait() or nova_session_call()
 */
int nova_timer_wait(struct nova_session *timer, unsigned *count, uint64_t limit);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
