/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns in the registers of the floating-point unit (see registers.h). */
#include "registers.h"

#define CONTROL    0x037f
#define MXCSR      0x1f80
#define MXCSR_WORD 6
#define FIRST_X87  8
#define FIRST_XMM  40
#define XMMS       8 /* XMM0 to XMM7, which both widths have */

static void save(struct fpu_image *image)
{
        __asm__ volatile("fxsave %0" : "=m"(*image));
}

static uint32_t pattern(word_t key, unsigned i)
{
        return ((uint32_t)(key >> 4) * 0x9e3779b9u + i * 0x01000193u) | 1;
}

/* Returns true if a word of the image holds bits of an x87 mantissa or of an XMM register. */
static bool is_data(unsigned i)
{
        return i >= FIRST_XMM || i % 4 < 2;
}

void fpu_load(word_t key)
{
        struct fpu_image image;

        for (unsigned i = 0; i < 128; i++)
                image.word[i] = 0;
        image.word[0] = CONTROL;
        image.word[1] = 0xff; /* no register is empty */
        image.word[MXCSR_WORD] = MXCSR;
        for (unsigned i = FIRST_X87; i < FIRST_XMM + 4 * XMMS; i++)
                image.word[i] = is_data(i) ? pattern(key, i) : i % 4 == 2 ? 0x3fff : 0;
        __asm__ volatile("fxrstor %0" : : "m"(image));
}

bool fpu_holds(word_t key)
{
        struct fpu_image image;

        save(&image);
        for (unsigned i = FIRST_X87; i < FIRST_XMM + 4 * XMMS; i++)
                if (is_data(i) && image.word[i] != pattern(key, i))
                        return false;
        return true;
}
