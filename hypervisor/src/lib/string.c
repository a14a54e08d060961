/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and string functions. */
#include "lib/string.h"

#include "arch/x86/insn.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
        const size_t words = bytes / sizeof(word_t), rest = bytes % sizeof(word_t);

        rep_movs(to, from, words);
        rep_movsb((char *)to + (bytes - rest), (const char *)from + (bytes - rest), rest);
        return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
        char *target = to;
        const char *source = from;

        if ((uintptr_t)target - (uintptr_t)source >= bytes)
                return memcpy(to, from, bytes);
        while (bytes--) {
                target[bytes] = source[bytes];
                __asm__ volatile(""); /* else the compiler turns the loop into a call of memmove */
        }
        return to;
}

void *memset(void *to, int value, size_t bytes)
{
        const size_t words = bytes / sizeof(word_t), rest = bytes % sizeof(word_t);

        rep_stos(to, (uint8_t)value * (~(word_t)0 / 255), words);
        rep_stosb((char *)to + (bytes - rest), (uint8_t)value, rest);
        return to;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
        const uint8_t *a = left, *b = right;

        for (size_t i = 0; i < bytes; i++)
                if (a[i] != b[i])
                        return a[i] - b[i];
        return 0;
}

size_t strlen(const char *string)
{
        size_t length = 0;

        while (string[length]) {
                length++;
                __asm__ volatile(""); /* else the compiler turns the loop into a call of strlen */
        }
        return length;
}

int strncmp(const char *left, const char *right, size_t bytes)
{
        for (; bytes; bytes--, left++, right++)
                if (*left != *right || !*left)
                        return (uint8_t)*left - (uint8_t)*right;
        return 0;
}
