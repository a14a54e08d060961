/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of virtual processors in the parameters of calls. TLFS 7.8.7.3 */
#include "hv/set.h"

#define SPARSE    0 /* a mask of banks; for each of them, a mask of 64 virtual processors */
#define ALL       1
#define BANK_BITS 64

/* All virtual processors that exist are in the first bank. */
enum nova_hv_status novavmm_hv_set_read(const struct nova_hv *hv, const uint64_t *from,
                                        size_t words, uint64_t *set)
{
        const uint64_t format = from[0], banks = from[1];
        const uint64_t *const bank = from + NOVAVMM_HV_SET_WORDS;

        *set = novavmm_hv_set_all(hv);
        if ((size_t)__builtin_popcountll(banks) != words)
                return NOVA_HV_INVALID_INPUT;
        if (format == ALL)
                return NOVA_HV_SUCCESS;
        if (format != SPARSE)
                return NOVA_HV_INVALID_PARAMETER;
        for (size_t i = banks & 1; i < words; i++)
                if (bank[i])
                        return NOVA_HV_INVALID_VP_INDEX;
        return novavmm_hv_set_of_mask(hv, banks & 1 ? bank[0] : 0, set);
}
