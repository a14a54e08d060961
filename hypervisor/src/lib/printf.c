/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output. */
#include "lib/printf.h"

#include "divide.h"
#include "lib/string.h"

typedef void (*sink_fn)(char character);

struct field {
        unsigned width;
        bool zero;
        bool left;
        unsigned longs; /* 0: int, 1: long or size_t, 2: long long */
};

static void print_pad(sink_fn sink, char with, size_t length, unsigned width)
{
        for (size_t i = length; i < width; i++)
                sink(with);
}

static void print_text(sink_fn sink, const struct field *field, const char *text, size_t length)
{
        if (!field->left)
                print_pad(sink, ' ', length, field->width);
        for (size_t i = 0; i < length; i++)
                sink(text[i]);
        if (field->left)
                print_pad(sink, ' ', length, field->width);
}

static void print_number(sink_fn sink, struct field field, uint64_t value, unsigned base,
                         bool minus)
{
        char text[24];
        size_t at = sizeof(text);

        do {
                uint32_t digit;
                value = divide(value, base, &digit);
                text[--at] = "0123456789abcdef"[digit];
        } while (value);

        if (field.zero && !field.left) {
                if (minus)
                        sink('-');
                print_pad(sink, '0', sizeof(text) - at + minus, field.width);
                print_text(sink, &(struct field){0}, text + at, sizeof(text) - at);
                return;
        }
        if (minus)
                text[--at] = '-';
        print_text(sink, &field, text + at, sizeof(text) - at);
}

static const char *print_parse_field(const char *format, struct field *field)
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

/* A va_list in a struct, so that its address can be passed on every architecture. */
struct arguments {
        va_list list;
};

static uint64_t print_next_unsigned(struct arguments *arguments, const struct field *field)
{
        switch (field->longs) {
        case 0:
                return va_arg(arguments->list, unsigned);
        case 1:
                return va_arg(arguments->list, unsigned long);
        default:
                return va_arg(arguments->list, unsigned long long);
        }
}

static int64_t print_next_signed(struct arguments *arguments, const struct field *field)
{
        const uint64_t value = print_next_unsigned(arguments, field);

        return field->longs == 0   ? (int32_t)value
               : field->longs == 1 ? (int64_t)(long)value
                                   : (int64_t)value;
}

/* Prints one field. Returns false if the conversion is unknown. */
static bool print_field(sink_fn sink, char conversion, const struct field *field,
                        struct arguments *arguments)
{
        const char *text;
        int64_t value;
        char character;

        switch (conversion) {
        case 'd':
        case 'i':
                value = print_next_signed(arguments, field);
                print_number(sink, *field, value < 0 ? -(uint64_t)value : (uint64_t)value, 10,
                             value < 0);
                return true;
        case 'u':
        case 'x':
                print_number(sink, *field, print_next_unsigned(arguments, field),
                             conversion == 'u' ? 10 : 16, false);
                return true;
        case 'p':
                sink('0');
                sink('x');
                print_number(sink, *field, (uintptr_t)va_arg(arguments->list, void *), 16, false);
                return true;
        case 's':
                text = va_arg(arguments->list, const char *);
                print_text(sink, field, text ? text : "(null)", strlen(text ? text : "(null)"));
                return true;
        case 'c':
                character = (char)va_arg(arguments->list, int);
                print_text(sink, field, &character, 1);
                return true;
        default:
                return false;
        }
}

void print_format(sink_fn sink, const char *format, va_list list)
{
        struct arguments arguments;

        va_copy(arguments.list, list);
        for (; *format; format++) {
                struct field field;

                if (*format != '%') {
                        sink(*format);
                        continue;
                }
                format = print_parse_field(format + 1, &field);
                if (!*format)
                        break;
                /* An unknown conversion is printed, so that the mistake is visible. */
                if (*format == '%' || !print_field(sink, *format, &field, &arguments))
                        sink(*format);
        }
        va_end(arguments.list);
}
