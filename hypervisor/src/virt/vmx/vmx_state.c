/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state in messages (see vmx_state.h). @spec 7.4, 8.4 */
#include "virt/vmx/vmx_state.h"

#include "arch/x86/msr.h"
#include "guest_msrs.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "sched/cpu.h"
#include "virt/cpu.h"
#include "virt/state.h"
#include "virt/vmx/vmcs.h"
#include "virt/vmx/vmx.h"

#define STATE_BLOCKED 0xf /* bits of the interruptibility state */

static word_t vmx_seen(unsigned field, unsigned shadow, word_t mask)
{
        return (vmcs_read(field) & ~mask) | (vmcs_read(shadow) & mask);
}

/* Registers that are in a field without conversion; 0: all others. */
static const uint16_t vmx_register_field[] = {
        [GUEST_CR3] = VMCS_GUEST_CR3,
        [GUEST_DR7] = VMCS_GUEST_DR7,
        [GUEST_FLAGS] = VMCS_GUEST_FLAGS,
        [GUEST_IP] = VMCS_GUEST_IP,
        [GUEST_SYSENTER_CS] = VMCS_GUEST_SYSENTER_CS,
        [GUEST_SYSENTER_SP] = VMCS_GUEST_SYSENTER_SP,
        [GUEST_SYSENTER_IP] = VMCS_GUEST_SYSENTER_IP,
};

indirect_target uint64_t vmx_read(const struct ec *ec, enum guest_register reg)
{
        const struct vcpu_vmx *vmx = &ec->vcpu->vmx;

        switch (reg) {
        case GUEST_CR0:
                return vmx_seen(VMCS_GUEST_CR0, VMCS_CR0_SHADOW, VMX_CR0_MASK);
        case GUEST_CR2:
                return vmx->cr2;
        case GUEST_CR4:
                return vmx_seen(VMCS_GUEST_CR4, VMCS_CR4_SHADOW, VMX_CR4_MASK);
        case GUEST_CR8:
                return vmx->cr8;
        case GUEST_DR6:
                return vmx->dr6;
        case GUEST_EFER:
                return vmcs_read64(VMCS_GUEST_EFER);
        case GUEST_FAULT_ADDRESS:
                return vmcs_read64(VMCS_GPA);
        case GUEST_PAT:
                return vmcs_read64(VMCS_GUEST_PAT);
        default:
                return vmcs_read(vmx_register_field[reg]);
        }
}

/* Writes EFER. The entry control must agree with EFER.LMA. */
static void vmx_write_efer(uint64_t efer)
{
        const word_t entry = vmcs_read(VMCS_ENTRY) & ~(word_t)VMX_ENTRY_LONG;

        vmcs_write64(VMCS_GUEST_EFER, efer);
        vmcs_write(VMCS_ENTRY, efer & EFER_LMA ? entry | VMX_ENTRY_LONG : entry);
}

indirect_target void vmx_write(struct ec *ec, enum guest_register reg, uint64_t value)
{
        struct vcpu_vmx *vmx = &ec->vcpu->vmx;
        const word_t word = (word_t)value;

        switch (reg) {
        case GUEST_CR0:
                vmcs_write(VMCS_GUEST_CR0, (word & ~(word_t)VMX_CR0_MASK) | VMX_CR0_SET);
                vmcs_write(VMCS_CR0_SHADOW, word);
                break;
        case GUEST_CR2:
                vmx->cr2 = word;
                break;
        case GUEST_CR4:
                vmcs_write(VMCS_GUEST_CR4, (word & ~(word_t)VMX_CR4_MASK) | VMX_CR4_SET);
                vmcs_write(VMCS_CR4_SHADOW, word);
                ec->vcpu->refused |= !!(word & VMX_CR4_OFF);
                break;
        case GUEST_CR8:
                vmx->cr8 = word & 0xf;
                break;
        case GUEST_DR6:
                vmx->dr6 = (uint32_t)value;
                break;
        case GUEST_EFER:
                vmx_write_efer(value);
                break;
        case GUEST_PAT:
                vmcs_write64(VMCS_GUEST_PAT, value);
                break;
        default:
                vmcs_write(vmx_register_field[reg], word);
                break;
        }
}

indirect_target void vmx_read_segment(const struct ec *ec, enum guest_segment segment,
                                      struct nova_segment *to)
{
        const unsigned at = segment * 2u;

        (void)ec;
        if (segment == GUEST_GDTR || segment == GUEST_IDTR) {
                const unsigned table = (segment - GUEST_GDTR) * 2u;
                *to = (struct nova_segment){
                        .limit = (uint32_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT + table),
                        .base = vmcs_read(VMCS_GUEST_GDTR_BASE + table),
                };
                return;
        }
        to->sel = (uint16_t)vmcs_read(VMCS_GUEST_ES_SEL + at);
        to->ar = (uint16_t)vmx_ar_to_message(vmcs_read(VMCS_GUEST_ES_AR + at));
        to->limit = (uint32_t)vmcs_read(VMCS_GUEST_ES_LIMIT + at);
        to->base = vmcs_read(VMCS_GUEST_ES_BASE + at);
}

indirect_target void vmx_write_segment(struct ec *ec, enum guest_segment segment,
                                       const struct nova_segment *from)
{
        const unsigned at = segment * 2u;

        (void)ec;
        if (segment == GUEST_GDTR || segment == GUEST_IDTR) {
                const unsigned table = (segment - GUEST_GDTR) * 2u;
                vmcs_write(VMCS_GUEST_GDTR_LIMIT + table, from->limit);
                vmcs_write(VMCS_GUEST_GDTR_BASE + table, (word_t)from->base);
                return;
        }
        vmcs_write(VMCS_GUEST_ES_SEL + at, from->sel);
        vmcs_write(VMCS_GUEST_ES_AR + at, vmx_ar_from_message(from->ar));
        vmcs_write(VMCS_GUEST_ES_LIMIT + at, from->limit);
        vmcs_write(VMCS_GUEST_ES_BASE + at, (word_t)from->base);
}

indirect_target void vmx_read_msrs(const struct ec *ec, struct guest_msrs *msrs)
{
        *msrs = ec->vcpu->vmx.msrs;
        if (cpu_virt_of(ec->cpu)->msr_owner == ec)
                msrs->kernel_gs_base = guest_msrs_kernel_gs_base(msrs);
}

indirect_target bool vmx_write_msrs(struct ec *ec, const struct guest_msrs *msrs)
{
        if (!guest_msrs_are_valid(msrs))
                return false;
        ec->vcpu->vmx.msrs = *msrs;
        return true;
}

/* Copies to the handler the event that was not delivered yet or that the exit interrupted. */
static void vmx_injection_to_utcb(const struct ec *ec, struct nova_utcb_state *state)
{
        const bool pending = ec->event_number == NOVA_VMX_INVALID_GUEST_STATE ||
                             ec->event_number == NOVA_VMI_RECALL;
        const word_t controls = vmcs_read(VMCS_PRIMARY);

        state->inj_info = (uint32_t)vmcs_read(pending ? VMCS_ENTRY_INJ : VMCS_VECTORING);
        state->inj_info &= NOVA_INJ_EVENT;
        if (controls & NOVA_VMX_CTRL0_WINDOW)
                state->inj_info |= NOVA_INJ_WINDOW;
        if (controls & NOVA_VMX_CTRL0_NMI_WINDOW)
                state->inj_info |= NOVA_INJ_NMI_WINDOW;
        if (ec->vcpu->vmx.cr8_window)
                state->inj_info |= NOVA_INJ_CR8_WINDOW;
        state->inj_error = (uint32_t)vmcs_read(pending ? VMCS_ENTRY_ERROR : VMCS_VECTORING_ERROR);
}

/* Returns the guest-physical address of an access that exited, or 0. event_qual has it without the
 * bits beyond a word. */
static uint64_t vmx_fault_address(const struct ec *ec)
{
        if (ec->event_number != NOVA_VMX_EPT_VIOLATION)
                return 0;
        return sizeof(word_t) == 8 ? ec->event_qual[1] : vmcs_read64(VMCS_GPA);
}

static void vmx_exit_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_QUAL) {
                state->qual[0] = vmcs_read(VMCS_QUAL);
                state->qual[1] = vmx_fault_address(ec);
        }
        if (mtd & NOVA_MTD_INJ)
                vmx_injection_to_utcb(ec, state);
        if (mtd & NOVA_MTD_STA) {
                state->intr_state = (uint32_t)vmcs_read(VMCS_INTERRUPTIBILITY);
                state->actv_state = (uint32_t)vmcs_read(VMCS_ACTIVITY);
        }
        if (mtd & NOVA_MTD_TSC)
                state->tsc_offset = vmcs_read64(VMCS_TSC_OFFSET);
}

indirect_target void vmx_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
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
        if (unlikely(mtd & GUEST_GROUPS))
                guest_groups_to_utcb(ec, state, mtd);
        vmx_exit_to_utcb(ec, state, mtd);
        if (mtd & GUEST_MORE)
                guest_more_to_utcb(ec, utcb, mtd);
}

void vmx_close_window(uint32_t window)
{
        vmcs_write(VMCS_PRIMARY, vmcs_read(VMCS_PRIMARY) & ~(word_t)window);
}

void vmx_inject(uint32_t info, uint32_t error, uint32_t length)
{
        vmcs_write(VMCS_ENTRY_INJ, info);
        vmcs_write(VMCS_ENTRY_ERROR, error);
        vmcs_write(VMCS_ENTRY_LENGTH, length);
}

static void vmx_injection_from_utcb(struct ec *ec, const struct nova_utcb_state *state,
                                    nova_mtd_t mtd)
{
        const uint32_t info = state->inj_info;
        const uint32_t windows = (info & NOVA_INJ_WINDOW ? NOVA_VMX_CTRL0_WINDOW : 0) |
                                 (info & NOVA_INJ_NMI_WINDOW ? NOVA_VMX_CTRL0_NMI_WINDOW : 0);
        const bool valid = vmx_is_injectable(info);

        ec->vcpu->refused |= !valid;
        ec->vcpu->vmx.cr8_window = vcpu_wants_cr8_window(info, mtd);
        vmx_inject(valid ? info & NOVA_INJ_EVENT : 0, state->inj_error, (uint32_t)state->inst_len);
        vmcs_write(VMCS_PRIMARY, (vmcs_read(VMCS_PRIMARY) & ~(word_t)VMX_CTRL0_WINDOWS) | windows);
}

static void vmx_controls_from_utcb(struct ec *ec, const struct nova_utcb_state *state,
                                   nova_mtd_t mtd)
{
        struct vcpu *vcpu = ec->vcpu;

        if (mtd & NOVA_MTD_CTRL) {
                const uint32_t wanted = state->ctrl[0];
                const uint32_t dr = vcpu->debugging ? 0 : NOVA_VMX_CTRL0_DR;
                vcpu->wants_dr_exits = wanted & NOVA_VMX_CTRL0_DR;
                vcpu->wants_wbinvd = state->ctrl[1] & NOVA_VMX_CTRL1_WBINVD;
                vmcs_write(VMCS_PRIMARY, (vmcs_read(VMCS_PRIMARY) & VMX_CTRL0_WINDOWS) |
                                                 vmx_ctrl0(&vmx_offer, wanted | dr));
                vmcs_write(VMCS_SECONDARY, vmx_ctrl1(&vmx_offer, state->ctrl[1]));
        }
        if (mtd & NOVA_MTD_INJ)
                vmx_injection_from_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_STA) {
                const uint32_t activity = state->actv_state;
                vmcs_write(VMCS_INTERRUPTIBILITY, state->intr_state & STATE_BLOCKED);
                vmcs_write(VMCS_ACTIVITY, activity == NOVA_ACTIVITY_HALTED ? NOVA_ACTIVITY_HALTED
                                                                           : NOVA_ACTIVITY_RUNS);
                vcpu->refused |=
                        activity > NOVA_ACTIVITY_HALTED; /* interrupts do not end other states */
        }
        if (mtd & NOVA_MTD_TSC)
                vmcs_write64(VMCS_TSC_OFFSET, vmcs_read64(VMCS_TSC_OFFSET) + state->tsc_offset);
}

static bool vmx_pages_by_pae(void)
{
        return vmcs_read(VMCS_GUEST_CR0) & CR0_PG && vmcs_read(VMCS_GUEST_CR4) & CR4_PAE &&
               !(vmcs_read64(VMCS_GUEST_EFER) & EFER_LMA);
}

/* Refuses a change of CR3 under PAE paging: CR3 then names four entries in guest memory, which the
 * kernel does not read. pae, cr3: the state before the message. */
static void vmx_check_pdptes(struct vcpu *vcpu, bool pae, word_t cr3)
{
        if (!vmx_pages_by_pae())
                vcpu->refused &= ~REFUSED_PDPTES;
        else if (!pae || cr3 != vmcs_read(VMCS_GUEST_CR3))
                vcpu->refused |= REFUSED_PDPTES;
}

/* Updates the pending #DB of a single step for an entry in an interrupt shadow or in the halted
 * state (SDM 3C, 26.3.1.5). */
void vmx_fix_pending_step(void)
{
        const bool waits = vmcs_read(VMCS_INTERRUPTIBILITY) & (NOVA_STA_STI | NOVA_STA_SS) ||
                           vmcs_read(VMCS_ACTIVITY) == NOVA_ACTIVITY_HALTED;
        const bool step = waits && vmcs_read(VMCS_GUEST_FLAGS) & FLAG_TF;
        const word_t pending = vmcs_read(VMCS_PENDING_DEBUG) & ~(word_t)VMX_PENDING_BS;

        vmcs_write(VMCS_PENDING_DEBUG, step ? pending | VMX_PENDING_BS : pending);
}

indirect_target void vmx_from_utcb(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd)
{
        const struct nova_utcb_state *state = &utcb->state;

        vmx_load(ec);
        const bool paging = mtd & (NOVA_MTD_CR | NOVA_MTD_MSR);
        const bool pae = paging && vmx_pages_by_pae();
        const word_t cr3 = paging ? vmcs_read(VMCS_GUEST_CR3) : 0;
        if (mtd & NOVA_MTD_ESP)
                vmcs_write(VMCS_GUEST_SP, state->sp);
        if (mtd & NOVA_MTD_EIP)
                vmcs_write(VMCS_GUEST_IP, state->ip);
        if (mtd & NOVA_MTD_EFL)
                vmcs_write(VMCS_GUEST_FLAGS, state->flags);
        if (unlikely(mtd & GUEST_GROUPS))
                guest_groups_from_utcb(ec, state, mtd);
        vmx_controls_from_utcb(ec, state, mtd);
        if (mtd & GUEST_MORE)
                guest_more_from_utcb(ec, &utcb->event, mtd);
        if (paging)
                vmx_check_pdptes(ec->vcpu, pae, cr3);
        if (mtd & (NOVA_MTD_EFL | NOVA_MTD_STA))
                vmx_fix_pending_step();
}
