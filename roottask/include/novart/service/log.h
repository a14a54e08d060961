/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `log`: the serial console for many clients. Output comes out line by line, each with
 * its client's name before it; what is typed goes to one client, and Ctrl-T goes to the next. */
#ifndef NOVART_SERVICE_LOG_H
#define NOVART_SERVICE_LOG_H

#include "novart/session.h"

/** @defgroup log Service log
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | WRITE | bytes; the text | – | EINVAL: fewer bytes came than are said |
 * | LISTEN | – | – | – |
 * | READ | most bytes | bytes; the text, of one line at most | EAGAIN: nothing is typed yet |
 *
 * After an EAGAIN the session is notified of the next line.
 *
 * A line without its line feed stays with the service until that comes or the session ends. Control
 * characters come out as '?'. A client that has called LISTEN takes part in the keyboard.
 *  @{ */

#define NOVA_LOG_WRITE  (NOVA_OPERATION_FIRST + 0) /**< write text */
#define NOVA_LOG_LISTEN (NOVA_OPERATION_FIRST + 1) /**< take part in the keyboard */
#define NOVA_LOG_READ   (NOVA_OPERATION_FIRST + 2) /**< take a line that was typed */

#define NOVA_LOG_SWITCH_KEY 0x14 /**< Ctrl-T: the next client gets the keyboard */

/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Open a session.
 *
 * @param[out] log to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_log_open(struct nova_session **log);

/**
 * Write text.
 *
 * @param log   the session
 * @param text  any characters
 * @param bytes how many
 * @return as nova_session_call()
 */
int nova_log_write(struct nova_session *log, const char *text, size_t bytes);

/**
 * Wait for a line, or for as much of it as there is room for.
 *
 * @param log        the session
 * @param[out] text  the line with its line feed, not ended by a 0
 * @param max        bytes of room for it
 * @param[out] bytes how many came
 * @param deadline   TSC value; UINT64_MAX: none
 * @return 0, ETIMEDOUT, ECANCELED or ECONNRESET as nova_session_wait()
 */
int nova_log_read_line(struct nova_session *log, char *text, size_t max, size_t *bytes,
                       uint64_t deadline);

/**
 * Send stdout and stderr to the service, and read stdin from it, for the rest of the program's
 * life. Without it the text of a child goes to its parent's console.
 *
 * @retval 0        done
 * @retval EALREADY it was done before; else as nova_session_open()
 */
int nova_log_use(void);

#ifdef __cplusplus
}
#endif

#endif
