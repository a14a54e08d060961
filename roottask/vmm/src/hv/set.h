/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of virtual processors in the parameters of calls, and the functions of these calls. */
#ifndef NOVAVMM_SRC_HV_SET_H
#define NOVAVMM_SRC_HV_SET_H

#include "novavmm/hv.h"

/* Words of a set before its variable part: format, mask of banks. */
#define NOVAVMM_HV_SET_WORDS 2

/* Returns all virtual processors. */
static inline uint64_t novavmm_hv_set_all(const struct nova_hv *hv)
{
        return (UINT64_C(1) << hv->vcpus) - 1;
}

/* Returns the virtual processors in a mask: bit n for number n. Inline, because it is called for
 * each element of a list. @return INVALID_VP_INDEX if one of them does not exist */
static inline enum nova_hv_status novavmm_hv_set_of_mask(const struct nova_hv *hv, uint64_t mask,
                                                         uint64_t *set)
{
        *set = mask;
        return mask & ~novavmm_hv_set_all(hv) ? NOVA_HV_INVALID_VP_INDEX : NOVA_HV_SUCCESS;
}

/* Returns the virtual processors of a set with @p words words of banks after its
 * NOVAVMM_HV_SET_WORDS. @return INVALID_INPUT if the mask requires another number of banks,
 * INVALID_PARAMETER if the format does not exist, INVALID_VP_INDEX */
enum nova_hv_status novavmm_hv_set_read(const struct nova_hv *hv, const uint64_t *from,
                                        size_t words, uint64_t *set);

/* The calls. The calls that flush add to nova_hv.stale. */
nova_hv_function novavmm_hv_flush, novavmm_hv_flush_set, novavmm_hv_ipi, novavmm_hv_ipi_set;

#endif
