/* SPDX-License-Identifier: BSD-2-Clause */
/* The pattern in freed memory (see poison.h). */
#include "memory/poison.h"

#include "lib/string.h"

#define EACH_BYTE (~(word_t)0 / 255)
#define FREED     (POISON_FREED * EACH_BYTE)
#define TAKEN     (POISON_TAKEN * EACH_BYTE)

void poison_free(void *memory, size_t bytes)
{
        memset((word_t *)memory + 1, POISON_FREED, bytes - sizeof(word_t));
}

/* Checks four words at a time, because all freed memory is checked here. */
bool poison_is_free(const void *memory, size_t bytes)
{
        const word_t *words = memory;
        const size_t count = bytes / sizeof(word_t);
        word_t differing = 0;
        size_t i = 1;

        for (; i + 4 <= count; i += 4)
                differing |= (words[i] ^ FREED) | (words[i + 1] ^ FREED) | (words[i + 2] ^ FREED) |
                             (words[i + 3] ^ FREED);
        for (; i < count; i++)
                differing |= words[i] ^ FREED;
        return !differing;
}

static _Noreturn void poison_stop_at_write(const word_t *words, size_t bytes)
{
        size_t i = 1;

        while (words[i] == FREED)
                i++;
        kernel_stop("memory at 0x%zx of %zu bytes was written after it was freed: 0x%zx at offset "
                    "%zu",
                    (size_t)words, bytes, (size_t)words[i], i * sizeof(word_t));
}

void poison_take(void *memory, size_t bytes)
{
        word_t *words = memory;

        if (unlikely(!poison_is_free(words, bytes)))
                poison_stop_at_write(words, bytes);
        words[0] = FREED;
        words[1] = TAKEN;
}

void poison_fresh(void *memory, size_t bytes)
{
        memset(memory, POISON_FREED, bytes);
        ((word_t *)memory)[1] = TAKEN;
}
