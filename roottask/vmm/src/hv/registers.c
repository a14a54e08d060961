/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that read and write registers of virtual processors. They support only the registers of the
 * interface, which are also MSRs. The library has a virtual processor's other registers only during
 * its exits. TLFS 7.9 */
#include "hv/registers.h"

#include "hv/numbers.h"

#define OWN_PARTITION (~UINT64_C(0))
#define OWN_VP        0xfffffffeu

/* Header of both calls. */
struct header {
        uint64_t partition;
        uint32_t vp;
        uint8_t level;
        uint8_t padding[3];
};

/* Element of a write. */
struct write {
        uint32_t name;
        uint32_t padding[3];
        uint64_t value[2];
};

_Static_assert(sizeof(struct header) == 16 && sizeof(struct write) == 32, "TLFS, appendix A");

/* Ranges of names, and the first MSR of each. */
static const struct {
        uint32_t name, count, msr;
} rows[] = {
        {0x00000210, 6, NOVAVMM_MSR_CRASH},     {0x00090000, 1, NOVAVMM_MSR_RUN_TIME},
        {0x00090001, 1, NOVAVMM_MSR_HYPERCALL}, {0x00090002, 1, NOVAVMM_MSR_IDENTITY},
        {0x00090003, 1, NOVAVMM_MSR_VP_INDEX},  {0x00090004, 1, NOVAVMM_MSR_REFERENCE_COUNTER},
        {0x00090013, 1, NOVAVMM_MSR_ASSIST},    {0x00090017, 1, NOVAVMM_MSR_REFERENCE_PAGE},
        {0x000a0000, 16, NOVAVMM_MSR_SOURCE},   {0x000a0010, 5, NOVAVMM_MSR_SYNIC},
        {0x000b0000, 8, NOVAVMM_MSR_TIMER},
};

/* Returns the MSR of a register, or 0, which is not an MSR of the interface. */
static uint32_t msr_of(uint32_t name)
{
        for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                if (name - rows[i].name < rows[i].count)
                        return rows[i].msr + (name - rows[i].name);
        return 0;
}

static enum nova_hv_status find(const struct nova_hv_action *action, unsigned *vcpu)
{
        const struct header *const header = action->input;

        if (header->partition != OWN_PARTITION)
                return NOVA_HV_INVALID_PARTITION_ID;
        *vcpu = header->vp == OWN_VP ? action->vcpu : header->vp;
        if (*vcpu >= action->hv->vcpus)
                return NOVA_HV_INVALID_VP_INDEX;
        return header->level ? NOVA_HV_INVALID_PARAMETER : NOVA_HV_SUCCESS;
}

enum nova_hv_status novavmm_hv_get_register(const struct nova_hv_action *action)
{
        const uint32_t *const name = action->element;
        unsigned vcpu;
        const enum nova_hv_status status = find(action, &vcpu);

        if (status != NOVA_HV_SUCCESS)
                return status;
        return nova_hv_msr_get(action->hv, vcpu, msr_of(*name), action->output_element)
                       ? NOVA_HV_SUCCESS
                       : NOVA_HV_INVALID_PARAMETER;
}

enum nova_hv_status novavmm_hv_set_register(const struct nova_hv_action *action)
{
        const struct write *const write = action->element;
        unsigned vcpu;
        const enum nova_hv_status status = find(action, &vcpu);

        if (status != NOVA_HV_SUCCESS)
                return status;
        return nova_hv_msr_set(action->hv, vcpu, msr_of(write->name), write->value[0])
                       ? NOVA_HV_SUCCESS
                       : NOVA_HV_INVALID_PARAMETER;
}
