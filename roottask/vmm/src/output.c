/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes texts of guests and reports of monitors to the program's console, one at a time. */
#include "output.h"

#include <stdbool.h>
#include <stdio.h>

#include "novart/console.h"
#include "novart/sync.h"

/* Held while a guest's text or a report is written. Lock order: a thread takes the lock of a
 * machine before this lock, and no lock while it holds this one. */
static struct nova_mutex lock;
/* A guest's text ended within a line, without a line feed. */
static bool in_line;

void novavmm_output_begin(void)
{
        nova_mutex_lock(&lock);
        if (in_line)
                fputs("\n", stdout);
        in_line = false;
}

void novavmm_output_end(void)
{
        nova_mutex_unlock(&lock);
}

void novavmm_output_end_line(void)
{
        novavmm_output_begin();
        novavmm_output_end();
}

void novavmm_output_write(const char *text, size_t bytes)
{
        nova_mutex_lock(&lock);
        nova_console_write(text, bytes);
        in_line = text[bytes - 1] != '\n';
        nova_mutex_unlock(&lock);
}
