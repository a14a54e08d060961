/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output to a function that takes the characters. */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>

#include "lib/types.h"

/** Formats like vprintf() and passes each character to sink. Conversions: %d %i %u %x %c %s %p %%
 * with width, 0, -, and the lengths l, ll and z. For any other conversion, its letter is
 * printed. */
void print_format(void (*sink)(char character), const char *format, va_list list)
        __attribute__((format(printf, 2, 0)));

#endif
