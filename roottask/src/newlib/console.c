/* SPDX-License-Identifier: BSD-2-Clause */
/* Destination of output, and source of input. */
#include "novart/console.h"

#include <errno.h>
#include <stdbool.h>

#include "newlib/borrowed_time.h"
#include "newlib/console_line.h"
#include "newlib/input.h"
#include "novart/sync.h"
#include "start/parent.h"
#include "start/start.h"

static struct nova_mutex mutex;
static const struct nova_console_output *output;
static struct nova_mutex keep_mutex; /* not held while text is written, because a write may take
                                      * long */
static bool unfinished; /* the last text had no line feed at its end; atomic, because threads on
                         * borrowed time have no lock */
static void (*keep)(const char *text, size_t bytes);

/* Writes to the initial destination, which applies without nova_console_use(). */
static int write_plain(const char *text, size_t bytes)
{
        if (!nova_program_is_root())
                return novart_parent_write(text, bytes);
        novart_serial_write(text, bytes);
        return 0;
}

static int write_locked(const char *text, size_t bytes)
{
        if (bytes)
                __atomic_store_n(&unfinished, text[bytes - 1] != '\n', __ATOMIC_RELAXED);
        if (output)
                return output->write(output->context, text, bytes);
        return write_plain(text, bytes);
}

bool novart_console_needs_no_lock(void)
{
        return !__atomic_load_n(&output, __ATOMIC_ACQUIRE);
}

void novart_console_write_borrowed(const char *text, size_t bytes)
{
        if (__atomic_exchange_n(&unfinished, false, __ATOMIC_RELAXED))
                write_plain("\n", 1);
        write_plain(text, bytes);
}

int nova_console_turn(nova_sel_t *sel)
{
        nova_mutex_lock(&mutex);

        const int error = novart_serial_turn(sel);

        nova_mutex_unlock(&mutex);
        return error;
}

void novart_console_keep_text(const char *text, size_t bytes)
{
        nova_mutex_lock(&keep_mutex);
        if (keep)
                keep(text, bytes);
        nova_mutex_unlock(&keep_mutex);
}

int nova_console_write(const char *text, size_t bytes)
{
        novart_console_keep_text(text, bytes);
        nova_mutex_lock(&mutex);

        const int error = write_locked(text, bytes);

        nova_mutex_unlock(&mutex);
        return error;
}

int novart_console_write_line(const char *text, size_t bytes)
{
        if (__atomic_load_n(&unfinished, __ATOMIC_RELAXED))
                nova_console_write("\n", 1);
        return nova_console_write(text, bytes);
}

bool novart_console_has_input(void)
{
        const struct nova_console_output *const from = __atomic_load_n(&output, __ATOMIC_ACQUIRE);

        return from ? from->read != NULL : nova_program_is_root() && novart_serial_present();
}

/* Reads without the lock of the output, so a thread that waits for a line does not block
 * writers. */
int nova_console_read(char *text, size_t bytes)
{
        nova_mutex_lock(&mutex);

        const struct nova_console_output *const from = output;

        nova_mutex_unlock(&mutex);
        if (from)
                return from->read ? from->read(from->context, text, bytes) : 0;
        if (!nova_program_is_root())
                return novart_parent_read(text, bytes);
        return novart_serial_read(text, bytes);
}

void nova_console_use(const struct nova_console_output *other)
{
        nova_mutex_lock(&mutex);
        __atomic_store_n(&output, other, __ATOMIC_RELEASE);
        nova_mutex_unlock(&mutex);
}

void nova_console_keep(void (*other)(const char *text, size_t bytes))
{
        nova_mutex_lock(&keep_mutex);
        keep = other;
        nova_mutex_unlock(&keep_mutex);
}
