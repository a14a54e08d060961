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

bool poison_is_free(const void *memory, size_t bytes)
{
        const word_t *words = memory;

        for (size_t i = 1; i < bytes / sizeof(word_t); i++)
                if (words[i] != FREED)
                        return false;
        return true;
}

void poison_take(void *memory, size_t bytes)
{
        word_t *words = memory;

        for (size_t i = 1; i < bytes / sizeof(word_t); i++)
                if (words[i] != FREED)
                        kernel_stop("memory at 0x%zx of %zu bytes was written after it was freed: "
                                    "0x%zx at offset %zu",
                                    (size_t)memory, bytes, (size_t)words[i], i * sizeof(word_t));
        words[0] = FREED;
        words[1] = TAKEN;
}

void poison_fresh(void *memory, size_t bytes)
{
        memset(memory, POISON_FREED, bytes);
        ((word_t *)memory)[1] = TAKEN;
}
