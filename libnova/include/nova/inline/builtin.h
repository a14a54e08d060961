/* SPDX-License-Identifier: BSD-2-Clause */
/* The four functions that compilers call implicitly. They are weak, so the functions of a C library
 * take precedence. */
#ifndef NOVA_INLINE_BUILTIN_H
#define NOVA_INLINE_BUILTIN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @cond INTERNAL */

void *memcpy(void *__restrict to, const void *__restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* The string instructions keep the compiler from turning a loop into a call of itself. */
static inline void nova_builtin_copy_up(void *to, const void *from, size_t size)
{
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

__attribute__((weak, used)) void *memcpy(void *__restrict to, const void *__restrict from,
                                         size_t size)
{
        nova_builtin_copy_up(to, from, size);
        return to;
}

__attribute__((weak, used)) void *memmove(void *to, const void *from, size_t size)
{
        unsigned char *end = (unsigned char *)to + size - 1;
        const unsigned char *last = (const unsigned char *)from + size - 1;

        if ((size_t)to - (size_t)from >= size)
                nova_builtin_copy_up(to, from, size);
        else
                __asm__ volatile("std\n\trep movsb\n\tcld"
                                 : "+D"(end), "+S"(last), "+c"(size)
                                 :
                                 : "memory", "cc");
        return to;
}

__attribute__((weak, used)) void *memset(void *to, int value, size_t size)
{
        void *at = to;

        __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
        return to;
}

__attribute__((weak, used)) int memcmp(const void *a, const void *b, size_t size)
{
        const unsigned char *left = (const unsigned char *)a;
        const unsigned char *right = (const unsigned char *)b;

        for (size_t i = 0; i < size; i++)
                if (left[i] != right[i])
                        return left[i] - right[i];
        return 0;
}

/** @endcond */

#ifdef __cplusplus
}
#endif

#endif
