/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's text output and input: the destination of stdout and stderr, and the source of
 * stdin. */
#ifndef NOVART_CONSOLE_H
#define NOVART_CONSOLE_H

#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An alternative destination for text, such as a session of the log service. */
struct nova_console_output {
        /** Writes all bytes of a piece. A piece consists of whole lines, unless a line is longer
         *  than the maximum size of a piece. Called by one thread at a time. @return 0 or an errno
         *  value */
        int (*write)(void *context, const char *text, size_t bytes);
        /** Waits for a line and copies it, including its line feed. May be NULL. @return number of
         *  bytes, 0 at the end, or a negative errno value */
        int (*read)(void *context, char *text, size_t bytes);
        void *context; /**< first argument of both functions */
};

/**
 * Writes text. The text of one call stays together when several threads write.
 *
 * A root writes to the serial line COM1; a child to the destination of nova_console_use().
 * @param text, bytes the text and its length
 * @return 0, or the error of the output's function @c write or of nova_parent_write(); a part of
 *         the text may have been written
 */
int nova_console_write(const char *text, size_t bytes);

/**
 * Reads input. Waits for the end of a line or for @p bytes bytes.
 *
 * @param[out] text buffer
 * @param bytes      size of the buffer in bytes
 * @return number of bytes; 0: no more input; negative: the result of the output's function @c read
 */
int nova_console_read(char *text, size_t bytes);

/**
 * Shares the serial line with other programs. For roots only.
 *
 * @param[out] sel a semaphore for another program that writes to the serial line. The program
 *                 does a down before each line of text and an up after it. The counter is 1 while
 *                 no program writes. Programs should not wait for it longer than a second
 * @retval 0      from now on this program uses the semaphore
 * @retval ENOMEM no selector or kernel memory is left
 * @retval ENOSYS the program is not a root
 */
int nova_console_turn(nova_sel_t *sel);

/**
 * Redirects text output and input.
 * @code
 * extern int write_line(void *context, const char *text, size_t bytes);
 * static const struct nova_console_output output = {.write = write_line};
 *
 * nova_console_use(&output);
 * puts("goes to write_line()");
 * @endcode
 * @param other must stay valid; NULL: the initial destination
 */
void nova_console_use(const struct nova_console_output *other);

/**
 * Passes a copy of all text to a function before the text is written: the program's own text, and
 * the lines of its children.
 *
 * @param keep called by one thread at a time; must not wait and must not write. NULL: none
 */
void nova_console_keep(void (*keep)(const char *text, size_t bytes));

#ifdef __cplusplus
}
#endif

#endif
