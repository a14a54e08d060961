/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes reports, one at a time. */
#include <string.h>

#include "fault/fault.h"
#include "newlib/console_line.h"
#include "novart/sync.h"
#include "novart/thread.h"

#define LINE_BYTES 128

static struct nova_mutex mutex;

/* Number + 1 of the CPU that prints; changes under the mutex. */
static nova_word_t printer;

static void put_line(void *context, const char *line)
{
        char text[LINE_BYTES + 1];
        const size_t length = strnlen(line, LINE_BYTES);

        (void)context;
        memcpy(text, line, length);
        text[length] = '\n';
        novart_console_write_line(text, length + 1);
}

void novart_fault_print(const struct nova_fault_report *report,
                        const struct nova_symbols *(*symbols)(void))
{
        nova_mutex_lock(&mutex);
        __atomic_store_n(&printer, nova_thread_cpu() + 1, __ATOMIC_RELAXED);
        nova_fault_format(report, symbols ? symbols() : NULL, put_line, NULL);
        __atomic_store_n(&printer, 0, __ATOMIC_RELAXED);
        nova_mutex_unlock(&mutex);
}

void novart_fault_print_abandon(nova_word_t cpu)
{
        if (__atomic_load_n(&printer, __ATOMIC_RELAXED) != cpu + 1)
                return;
        __atomic_store_n(&printer, 0, __ATOMIC_RELAXED);
        nova_mutex_unlock(&mutex);
}

void nova_fault_print(const struct nova_fault_report *report, const struct nova_symbols *symbols)
{
        nova_mutex_lock(&mutex);
        nova_fault_format(report, symbols, put_line, NULL);
        nova_mutex_unlock(&mutex);
}
