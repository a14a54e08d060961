/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that send interrupts to virtual processors. TLFS 10.5 */
#include "hv/set.h"

#define VECTOR_MIN 0x10u
#define VECTOR_MAX 0xffu

/* Input: a word with vector and trust level, then a mask or a set. */
enum { COMMAND, PROCESSORS };

#define LEVEL(command) ((command) >> 32 & 0xff)

static enum nova_hv_status send(const struct nova_hv_action *action, enum nova_hv_status status,
                                uint64_t set)
{
        struct nova_hv *const hv = action->hv;
        const uint64_t command = ((const uint64_t *)action->input)[COMMAND];
        const uint32_t vector = (uint32_t)command;

        if (vector < VECTOR_MIN || vector > VECTOR_MAX || LEVEL(command))
                return NOVA_HV_INVALID_PARAMETER;
        if (status != NOVA_HV_SUCCESS)
                return status;
        if (!hv->vp[0].lapic)
                return NOVA_HV_OPERATION_DENIED;
        for (unsigned i = 0; i < hv->vcpus; i++)
                if (set >> i & 1)
                        nova_lapic_accept(hv->vp[i].lapic, (uint8_t)vector, false);
        hv->ipi_calls++;
        return NOVA_HV_SUCCESS;
}

enum nova_hv_status novavmm_hv_ipi(const struct nova_hv_action *action)
{
        const uint64_t *const input = action->input;
        uint64_t set;
        const enum nova_hv_status status =
                novavmm_hv_set_of_mask(action->hv, input[PROCESSORS], &set);

        return send(action, status, set);
}

enum nova_hv_status novavmm_hv_ipi_set(const struct nova_hv_action *action)
{
        const uint64_t *const input = action->input;
        uint64_t set = 0;
        const enum nova_hv_status status =
                novavmm_hv_set_read(action->hv, input + PROCESSORS, action->variable, &set);

        return send(action, status, set);
}
