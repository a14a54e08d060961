/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that compilers call implicitly. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

void *memcpy(void *to, const void *from, size_t n)
{
        void *result = to;
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
        return result;
}

void *memset(void *to, int value, size_t n)
{
        void *result = to;
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
        return result;
}
