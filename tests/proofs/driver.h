/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the drivers for Eva: buffers with arbitrary content, values of any size, and a console
 * that prints nothing. */
#ifndef PROOFS_DRIVER_H
#define PROOFS_DRIVER_H

#include <__fc_builtin.h>
#include <stdint.h>

/* Calls a function with a buffer of exactly this size, whose bytes have any values. */
#define TRY(function, bytes)                                  \
        do {                                                  \
                static char buffer[(bytes) + !(bytes)];       \
                                                              \
                Frama_C_make_unknown(buffer, sizeof(buffer)); \
                function(buffer, bytes);                      \
        } while (0)

static uint64_t any_u64(void)
{
        return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static uint32_t any_u32(void)
{
        return Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

static uintptr_t any_word(void)
{
        return (uintptr_t)any_u64();
}

static int any_bool(void)
{
        return Frama_C_interval(0, 1);
}

void console_print(const char *format, ...)
{
        (void)format;
}

#endif
