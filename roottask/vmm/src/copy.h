/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies data of guests through the cache. newlib's memcpy() bypasses the cache for 256 bytes and
 * more, but the guest reads the data next. */
#ifndef NOVAVMM_SRC_COPY_H
#define NOVAVMM_SRC_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Number of bytes above which the string instruction is faster. */
#define COPY_MIN 128

#define COPY_WORD sizeof(uintptr_t)

static inline void rep_movs(void *to, const void *from, size_t words)
{
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
#else
        __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
#endif
}

static inline void copy_data(void *to, const void *from, size_t bytes)
{
        const size_t whole = bytes < COPY_MIN ? 0 : bytes - bytes % COPY_WORD;

        if (whole)
                rep_movs(to, from, whole / COPY_WORD);
        if (bytes > whole)
                memcpy((uint8_t *)to + whole, (const uint8_t *)from + whole, bytes - whole);
}

#endif
