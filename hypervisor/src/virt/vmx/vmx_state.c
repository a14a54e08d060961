/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state in messages (see vmx_state.h). @spec 7.4, 8.4 */
#include "virt/vmx/vmx_state.h"

#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "arch/x86/msr.h"
#include "guest_msrs.h"
#include "lib/string.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmcs.h"
#include "virt/vmx/vmx.h"

/* In the interface's injection info: windows that are wanted. */
#define INJ_WINDOW     0x1000
#define INJ_NMI_WINDOW 0x2000

/* What a guest's EFER may be; on x86-32 a guest is 32-bit. */
#define EFER_WRITABLE (EFER_SCE | (sizeof(word_t) == 8 ? EFER_LME | EFER_LMA : 0) | EFER_NXE)

#define STATE_BLOCKED 0xf /* bits of the interruptibility state */

static const struct {
        nova_mtd_t mtd;
        uint16_t offset;
        uint8_t segment;
} segments[] = {
        {NOVA_MTD_DS_ES, offsetof(struct nova_utcb_state, ds), VMCS_DS},
        {NOVA_MTD_DS_ES, offsetof(struct nova_utcb_state, es), VMCS_ES},
        {NOVA_MTD_FS_GS, offsetof(struct nova_utcb_state, fs), VMCS_FS},
        {NOVA_MTD_FS_GS, offsetof(struct nova_utcb_state, gs), VMCS_GS},
        {NOVA_MTD_CS_SS, offsetof(struct nova_utcb_state, cs), VMCS_CS},
        {NOVA_MTD_CS_SS, offsetof(struct nova_utcb_state, ss), VMCS_SS},
        {NOVA_MTD_TR, offsetof(struct nova_utcb_state, tr), VMCS_TR},
        {NOVA_MTD_LDTR, offsetof(struct nova_utcb_state, ldtr), VMCS_LDTR},
};

static void segments_to_utcb(struct nova_utcb_state *state, nova_mtd_t mtd)
{
        for (unsigned i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
                const unsigned at = segments[i].segment * 2;
                struct nova_segment *out = (void *)((char *)state + segments[i].offset);
                if (!(mtd & segments[i].mtd))
                        continue;
                out->sel = (uint16_t)vmcs_read(VMCS_GUEST_ES_SEL + at);
                out->ar = (uint16_t)vmx_ar_to_message(vmcs_read(VMCS_GUEST_ES_AR + at));
                out->limit = (uint32_t)vmcs_read(VMCS_GUEST_ES_LIMIT + at);
                out->base = vmcs_read(VMCS_GUEST_ES_BASE + at);
        }
        if (mtd & NOVA_MTD_GDTR)
                state->gdtr = (struct nova_segment){
                        .limit = (uint32_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT),
                        .base = vmcs_read(VMCS_GUEST_GDTR_BASE),
                };
        if (mtd & NOVA_MTD_IDTR)
                state->idtr = (struct nova_segment){
                        .limit = (uint32_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT),
                        .base = vmcs_read(VMCS_GUEST_IDTR_BASE),
                };
}

static void segments_from_utcb(const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        for (unsigned i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
                const unsigned at = segments[i].segment * 2;
                const struct nova_segment *in =
                        (const void *)((const char *)state + segments[i].offset);
                if (!(mtd & segments[i].mtd))
                        continue;
                vmcs_write(VMCS_GUEST_ES_SEL + at, in->sel);
                vmcs_write(VMCS_GUEST_ES_AR + at, vmx_ar_from_message(in->ar));
                vmcs_write(VMCS_GUEST_ES_LIMIT + at, in->limit);
                vmcs_write(VMCS_GUEST_ES_BASE + at, (word_t)in->base);
        }
        if (mtd & NOVA_MTD_GDTR) {
                vmcs_write(VMCS_GUEST_GDTR_LIMIT, state->gdtr.limit);
                vmcs_write(VMCS_GUEST_GDTR_BASE, (word_t)state->gdtr.base);
        }
        if (mtd & NOVA_MTD_IDTR) {
                vmcs_write(VMCS_GUEST_IDTR_LIMIT, state->idtr.limit);
                vmcs_write(VMCS_GUEST_IDTR_BASE, (word_t)state->idtr.base);
        }
}

static word_t seen(unsigned field, unsigned shadow, word_t mask)
{
        return (vmcs_read(field) & ~mask) | (vmcs_read(shadow) & mask);
}

static void system_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_CR) {
                state->cr0 = seen(VMCS_GUEST_CR0, VMCS_CR0_SHADOW, VMX_CR0_MASK);
                state->cr2 = ec->vcpu->vmx.cr2;
                state->cr3 = vmcs_read(VMCS_GUEST_CR3);
                state->cr4 = seen(VMCS_GUEST_CR4, VMCS_CR4_SHADOW, VMX_CR4_MASK);
        }
        if (mtd & NOVA_MTD_DR)
                state->dr7 = vmcs_read(VMCS_GUEST_DR7);
        if (mtd & NOVA_MTD_SYS) {
                state->sysenter_cs = vmcs_read(VMCS_GUEST_SYSENTER_CS);
                state->sysenter_sp = vmcs_read(VMCS_GUEST_SYSENTER_SP);
                state->sysenter_ip = vmcs_read(VMCS_GUEST_SYSENTER_IP);
        }
#if __SIZEOF_POINTER__ == 8
        if (mtd & NOVA_MTD_CR8)
                state->cr8 = ec->vcpu->vmx.cr8;
#endif
}

/* An event that has not been delivered, or that the exit interrupted. */
static void injection_to_utcb(const struct ec *ec, struct nova_utcb_state *state)
{
        const bool pending =
                ec->event_number == VMX_EXIT_REFUSED || ec->event_number == NOVA_VMI_RECALL;
        const word_t controls = vmcs_read(VMCS_PRIMARY);

        state->inj_info = (uint32_t)vmcs_read(pending ? VMCS_ENTRY_INJ : VMCS_VECTORING);
        state->inj_info &= VMX_INJ_EVENT;
        if (controls & VMX_CTRL0_WINDOW)
                state->inj_info |= INJ_WINDOW;
        if (controls & VMX_CTRL0_NMI_WINDOW)
                state->inj_info |= INJ_NMI_WINDOW;
        if (ec->vcpu->vmx.cr8_window)
                state->inj_info |= VCPU_CR8_WINDOW;
        state->inj_error = (uint32_t)vmcs_read(pending ? VMCS_ENTRY_ERROR : VMCS_VECTORING_ERROR);
}

static word_t fault_address(const struct ec *ec)
{
        return ec->event_number == VMX_EXIT_EPT ? ec->event_qual[1] : 0;
}

static void exit_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_QUAL) {
                state->qual[0] = vmcs_read(VMCS_QUAL);
                state->qual[1] = fault_address(ec);
        }
        if (mtd & NOVA_MTD_INJ)
                injection_to_utcb(ec, state);
        if (mtd & NOVA_MTD_STA) {
                state->intr_state = (uint32_t)vmcs_read(VMCS_INTERRUPTIBILITY);
                state->actv_state = (uint32_t)vmcs_read(VMCS_ACTIVITY);
        }
        if (mtd & NOVA_MTD_TSC)
                state->tsc_offset = vmcs_read64(VMCS_TSC_OFFSET);
}

static void more_to_utcb(const struct ec *ec, struct nova_utcb_more *more, nova_mtd_t mtd)
{
        const struct vcpu *vcpu = ec->vcpu;
        const struct guest_msrs *msrs = &vcpu->vmx.msrs;

        if (mtd & NOVA_MTD_MSR) {
                more->efer = vmcs_read64(VMCS_GUEST_EFER);
                more->star = msrs->star;
                more->lstar = msrs->lstar;
                more->fmask = msrs->fmask;
                more->kernel_gs_base = ec->cpu->msr_owner == ec ? guest_msrs_kernel_gs_base(msrs)
                                                                : msrs->kernel_gs_base;
        }
        if (mtd & NOVA_MTD_PAT)
                more->pat = vmcs_read64(VMCS_GUEST_PAT);
        if (mtd & NOVA_MTD_DEBUG) {
                vcpu_read_debug_registers(ec, more->dr);
                more->dr6 = vcpu->vmx.dr6;
        }
        if (mtd & NOVA_MTD_GPA)
                more->gpa = ec->event_number == VMX_EXIT_EPT ? vmcs_read64(VMCS_GPA) : 0;
        if (mtd & NOVA_MTD_XCR0)
                more->xcr0 = vcpu->xcr0;
        if (mtd & NOVA_MTD_CSTAR_AUX) {
                more->cstar = msrs->cstar;
                more->tsc_aux = vcpu->tsc_aux;
        }
}

void vmx_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct nova_utcb_state *state = &utcb->state;

        vmx_load(ec);
        if (mtd & NOVA_MTD_ESP)
                state->sp = vmcs_read(VMCS_GUEST_SP);
        if (mtd & NOVA_MTD_EIP) {
                state->ip = vmcs_read(VMCS_GUEST_IP);
                state->inst_len = vmcs_read(VMCS_EXIT_LENGTH);
        }
        if (mtd & NOVA_MTD_EFL)
                state->flags = vmcs_read(VMCS_GUEST_FLAGS);
        if (unlikely(mtd & VCPU_SEGMENTS))
                segments_to_utcb(state, mtd);
        if (unlikely(mtd & VCPU_SYSTEM))
                system_to_utcb(ec, state, mtd);
        exit_to_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_MORE)
                more_to_utcb(ec, &utcb->event.more, mtd);
}

static void system_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        struct vcpu *vcpu = ec->vcpu;

        if (mtd & NOVA_MTD_CR) {
                const word_t cr0 = state->cr0, cr4 = state->cr4;
                vmcs_write(VMCS_GUEST_CR0, (cr0 & ~(word_t)VMX_CR0_MASK) | VMX_CR0_SET);
                vmcs_write(VMCS_CR0_SHADOW, cr0);
                vmcs_write(VMCS_GUEST_CR3, state->cr3);
                vmcs_write(VMCS_GUEST_CR4, (cr4 & ~(word_t)VMX_CR4_MASK) | VMX_CR4_SET);
                vmcs_write(VMCS_CR4_SHADOW, cr4);
                vcpu->vmx.cr2 = state->cr2;
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DR) {
                vmcs_write(VMCS_GUEST_DR7, state->dr7);
                vmx_use_debug_registers(vcpu);
        }
        if (mtd & NOVA_MTD_SYS) {
                vmcs_write(VMCS_GUEST_SYSENTER_CS, state->sysenter_cs);
                vmcs_write(VMCS_GUEST_SYSENTER_SP, state->sysenter_sp);
                vmcs_write(VMCS_GUEST_SYSENTER_IP, state->sysenter_ip);
        }
#if __SIZEOF_POINTER__ == 8
        if (mtd & NOVA_MTD_CR8)
                vcpu->vmx.cr8 = state->cr8 & 0xf;
#endif
}

void vmx_close_window(uint32_t window)
{
        vmcs_write(VMCS_PRIMARY, vmcs_read(VMCS_PRIMARY) & ~(word_t)window);
}

static void injection_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        const uint32_t info = state->inj_info;
        const uint32_t windows = (info & INJ_WINDOW ? VMX_CTRL0_WINDOW : 0) |
                                 (info & INJ_NMI_WINDOW ? VMX_CTRL0_NMI_WINDOW : 0);
        const bool valid = vmx_is_injectable(info);

        ec->vcpu->refused |= !valid;
        ec->vcpu->vmx.cr8_window = vcpu_wants_cr8_window(info, mtd);
        vmx_inject(valid ? info & VMX_INJ_EVENT : 0, state->inj_error, (uint32_t)state->inst_len);
        vmcs_write(VMCS_PRIMARY, (vmcs_read(VMCS_PRIMARY) & ~(word_t)VMX_CTRL0_WINDOWS) | windows);
}

static void controls_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        struct vcpu *vcpu = ec->vcpu;

        if (mtd & NOVA_MTD_CTRL) {
                const uint32_t wanted = state->ctrl[0];
                const uint32_t dr = vcpu->debugging ? 0 : VMX_CTRL0_DR;
                vcpu->vmx.wants_dr_exits = wanted & VMX_CTRL0_DR;
                vcpu->vmx.wants_wbinvd = state->ctrl[1] & VMX_CTRL1_WBINVD;
                vmcs_write(VMCS_PRIMARY, (vmcs_read(VMCS_PRIMARY) & VMX_CTRL0_WINDOWS) |
                                                 vmx_ctrl0(&vmx_offer, wanted | dr));
                vmcs_write(VMCS_SECONDARY, vmx_ctrl1(&vmx_offer, state->ctrl[1]));
        }
        if (mtd & NOVA_MTD_INJ)
                injection_from_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_STA) {
                const uint32_t activity = state->actv_state;
                vmcs_write(VMCS_INTERRUPTIBILITY, state->intr_state & STATE_BLOCKED);
                vmcs_write(VMCS_ACTIVITY, activity == VMX_HALTED ? VMX_HALTED : VMX_ACTIVE);
                vcpu->refused |= activity > VMX_HALTED; /* interrupts would not end the others */
        }
        if (mtd & NOVA_MTD_TSC)
                vmcs_write64(VMCS_TSC_OFFSET, vmcs_read64(VMCS_TSC_OFFSET) + state->tsc_offset);
}

/* EFER.LMA has to be what the entry control says. */
static void msrs_from_utcb(struct ec *ec, const struct nova_utcb_more *more)
{
        struct vcpu *vcpu = ec->vcpu;
        const uint64_t efer = more->efer;
        const struct guest_msrs msrs = {
                .star = more->star,
                .lstar = more->lstar,
                .cstar = vcpu->vmx.msrs.cstar,
                .fmask = more->fmask,
                .kernel_gs_base = more->kernel_gs_base,
        };
        const word_t entry = vmcs_read(VMCS_ENTRY) & ~(word_t)VMX_ENTRY_LONG;

        vcpu->refused |= !!(efer & ~(uint64_t)EFER_WRITABLE) || !guest_msrs_are_valid(&msrs);
        vmcs_write64(VMCS_GUEST_EFER, efer & EFER_WRITABLE);
        vmcs_write(VMCS_ENTRY, efer & EFER_WRITABLE & EFER_LMA ? entry | VMX_ENTRY_LONG : entry);
        if (guest_msrs_are_valid(&msrs))
                vcpu->vmx.msrs = msrs;
        vcpu_forget_translations(ec);
}

static void cstar_from_utcb(struct vcpu *vcpu, const struct nova_utcb_more *more)
{
        struct guest_msrs msrs = vcpu->vmx.msrs;

        msrs.cstar = more->cstar;
        vcpu->tsc_aux = (uint32_t)more->tsc_aux;
        if (guest_msrs_are_valid(&msrs))
                vcpu->vmx.msrs = msrs;
        else
                vcpu->refused = true;
}

static void more_from_utcb(struct ec *ec, const struct nova_utcb_more *more, nova_mtd_t mtd)
{
        struct vcpu *vcpu = ec->vcpu;

        if (mtd & NOVA_MTD_MSR)
                msrs_from_utcb(ec, more);
        if (mtd & NOVA_MTD_PAT) {
                vmcs_write64(VMCS_GUEST_PAT, more->pat);
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DEBUG) {
                if (ec->cpu->debug_owner == ec)
                        ec->cpu->debug_owner = NULL; /* loaded again at the next entry */
                memcpy(vcpu->dr, more->dr, sizeof(vcpu->dr));
                vcpu->vmx.dr6 = (uint32_t)more->dr6;
                vmx_use_debug_registers(vcpu);
        }
        if (mtd & NOVA_MTD_XCR0) {
                const uint64_t xcr0 = more->xcr0;
                if (fpu_xcr0_is_valid(xcr0))
                        vcpu->xcr0 = xcr0;
                else
                        vcpu->refused = true;
        }
        if (mtd & NOVA_MTD_CSTAR_AUX)
                cstar_from_utcb(vcpu, more);
}

static bool pages_by_pae(void)
{
        return vmcs_read(VMCS_GUEST_CR0) & CR0_PG && vmcs_read(VMCS_GUEST_CR4) & CR4_PAE &&
               !(vmcs_read64(VMCS_GUEST_EFER) & EFER_LMA);
}

/* An entry while an instruction is awaited takes the step's #DB from here (SDM 3C, 26.3.1.5). */
void vmx_fix_pending_step(void)
{
        const bool waits = vmcs_read(VMCS_INTERRUPTIBILITY) & (VMX_BLOCKED_STI | VMX_BLOCKED_SS) ||
                           vmcs_read(VMCS_ACTIVITY) == VMX_HALTED;
        const bool step = waits && vmcs_read(VMCS_GUEST_FLAGS) & FLAG_TF;
        const word_t pending = vmcs_read(VMCS_PENDING_DEBUG) & ~(word_t)VMX_PENDING_BS;

        vmcs_write(VMCS_PENDING_DEBUG, step ? pending | VMX_PENDING_BS : pending);
}

void vmx_from_utcb(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd)
{
        const struct nova_utcb_state *state = &utcb->state;

        vmx_load(ec);
        const bool paging = mtd & (NOVA_MTD_CR | NOVA_MTD_MSR);
        const bool pae = paging && pages_by_pae();
        const word_t cr3 = paging ? vmcs_read(VMCS_GUEST_CR3) : 0;
        if (mtd & NOVA_MTD_ESP)
                vmcs_write(VMCS_GUEST_SP, state->sp);
        if (mtd & NOVA_MTD_EIP)
                vmcs_write(VMCS_GUEST_IP, state->ip);
        if (mtd & NOVA_MTD_EFL)
                vmcs_write(VMCS_GUEST_FLAGS, state->flags);
        if (unlikely(mtd & VCPU_SEGMENTS))
                segments_from_utcb(state, mtd);
        if (unlikely(mtd & VCPU_SYSTEM))
                system_from_utcb(ec, state, mtd);
        controls_from_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_MORE)
                more_from_utcb(ec, &utcb->event.more, mtd);
        /* The four entries that CR3 leads to are in guest memory, which the kernel does not read.
         */
        if (paging && pages_by_pae())
                ec->vcpu->refused |= !pae || cr3 != vmcs_read(VMCS_GUEST_CR3);
        if (mtd & (NOVA_MTD_EFL | NOVA_MTD_STA))
                vmx_fix_pending_step();
}
