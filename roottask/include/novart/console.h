/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the program's text goes: stdout and stderr end here. */
#ifndef NOVART_CONSOLE_H
#define NOVART_CONSOLE_H

#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Another way out for text, such as a session of the log service. */
struct nova_console_output {
        /** Writes all bytes of a piece that never ends in the middle of a line, unless the line is
         *  longer than a piece can be. Called by one thread at a time. @return 0 or an errno */
        int (*write)(void *context, const char *text, size_t bytes);
        /** Waits for a line and copies it, its end included. @return bytes, 0 at the end, or a
         *  negative errno. May be NULL */
        int (*read)(void *context, char *text, size_t bytes);
        void *context; /**< handed to both */
};

/**
 * Write text. Threads do not tear each other's calls.
 *
 * A root writes to the serial line COM1; a child to what nova_console_use() said.
 * @param text, bytes what to write, and how many bytes it has
 * @return 0, or what the output's function @c write says: nothing was written
 */
int nova_console_write(const char *text, size_t bytes);

/**
 * Read what arrived, waiting for the end of a line or until @p bytes are there.
 *
 * @param[out] text where it goes
 * @param bytes      room there
 * @return number of bytes; 0: nothing will come; less than 0: what the output's function @c read
 * says
 */
int nova_console_read(char *text, size_t bytes);

/**
 * Take turns with other programs at the serial line. For roots.
 *
 * @param[out] sel a semaphore with the counter 1 while nobody writes, for a program that drives the
 *                 line, too: down before a line, up after it. Whoever waits for it should not wait
 *                 for more than a second
 * @retval 0      from now on this program takes turns
 * @retval ENOMEM no selector or kernel memory is left
 * @retval ENOSYS the program is not a root
 */
int nova_console_turn(nova_sel_t *sel);

/** Send text elsewhere from now on. @param other stays the caller's and must stay valid; NULL: as
 *  at the start */
void nova_console_use(const struct nova_console_output *other);

#ifdef __cplusplus
}
#endif

#endif
