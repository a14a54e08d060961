/* SPDX-License-Identifier: BSD-2-Clause */
/* A small printf that writes through a function. It allocates nothing and ignores locales. */
#ifndef NOVA_FORMAT_H
#define NOVA_FORMAT_H

#include <stdarg.h>

#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Receives one character at a time. */
typedef void nova_put_function(void *context, char c);

/**
 * Writes a formatted text.
 *
 * Supports the conversions %s %c %d %i %u %x %X %p %%; the flags '-', '0' and '#'; widths; a
 * precision for %s; '*' as width or precision; the lengths hh, h, l, ll, z, j and t. Writes any
 * other conversion literally.
 * @param put     called for each character
 * @param context passed to @p put
 * @param format  the text
 * @param arguments the values, in the order of their conversions
 */
NOVA_LIBRARY void nova_vformat(nova_put_function *put, void *context, const char *format,
                               va_list arguments);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/format.h"
#endif

#endif
