/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `log`: the serial console for many clients. Each line of output begins with its
 * client's name. Keyboard input goes to one client; Ctrl-T switches to the next. */
#ifndef NOVART_SERVICE_LOG_H
#define NOVART_SERVICE_LOG_H

#include "novart/session.h"

/** @defgroup log Service log
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | WRITE | bytes; the text | – | EINVAL: the text is shorter than the byte count, or too long |
 * | LISTEN | – | – | – |
 * | READ | maximum bytes | bytes; the text, at most one line | EAGAIN: no line yet |
 *
 * After EAGAIN the service notifies the session of the next line.
 *
 * The service holds an incomplete line until its line feed arrives or the session ends. It prints
 * control characters as '?'. A client that has called LISTEN can get keyboard input.
 *  @{ */

#define NOVA_LOG_WRITE  (NOVA_OPERATION_FIRST + 0) /**< write text */
#define NOVA_LOG_LISTEN (NOVA_OPERATION_FIRST + 1) /**< ask for keyboard input */
#define NOVA_LOG_READ   (NOVA_OPERATION_FIRST + 2) /**< read a typed line */

#define NOVA_LOG_TEXT_WORDS 64 /**< maximum number of words of text in a WRITE */

#define NOVA_LOG_SWITCH_KEY 0x14 /**< Ctrl-T: the next client gets the keyboard */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens a session.
 *
 * @param[out] log the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_log_open(struct nova_session **log);

/**
 * Writes text.
 *
 * @param log   the session
 * @param text  any characters
 * @param bytes number of bytes
 * @return as nova_session_call()
 */
int nova_log_write(struct nova_session *log, const char *text, size_t bytes);

/**
 * Waits for a line of keyboard input and reads as much of it as fits.
 * @code
 * struct nova_session *log;
 * char line[80];
 * size_t bytes;
 *
 * if (nova_log_open(&log) == 0 &&
 *     nova_log_read_line(log, line, sizeof(line), &bytes, UINT64_MAX) == 0)
 *         printf("%.*s", (int)bytes, line);
 * @endcode
 * @param log        the session
 * @param[out] text  the line with its line feed, without a terminating 0
 * @param max        size of the buffer in bytes
 * @param[out] bytes number of bytes read
 * @param deadline   TSC value; UINT64_MAX: none
 * @return 0, or an error of nova_session_wait() or nova_session_call()
 */
int nova_log_read_line(struct nova_session *log, char *text, size_t max, size_t *bytes,
                       uint64_t deadline);

/**
 * Connects stdout, stderr and stdin to the service until the program ends. Without this call, the
 * text of a child goes to its parent's console.
 * @code
 * if (nova_log_use() == 0)
 *         puts("Each line has the program's name.");
 * @endcode
 * @retval 0        done
 * @retval EALREADY the call was made before; other values as for nova_session_open()
 */
int nova_log_use(void);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
