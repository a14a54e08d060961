/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's fast access to its local APIC: registers as MSRs, and the assist page, in which the
 * guest ends an interrupt without an exit. TLFS 10.2, 10.3 */
#include "hv/numbers.h"
#include "hv/page.h"

#include "nova/abi/crd.h"

/* Addresses of these registers. */
#define COMMAND_LOW_AT  (NOVA_LAPIC_AT + 0x300)
#define COMMAND_HIGH_AT (NOVA_LAPIC_AT + 0x310)
#define PRIORITY_AT     (NOVA_LAPIC_AT + 0x80)
#define PRIORITY_MAX    0xffu

#define NO_END 1u /* bit 0 of the assist page: the end needs no write of the register */

static uint32_t *word_of(const struct nova_hv *hv, unsigned vcpu)
{
        return (uint32_t *)(void *)novavmm_hv_frame(
                hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_ASSIST_FRAME));
}

bool novavmm_hv_assist_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                           uint64_t *value)
{
        struct nova_lapic *const lapic = hv->vp[vcpu].lapic;

        switch (number) {
        case NOVAVMM_MSR_APIC_COMMAND:
                *value = nova_lapic_read(lapic, COMMAND_LOW_AT, 4) |
                         nova_lapic_read(lapic, COMMAND_HIGH_AT, 4) << 32;
                return true;
        case NOVAVMM_MSR_APIC_PRIORITY:
                *value = nova_lapic_read(lapic, PRIORITY_AT, 4);
                return true;
        case NOVAVMM_MSR_ASSIST:
                *value = hv->vp[vcpu].assist;
                return true;
        default:
                return false; /* END is write-only */
        }
}

bool novavmm_hv_assist_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];

        switch (number) {
        case NOVAVMM_MSR_APIC_END:
                if (value > UINT32_MAX)
                        return false;
                vp->ends++;
                nova_lapic_end(vp->lapic);
                return true;
        case NOVAVMM_MSR_APIC_COMMAND:
                nova_lapic_write(vp->lapic, COMMAND_HIGH_AT, 4, value >> 32);
                nova_lapic_write(vp->lapic, COMMAND_LOW_AT, 4, (uint32_t)value);
                return true;
        case NOVAVMM_MSR_APIC_PRIORITY:
                if (value > PRIORITY_MAX)
                        return false;
                nova_lapic_write(vp->lapic, PRIORITY_AT, 4, value);
                return true;
        default:
                return novavmm_hv_place(hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_ASSIST_FRAME),
                                        value, NOVA_MEM_R | NOVA_MEM_W, &vp->assist);
        }
}

void nova_hv_assist_begin(struct nova_hv *hv, unsigned vcpu)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];

        if (!vp->lapic || !vp->lapic->quiet_end ||
            __atomic_load_n(word_of(hv, vcpu), __ATOMIC_RELAXED) & NO_END)
                return;
        vp->lapic->quiet_end = false;
        vp->quiet_ends++;
        nova_lapic_end(vp->lapic);
}

/* Sets the bit if the end of the interrupt in service only removes it from service: no other
 * interrupt is pending, and no I/O APIC waits for the end. Otherwise clears the bit. If another
 * interrupt becomes pending while the guest runs, the local APIC makes the guest exit. */
void nova_hv_assist_end(struct nova_hv *hv, unsigned vcpu)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];
        const bool page = vp->assist & NOVAVMM_HV_PAGE_ENABLE;
        const bool quiet = page && nova_lapic_ends_quietly(vp->lapic);

        if (vp->lapic)
                vp->lapic->quiet_end = quiet;
        if (!page || (__atomic_load_n(word_of(hv, vcpu), __ATOMIC_RELAXED) & NO_END) == quiet)
                return;
        if (quiet)
                __atomic_or_fetch(word_of(hv, vcpu), NO_END, __ATOMIC_RELAXED);
        else
                __atomic_and_fetch(word_of(hv, vcpu), ~NO_END, __ATOMIC_RELAXED);
}
