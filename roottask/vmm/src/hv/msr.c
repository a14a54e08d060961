/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of enlightened guests. Each needs its privilege. TLFS, appendix C */
#include "hv/numbers.h"
#include "hv/page.h"
#include "hv/synic.h"

#define FIRST 0x40000000u
#define LAST  0x400001ffu

/* Bit of RESET: the machine resets; the others are reserved. */
#define RESET_NOW UINT64_C(1)

/* Registers, the privilege that each needs, and the functions that read and write it. */
struct row {
        uint32_t first, last;
        uint64_t privilege; /* 0: it needs nova_hv.crashed instead */
        bool (*get)(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value);
        bool (*set)(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);
};

/* Reads one of the simple registers, which have no file of their own. */
static bool get_own(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        switch (number) {
        case NOVAVMM_MSR_IDENTITY:
                *value = hv->identity;
                break;
        case NOVAVMM_MSR_HYPERCALL:
                *value = hv->hypercall;
                break;
        case NOVAVMM_MSR_VP_INDEX:
                *value = vcpu;
                break;
        case NOVAVMM_MSR_RUN_TIME:
                *value = hv->run_time ? hv->run_time(hv->run_time_context, vcpu) : 0;
                break;
        case NOVAVMM_MSR_REFERENCE_COUNTER:
                *value = nova_hv_time(hv);
                break;
        case NOVAVMM_MSR_REFERENCE_PAGE:
                *value = hv->reference_page;
                break;
        case NOVAVMM_MSR_TSC_FREQUENCY:
                *value = hv->tsc_hz;
                break;
        case NOVAVMM_MSR_APIC_FREQUENCY:
                *value = hv->apic_hz;
                break;
        default:
                *value = 0; /* RESET, IDLE */
                break;
        }
        return true;
}

static bool set_own(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        (void)vcpu;
        switch (number) {
        case NOVAVMM_MSR_IDENTITY:
                novavmm_hv_page_identity(hv, value);
                return true;
        case NOVAVMM_MSR_HYPERCALL:
                return novavmm_hv_page_set(hv, value);
        case NOVAVMM_MSR_REFERENCE_PAGE:
                return novavmm_hv_time_set(hv, value);
        case NOVAVMM_MSR_RESET:
                hv->resets |= value == RESET_NOW;
                return value <= RESET_NOW;
        default:
                return false; /* the other registers are read-only */
        }
}

static const struct row rows[] = {
        {NOVAVMM_MSR_IDENTITY, NOVAVMM_MSR_HYPERCALL, NOVA_HV_PRIVILEGE_HYPERCALLS, get_own,
         set_own},
        {NOVAVMM_MSR_VP_INDEX, NOVAVMM_MSR_VP_INDEX, NOVA_HV_PRIVILEGE_VP_INDEX, get_own, set_own},
        {NOVAVMM_MSR_RESET, NOVAVMM_MSR_RESET, NOVA_HV_PRIVILEGE_RESET, get_own, set_own},
        {NOVAVMM_MSR_RUN_TIME, NOVAVMM_MSR_RUN_TIME, NOVA_HV_PRIVILEGE_RUN_TIME, get_own, set_own},
        {NOVAVMM_MSR_REFERENCE_COUNTER, NOVAVMM_MSR_REFERENCE_COUNTER,
         NOVA_HV_PRIVILEGE_REFERENCE_COUNTER, get_own, set_own},
        {NOVAVMM_MSR_REFERENCE_PAGE, NOVAVMM_MSR_REFERENCE_PAGE, NOVA_HV_PRIVILEGE_REFERENCE_TSC,
         get_own, set_own},
        {NOVAVMM_MSR_TSC_FREQUENCY, NOVAVMM_MSR_APIC_FREQUENCY, NOVA_HV_PRIVILEGE_FREQUENCIES,
         get_own, set_own},
        {NOVAVMM_MSR_APIC_END, NOVAVMM_MSR_ASSIST, NOVA_HV_PRIVILEGE_APIC_REGISTERS,
         novavmm_hv_assist_get, novavmm_hv_assist_set},
        {NOVAVMM_MSR_SYNIC, NOVAVMM_MSR_SOURCE_LAST, NOVA_HV_PRIVILEGE_SYNIC, novavmm_hv_synic_get,
         novavmm_hv_synic_set},
        {NOVAVMM_MSR_TIMER, NOVAVMM_MSR_TIMER_LAST, NOVA_HV_PRIVILEGE_TIMERS, novavmm_hv_stimer_get,
         novavmm_hv_stimer_set},
        {NOVAVMM_MSR_IDLE, NOVAVMM_MSR_IDLE, NOVA_HV_PRIVILEGE_IDLE, get_own, set_own},
        {NOVAVMM_MSR_CRASH, NOVAVMM_MSR_CRASH_CONTROL, 0, novavmm_hv_crash_get,
         novavmm_hv_crash_set},
};

static bool permits(const struct nova_hv *hv, const struct row *row)
{
        return row->privilege ? hv->privileges & row->privilege : hv->crashed != NULL;
}

/* Returns a register's row, or NULL if there is no such register or its privilege is missing. */
static const struct row *find(const struct nova_hv *hv, uint32_t number)
{
        for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                if (number >= rows[i].first && number <= rows[i].last)
                        return permits(hv, &rows[i]) ? &rows[i] : NULL;
        return NULL;
}

bool nova_hv_has_msr(uint32_t number)
{
        return number >= FIRST && number <= LAST;
}

bool nova_hv_moves_page(uint32_t number)
{
        return number == NOVAVMM_MSR_IDENTITY || number == NOVAVMM_MSR_HYPERCALL ||
               number == NOVAVMM_MSR_REFERENCE_PAGE || number == NOVAVMM_MSR_ASSIST ||
               number == NOVAVMM_MSR_SYNIC_EVENTS || number == NOVAVMM_MSR_SYNIC_MESSAGES;
}

bool nova_hv_msr_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        const struct row *const row = find(hv, number);

        return row && row->get(hv, vcpu, number, value);
}

bool nova_hv_msr_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        const struct row *const row = find(hv, number);

        return row && row->set(hv, vcpu, number, value);
}
