/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output. */
#include "lib/printf.h"

#include "lib/divide.h"
#include "lib/string.h"

typedef void (*sink_fn)(char character);

struct field {
        unsigned width;
        bool zero;
        bool left;
        unsigned longs; /* 0: int, 1: long or size_t, 2: long long */
};

static void pad(sink_fn sink, char with, size_t length, unsigned width)
{
        for (size_t i = length; i < width; i++)
                sink(with);
}

static void put_text(sink_fn sink, const struct field *field, const char *text, size_t length)
{
        if (!field->left)
                pad(sink, ' ', length, field->width);
        for (size_t i = 0; i < length; i++)
                sink(text[i]);
        if (field->left)
                pad(sink, ' ', length, field->width);
}

static void put_number(sink_fn sink, struct field field, uint64_t value, unsigned base, bool minus)
{
        char text[24];
        size_t at = sizeof(text);

        do {
                uint32_t digit;
                value = divide(value, base, &digit);
                text[--at] = "0123456789abcdef"[digit];
        } while (value);

        if (field.zero && !field.left)
                while (at > 1 && sizeof(text) - at + minus < field.width)
                        text[--at] = '0';
        if (minus)
                text[--at] = '-';
        put_text(sink, &field, text + at, sizeof(text) - at);
}

static const char *parse_field(const char *format, struct field *field)
{
        *field = (struct field){0};
        for (;; format++) {
                if (*format == '0')
                        field->zero = true;
                else if (*format == '-')
                        field->left = true;
                else
                        break;
        }
        for (; *format >= '0' && *format <= '9'; format++)
                field->width = field->width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l' || *format == 'z'; format++)
                field->longs++;
        return format;
}

void print_format(sink_fn sink, const char *format, va_list arguments)
{
        for (; *format; format++) {
                if (*format != '%') {
                        sink(*format);
                        continue;
                }

                struct field field;
                const char *text;
                uint64_t value;
                char character;

                format = parse_field(format + 1, &field);
                switch (*format) {
                case 'd':
                case 'i':
                        value = (uint64_t)(field.longs > 1    ? va_arg(arguments, long long)
                                           : field.longs == 1 ? va_arg(arguments, long)
                                                              : va_arg(arguments, int));
                        if ((int64_t)value < 0)
                                put_number(sink, field, -value, 10, true);
                        else
                                put_number(sink, field, value, 10, false);
                        break;
                case 'u':
                case 'x':
                case 'X':
                        value = field.longs > 1    ? va_arg(arguments, unsigned long long)
                                : field.longs == 1 ? va_arg(arguments, unsigned long)
                                                   : va_arg(arguments, unsigned);
                        put_number(sink, field, value, *format == 'u' ? 10 : 16, false);
                        break;
                case 'p':
                        sink('0');
                        sink('x');
                        put_number(sink, field, (uintptr_t)va_arg(arguments, void *), 16, false);
                        break;
                case 's':
                        text = va_arg(arguments, const char *);
                        text = text ? text : "(null)";
                        put_text(sink, &field, text, strlen(text));
                        break;
                case 'c':
                        character = (char)va_arg(arguments, int);
                        put_text(sink, &field, &character, 1);
                        break;
                case '%':
                        sink('%');
                        break;
                default: /* not ours: shown, so that the mistake is seen */
                        sink('%');
                        if (!*format)
                                return;
                        sink(*format);
                }
        }
}
