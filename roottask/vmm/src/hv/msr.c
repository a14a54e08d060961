/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of enlightened guests. Each needs its privilege. TLFS, appendix C */
#include "hv/page.h"

#define FIRST 0x40000000u
#define LAST  0x400001ffu

enum number {
        IDENTITY = 0x40000000,
        HYPERCALL = 0x40000001,
        VP_INDEX = 0x40000002,
        RESET = 0x40000003,
        REFERENCE_COUNTER = 0x40000020,
        REFERENCE_PAGE = 0x40000021,
        TSC_FREQUENCY = 0x40000022,
        APIC_FREQUENCY = 0x40000023
};

/* Bit of RESET: the machine resets; the others are reserved. */
#define RESET_NOW UINT64_C(1)

/* Returns the privilege that a register needs, 0 for a register that does not exist. */
static uint64_t privilege_of(uint32_t number)
{
        switch (number) {
        case IDENTITY:
        case HYPERCALL:
                return NOVA_HV_PRIVILEGE_HYPERCALLS;
        case VP_INDEX:
                return NOVA_HV_PRIVILEGE_VP_INDEX;
        case RESET:
                return NOVA_HV_PRIVILEGE_RESET;
        case REFERENCE_COUNTER:
                return NOVA_HV_PRIVILEGE_REFERENCE_COUNTER;
        case REFERENCE_PAGE:
                return NOVA_HV_PRIVILEGE_REFERENCE_TSC;
        case TSC_FREQUENCY:
        case APIC_FREQUENCY:
                return NOVA_HV_PRIVILEGE_FREQUENCIES;
        default:
                return 0;
        }
}

bool nova_hv_has_msr(uint32_t number)
{
        return number >= FIRST && number <= LAST;
}

bool nova_hv_msr_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        if (!(hv->privileges & privilege_of(number)))
                return false;
        switch (number) {
        case IDENTITY:
                *value = hv->identity;
                return true;
        case HYPERCALL:
                *value = hv->hypercall;
                return true;
        case VP_INDEX:
                *value = vcpu;
                return true;
        case REFERENCE_COUNTER:
                *value = nova_hv_time(hv);
                return true;
        case REFERENCE_PAGE:
                *value = hv->reference_page;
                return true;
        case TSC_FREQUENCY:
                *value = hv->tsc_hz;
                return true;
        case APIC_FREQUENCY:
                *value = hv->apic_hz;
                return true;
        default:
                *value = 0; /* RESET */
                return true;
        }
}

bool nova_hv_msr_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        (void)vcpu;
        if (!(hv->privileges & privilege_of(number)))
                return false;
        switch (number) {
        case IDENTITY:
                novavmm_hv_page_identity(hv, value);
                return true;
        case HYPERCALL:
                return novavmm_hv_page_set(hv, value);
        case REFERENCE_PAGE:
                return novavmm_hv_time_set(hv, value);
        case RESET:
                hv->resets |= value == RESET_NOW;
                return value <= RESET_NOW;
        default:
                return false; /* the others are read-only */
        }
}
