/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that flush the translations of virtual processors. A flush discards all translations of a
 * virtual processor, not only those that the call names. TLFS 9.4 */
#include "hv/set.h"

/* Input: address space, flags, then a mask or a set. */
enum { SPACE, FLAGS, PROCESSORS };

#define ALL_PROCESSORS  1u
#define ALL_SPACES      2u
#define NON_GLOBAL_ONLY 4u
#define KNOWN           (ALL_PROCESSORS | ALL_SPACES | NON_GLOBAL_ONLY)

/* Adds virtual processors to those that must flush before the caller continues: those of a set, or
 * all. */
static enum nova_hv_status add(const struct nova_hv_action *action, enum nova_hv_status status,
                               uint64_t set)
{
        struct nova_hv *const hv = action->hv;
        const uint64_t flags = ((const uint64_t *)action->input)[FLAGS];

        if (flags & ~(uint64_t)KNOWN)
                return NOVA_HV_INVALID_PARAMETER;
        if (flags & ALL_PROCESSORS)
                set = novavmm_hv_set_all(hv);
        else if (status != NOVA_HV_SUCCESS)
                return status;
        hv->stale |= set;
        if (!action->index)
                hv->flush_calls++;
        return NOVA_HV_SUCCESS;
}

enum nova_hv_status novavmm_hv_flush(const struct nova_hv_action *action)
{
        const uint64_t *const input = action->input;
        uint64_t set;
        const enum nova_hv_status status =
                novavmm_hv_set_of_mask(action->hv, input[PROCESSORS], &set);

        return add(action, status, set);
}

enum nova_hv_status novavmm_hv_flush_set(const struct nova_hv_action *action)
{
        const uint64_t *const input = action->input;
        uint64_t set = 0;
        const enum nova_hv_status status =
                novavmm_hv_set_read(action->hv, input + PROCESSORS, action->variable, &set);

        return status == NOVA_HV_INVALID_INPUT ? status : add(action, status, set);
}
