/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of the C library that print (see printed.h). */
#include "printed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "require.h"

int __wrap_printf(const char *format, ...);
int __wrap_puts(const char *text);
int __wrap_putchar(int c);

void (*printed)(const char *text, size_t bytes);

static int take_part(const char *text, size_t length)
{
        for (size_t i = 0; i < length; i++)
                require(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
        if (printed)
                printed(text, length);
        return (int)length;
}

int __wrap_printf(const char *format, ...)
{
        static char text[1024];
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        require(length >= 0 && (size_t)length < sizeof(text));
        return take_part(text, (size_t)length);
}

int __wrap_puts(const char *text)
{
        return take_part(text, strlen(text)) + take_part("\n", 1);
}

int __wrap_putchar(int c)
{
        const char text[1] = {(char)c};

        return take_part(text, 1);
}
