/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of enlightened guests. Each needs its privilege. TLFS, appendix C */
#include "hv/page.h"
#include "hv/synic.h"

#define FIRST 0x40000000u
#define LAST  0x400001ffu

enum number {
        IDENTITY = 0x40000000,
        HYPERCALL = 0x40000001,
        VP_INDEX = 0x40000002,
        RESET = 0x40000003,
        RUN_TIME = 0x40000010,
        REFERENCE_COUNTER = 0x40000020,
        REFERENCE_PAGE = 0x40000021,
        TSC_FREQUENCY = 0x40000022,
        APIC_FREQUENCY = 0x40000023,
        ASSIST_FIRST = 0x40000070,
        ASSIST_LAST = 0x40000073,
        SYNIC_FIRST = 0x40000080,
        EVENT_PAGE = 0x40000082,
        MESSAGE_PAGE = 0x40000083,
        SYNIC_LAST = 0x4000009f,
        TIMER_FIRST = 0x400000b0,
        TIMER_LAST = 0x400000b7,
        IDLE = 0x400000f0,
        CRASH_FIRST = 0x40000100,
        CRASH_LAST = 0x40000105
};

/* Bit of RESET: the machine resets; the others are reserved. */
#define RESET_NOW UINT64_C(1)

/* Registers, the privilege that each needs, and the functions that read and write it. */
struct row {
        uint32_t first, last;
        uint64_t privilege; /* 0: a function for reports of crashes */
        bool (*get)(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value);
        bool (*set)(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);
};

/* Reads one of the registers that need no file of their own. */
static bool get_own(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        switch (number) {
        case IDENTITY:
                *value = hv->identity;
                break;
        case HYPERCALL:
                *value = hv->hypercall;
                break;
        case VP_INDEX:
                *value = vcpu;
                break;
        case RUN_TIME:
                *value = hv->run_time ? hv->run_time(hv->run_time_context, vcpu) : 0;
                break;
        case REFERENCE_COUNTER:
                *value = nova_hv_time(hv);
                break;
        case REFERENCE_PAGE:
                *value = hv->reference_page;
                break;
        case TSC_FREQUENCY:
                *value = hv->tsc_hz;
                break;
        case APIC_FREQUENCY:
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

static const struct row rows[] = {
        {IDENTITY, HYPERCALL, NOVA_HV_PRIVILEGE_HYPERCALLS, get_own, set_own},
        {VP_INDEX, VP_INDEX, NOVA_HV_PRIVILEGE_VP_INDEX, get_own, set_own},
        {RESET, RESET, NOVA_HV_PRIVILEGE_RESET, get_own, set_own},
        {RUN_TIME, RUN_TIME, NOVA_HV_PRIVILEGE_RUN_TIME, get_own, set_own},
        {REFERENCE_COUNTER, REFERENCE_COUNTER, NOVA_HV_PRIVILEGE_REFERENCE_COUNTER, get_own,
         set_own},
        {REFERENCE_PAGE, REFERENCE_PAGE, NOVA_HV_PRIVILEGE_REFERENCE_TSC, get_own, set_own},
        {TSC_FREQUENCY, APIC_FREQUENCY, NOVA_HV_PRIVILEGE_FREQUENCIES, get_own, set_own},
        {ASSIST_FIRST, ASSIST_LAST, NOVA_HV_PRIVILEGE_APIC_REGISTERS, novavmm_hv_assist_get,
         novavmm_hv_assist_set},
        {SYNIC_FIRST, SYNIC_LAST, NOVA_HV_PRIVILEGE_SYNIC, novavmm_hv_synic_get,
         novavmm_hv_synic_set},
        {TIMER_FIRST, TIMER_LAST, NOVA_HV_PRIVILEGE_TIMERS, novavmm_hv_stimer_get,
         novavmm_hv_stimer_set},
        {IDLE, IDLE, NOVA_HV_PRIVILEGE_IDLE, get_own, set_own},
        {CRASH_FIRST, CRASH_LAST, 0, novavmm_hv_crash_get, novavmm_hv_crash_set},
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
        return number == IDENTITY || number == HYPERCALL || number == REFERENCE_PAGE ||
               number == ASSIST_LAST || number == EVENT_PAGE || number == MESSAGE_PAGE;
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
