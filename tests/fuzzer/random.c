/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers; each user passes its own seed. */
#include "fuzzer.h"

word_t random_next(uint64_t *seed)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return (word_t)(*seed * 0x2545f4914f6cdd1dull >> 16) ^ (word_t)(*seed << 40);
}

word_t random_below(uint64_t *seed, word_t n)
{
        return (uint32_t)random_next(seed) % (uint32_t)n;
}

word_t random_value(uint64_t *seed)
{
        const word_t r = random_next(seed);

        switch (r & 7) {
        case 0:
                return 0;
        case 1:
                return ~(word_t)0 >> (r >> 8) % NOVA_WORD_BITS;
        case 2:
        case 3:
                return r >> 8 & (SEL_END - 1);
        case 4:
                return r >> 8 & 0xf;
        case 5:
                return nova_crd((unsigned)(r >> 8) & 3, r >> 16 & 0x3ff, r >> 26 & 0xf, 0x1f);
        case 6:
                return (word_t)1 << (r >> 8) % NOVA_WORD_BITS;
        default:
                return r;
        }
}

static bool is_in(word_t at, word_t begin, word_t bytes)
{
        return at - begin < bytes;
}

word_t random_place(uint64_t *seed)
{
        const word_t at = random_value(seed), shared = NOVA_PAGE_SIZE << SHARED_ORDER;
        const bool used = is_in(at, 0, shared) || is_in(at, plan.shared, shared) ||
                          is_in(at, plan.arenas, ARENAS * SLOTS * SLOT) ||
                          is_in(at, IMAGE_BEGIN, (word_t)__image_end - IMAGE_BEGIN);

        return used ? NOWHERE : at;
}
