/* SPDX-License-Identifier: BSD-2-Clause */
/* Body of the small printf: reads a conversion, turns the value into digits, pads them. */
#ifndef NOVA_INLINE_FORMAT_H
#define NOVA_INLINE_FORMAT_H

#include "nova/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @cond INTERNAL */

/* Further digits of a number that has reached this value are ignored, so that none overflows. */
#define NOVA_FORMAT_WIDTH_MAX 10000

struct nova_format_output {
        nova_put_function *put;
        void *context;
};

struct nova_format_conversion {
        bool left;
        bool zeros;
        bool prefix; /* 0x before hexadecimal numbers other than 0 */
        int width;
        int precision; /* -1: none */
        unsigned size; /* bytes of an integer argument */
        char kind;
};

static inline void nova_format_put_char(const struct nova_format_output *out, char c)
{
        out->put(out->context, c);
}

static inline void nova_format_put_repeated(const struct nova_format_output *out, char c, int count)
{
        while (count-- > 0)
                nova_format_put_char(out, c);
}

/* Divides in 16-bit steps: a 64-bit division would need the compiler's library on x86-32. */
static inline unsigned nova_format_divide(uint64_t *value, unsigned base)
{
        uint64_t quotient = 0;
        uint32_t rest = 0;

        for (int shift = 48; shift >= 0; shift -= 16) {
                const uint32_t part = rest << 16 | (uint32_t)(*value >> shift & 0xffff);

                quotient |= (uint64_t)(part / base) << shift;
                rest = part % base;
        }
        *value = quotient;
        return rest;
}

static inline void nova_format_put_text(const struct nova_format_output *out,
                                        const struct nova_format_conversion *how, const char *text)
{
        int length = 0;

        if (!text)
                text = "(null)";
        while (length != how->precision && text[length])
                length++;

        if (!how->left)
                nova_format_put_repeated(out, ' ', how->width - length);
        for (int i = 0; i < length; i++)
                nova_format_put_char(out, text[i]);
        if (how->left)
                nova_format_put_repeated(out, ' ', how->width - length);
}

/* prefix is "", "-" or "0x". */
static inline void nova_format_put_number(const struct nova_format_output *out,
                                          const struct nova_format_conversion *how, uint64_t value,
                                          const char *prefix)
{
        const char *digit = how->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        const unsigned base = how->kind == 'd' || how->kind == 'i' || how->kind == 'u' ? 10 : 16;
        const bool zeros = how->zeros && !how->left;
        char digits[20];
        int length = 0, prefix_length = 0;

        do
                digits[length++] = digit[nova_format_divide(&value, base)];
        while (value);
        while (prefix[prefix_length])
                prefix_length++;

        const int padding = how->width - length - prefix_length;

        if (!how->left && !zeros)
                nova_format_put_repeated(out, ' ', padding);
        for (int i = 0; i < prefix_length; i++)
                nova_format_put_char(out, prefix[i]);
        if (zeros)
                nova_format_put_repeated(out, '0', padding);
        for (int i = length; i-- > 0;)
                nova_format_put_char(out, digits[i]);
        if (how->left)
                nova_format_put_repeated(out, ' ', padding);
}

static inline int nova_format_parse_number(const char **format)
{
        int value = 0;

        while (**format >= '0' && **format <= '9') {
                if (value < NOVA_FORMAT_WIDTH_MAX)
                        value = value * 10 + (**format - '0');
                (*format)++;
        }
        return value;
}

static inline unsigned nova_format_parse_size(const char **format)
{
        unsigned size = sizeof(int);

        for (;; (*format)++)
                switch (**format) {
                case 'h':
                        size = size == sizeof(short) ? sizeof(char) : sizeof(short);
                        break;
                case 'l':
                        size = (*format)[1] == 'l' ? sizeof(long long) : sizeof(long);
                        *format += (*format)[1] == 'l';
                        break;
                case 'z':
                case 't':
                        size = sizeof(size_t);
                        break;
                case 'j':
                        size = sizeof(intmax_t);
                        break;
                default:
                        return size;
                }
}

/* Functions get a pointer to this struct, not to a va_list: a va_list may be an array, which as a
 * parameter becomes a pointer. */
struct nova_format_arguments {
        va_list list;
};

static inline int nova_format_parse_width(const char **format,
                                          struct nova_format_arguments *arguments)
{
        if (**format != '*')
                return nova_format_parse_number(format);
        (*format)++;
        return va_arg(arguments->list, int);
}

/* Reads flags, width, precision, length and kind. */
static inline struct nova_format_conversion
nova_format_parse(const char **format, struct nova_format_arguments *arguments)
{
        struct nova_format_conversion how = {false, false, false, 0, -1, 0, 0};

        for (; **format == '-' || **format == '0' || **format == '#'; (*format)++) {
                how.left |= **format == '-';
                how.zeros |= **format == '0';
                how.prefix |= **format == '#';
        }
        how.width = nova_format_parse_width(format, arguments);
        if (how.width < 0) {
                how.left = true;
                how.width = how.width > -NOVA_FORMAT_WIDTH_MAX ? -how.width : NOVA_FORMAT_WIDTH_MAX;
        }
        if (**format == '.') {
                (*format)++;
                how.precision = nova_format_parse_width(format, arguments);
        }
        how.size = nova_format_parse_size(format);
        how.kind = **format;
        return how;
}

static inline uint64_t nova_format_next_unsigned(struct nova_format_arguments *arguments,
                                                 unsigned size)
{
        if (size == sizeof(uint64_t))
                return va_arg(arguments->list, uint64_t);

        const unsigned value = va_arg(arguments->list, unsigned);

        return size == sizeof(char) ? value & 0xff : size == sizeof(short) ? value & 0xffff : value;
}

static inline int64_t nova_format_next_signed(struct nova_format_arguments *arguments,
                                              unsigned size)
{
        if (size == sizeof(int64_t))
                return va_arg(arguments->list, int64_t);

        const int value = va_arg(arguments->list, int);

        return size == sizeof(char)    ? (signed char)value
               : size == sizeof(short) ? (short)value
                                       : value;
}

static inline void nova_format_put_signed(const struct nova_format_output *out,
                                          const struct nova_format_conversion *how, int64_t value)
{
        if (value < 0)
                nova_format_put_number(out, how, -(uint64_t)value, "-");
        else
                nova_format_put_number(out, how, (uint64_t)value, "");
}

static inline void nova_format_put_unsigned(const struct nova_format_output *out,
                                            const struct nova_format_conversion *how,
                                            uint64_t value)
{
        const bool prefix = how->prefix && value && how->kind != 'u';

        nova_format_put_number(out, how, value, !prefix ? "" : how->kind == 'X' ? "0X" : "0x");
}

/* Returns false for an unknown conversion. */
static inline bool nova_format_put_conversion(const struct nova_format_output *out,
                                              struct nova_format_conversion *how,
                                              struct nova_format_arguments *arguments)
{
        switch (how->kind) {
        case 's':
                nova_format_put_text(out, how, va_arg(arguments->list, const char *));
                return true;
        case 'c':
                nova_format_put_repeated(out, ' ', how->left ? 0 : how->width - 1);
                nova_format_put_char(out, (char)va_arg(arguments->list, int));
                nova_format_put_repeated(out, ' ', how->left ? how->width - 1 : 0);
                return true;
        case 'd':
        case 'i':
                nova_format_put_signed(out, how, nova_format_next_signed(arguments, how->size));
                return true;
        case 'u':
        case 'x':
        case 'X':
                nova_format_put_unsigned(out, how, nova_format_next_unsigned(arguments, how->size));
                return true;
        case 'p':
                nova_format_put_number(out, how, (uintptr_t)va_arg(arguments->list, void *), "0x");
                return true;
        case '%':
                nova_format_put_char(out, '%');
                return true;
        default:
                return false;
        }
}

/** @endcond */

NOVA_LIBRARY void nova_vformat(nova_put_function *put, void *context, const char *format,
                               va_list arguments)
{
        const struct nova_format_output out = {put, context};
        struct nova_format_arguments rest;

        va_copy(rest.list, arguments);
        while (*format) {
                const char *begin = format++;

                if (*begin != '%') {
                        nova_format_put_char(&out, *begin);
                        continue;
                }
                struct nova_format_conversion how = nova_format_parse(&format, &rest);

                if (how.kind && nova_format_put_conversion(&out, &how, &rest)) {
                        format++;
                        continue;
                }
                while (begin < format)
                        nova_format_put_char(&out, *begin++);
        }
        va_end(rest.list);
}

#ifdef __cplusplus
}
#endif

#endif
