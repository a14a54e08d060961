/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies a guest's state between its control block and a message. @spec 7.4, 8.4 */
#include "arch/x86/features.h"
#include "arch/x86/msr.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "virt/state.h"
#include "virt/svm/svm.h"

#define SS_DPL_SHIFT 5
#define SS_DPL       (3u << SS_DPL_SHIFT)

/* Groups with state that the CPU checks at an entry (APM 2, 15.5.1). */
#define STATE_CHECKED \
        (NOVA_MTD_CR | NOVA_MTD_CS_SS | NOVA_MTD_DR | NOVA_MTD_MSR | NOVA_MTD_PAT | NOVA_MTD_DEBUG)

/* Registers that are in the block without conversion. */
static const uint16_t svm_register_offset[] = {
        [GUEST_CR0] = offsetof(struct vmcb, cr0),
        [GUEST_CR2] = offsetof(struct vmcb, cr2),
        [GUEST_CR3] = offsetof(struct vmcb, cr3),
        [GUEST_CR4] = offsetof(struct vmcb, cr4),
        [GUEST_DR6] = offsetof(struct vmcb, dr6),
        [GUEST_DR7] = offsetof(struct vmcb, dr7),
        [GUEST_FLAGS] = offsetof(struct vmcb, rflags),
        [GUEST_IP] = offsetof(struct vmcb, rip),
        [GUEST_FAULT_ADDRESS] = offsetof(struct vmcb, exit_info[1]),
        [GUEST_PAT] = offsetof(struct vmcb, pat),
        [GUEST_SYSENTER_CS] = offsetof(struct vmcb, sysenter_cs),
        [GUEST_SYSENTER_SP] = offsetof(struct vmcb, sysenter_sp),
        [GUEST_SYSENTER_IP] = offsetof(struct vmcb, sysenter_ip),
};

static const uint16_t svm_segment_offset[] = {
        [GUEST_ES] = offsetof(struct vmcb, es),     [GUEST_CS] = offsetof(struct vmcb, cs),
        [GUEST_SS] = offsetof(struct vmcb, ss),     [GUEST_DS] = offsetof(struct vmcb, ds),
        [GUEST_FS] = offsetof(struct vmcb, fs),     [GUEST_GS] = offsetof(struct vmcb, gs),
        [GUEST_LDTR] = offsetof(struct vmcb, ldtr), [GUEST_TR] = offsetof(struct vmcb, tr),
        [GUEST_GDTR] = offsetof(struct vmcb, gdtr), [GUEST_IDTR] = offsetof(struct vmcb, idtr),
};

static void *svm_field(const struct ec *ec, unsigned offset)
{
        return (char *)ec->vcpu->control + offset;
}

indirect_target uint64_t svm_read(const struct ec *ec, enum guest_register reg)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        if (reg == GUEST_CR8)
                return vmcb->vintr & SVM_VINTR_TPR;
        if (reg == GUEST_EFER)
                return (vmcb->efer & ~(uint64_t)EFER_SVME) | (ec->vcpu->svm.lme ? EFER_LME : 0);
        return *(const uint64_t *)svm_field(ec, svm_register_offset[reg]);
}

indirect_target void svm_write(struct ec *ec, enum guest_register reg, uint64_t value)
{
        struct vmcb *vmcb = ec->vcpu->control;

        if (reg == GUEST_CR8) {
                vmcb->vintr = (vmcb->vintr & ~(uint64_t)SVM_VINTR_TPR) | (value & SVM_VINTR_TPR);
        } else if (reg == GUEST_EFER) {
                vmcb->efer = value | EFER_SVME;
                vmcb->cr_intercepts &= SVM_WRITES_CR8;
                ec->vcpu->svm.lme = features_emulated() && value & EFER_LME;
        } else {
                *(uint64_t *)svm_field(ec, svm_register_offset[reg]) = value;
        }
}

indirect_target void svm_read_segment(const struct ec *ec, enum guest_segment segment,
                                      struct nova_segment *to)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        *to = *(const struct nova_segment *)svm_field(ec, svm_segment_offset[segment]);
        if (segment == GUEST_SS) /* report CPL as DPL, as VMX does: SYSRET does not change the
                                  * DPL */
                to->ar = (uint16_t)((to->ar & ~SS_DPL) | vmcb->cpl << SS_DPL_SHIFT);
}

indirect_target void svm_write_segment(struct ec *ec, enum guest_segment segment,
                                       const struct nova_segment *from)
{
        struct vmcb *vmcb = ec->vcpu->control;
        struct nova_segment *to = svm_field(ec, svm_segment_offset[segment]);

        *to = *from;
        if (segment == GUEST_SS)
                vmcb->cpl = to->ar >> SS_DPL_SHIFT & 3;
}

indirect_target void svm_read_msrs(const struct ec *ec, struct guest_msrs *msrs)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        *msrs = vmcb->msrs;
}

indirect_target bool svm_write_msrs(struct ec *ec, const struct guest_msrs *msrs)
{
        struct vmcb *vmcb = ec->vcpu->control;

        vmcb->msrs = *msrs;
        return true;
}

/* Returns true for INT n, INT3 and INTO: their delivery pushes the address after the instruction
 * (APM 2, 15.20). */
static bool svm_is_software_event(uint64_t event)
{
        const unsigned type = event & NOVA_INJ_TYPE, vector = event & 0xff;

        if (likely(type < NOVA_INJ_EXCEPTION))
                return false;
        return type == NOVA_INJ_SOFTWARE_INTERRUPT ||
               (type == NOVA_INJ_EXCEPTION && (vector == NOVA_EXC_BP || vector == NOVA_EXC_OF));
}

/* Returns an event of the control block in the form in which the VMM injected it. */
static uint64_t svm_injected_event(const struct vcpu *vcpu, uint64_t event)
{
        const bool soft = (event & NOVA_INJ_EVENT) == vcpu->svm.soft_event;

        return soft && vcpu->svm.soft_interrupt ? event & ~(uint64_t)NOVA_INJ_TYPE : event;
}

/* Omits the event of an INT n, INT3 or INTO that the guest has executed: IP is still at the
 * instruction, so the guest executes it again. To inject the event, the kernel would need the
 * instruction's length. Returns the event if it was injected, because then no instruction raises it
 * again. Also returns the event if the exit is a task switch, which the VMM finishes. */
uint64_t svm_interrupted_event(const struct vcpu *vcpu)
{
        const struct vmcb *vmcb = vcpu->control;
        const uint64_t event = vmcb->exit_int_info;

        if (likely(!(event & NOVA_INJ_VALID)))
                return 0;
        if (svm_is_software_event(event) && vmcb->exit_code != NOVA_SVM_TASK_SWITCH &&
            ((event & NOVA_INJ_EVENT) != vcpu->svm.soft_event || vmcb->rip != vcpu->svm.soft_ip))
                return 0;
        return svm_injected_event(vcpu, event);
}

static bool svm_is_pending(const struct ec *ec)
{
        return ec->event_number == NOVA_SVM_INVALID_GUEST_STATE ||
               ec->event_number == NOVA_VMI_RECALL;
}

word_t svm_instruction_length(const struct vmcb *vmcb)
{
        const uint64_t next =
                vmcb->exit_code == NOVA_SVM_IO_ACCESS ? vmcb->exit_info[1] : vmcb->next_rip;
        const uint32_t length = (uint32_t)(next - vmcb->rip); /* outside 64-bit mode, IP wraps */

        return length <= 15 ? length : 0;
}

static void svm_exit_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        if (mtd & NOVA_MTD_QUAL) {
                state->qual[0] = vmcb->exit_info[0];
                state->qual[1] = vmcb->exit_info[1];
        }
        if (mtd & NOVA_MTD_INJ) {
                const struct vcpu *vcpu = ec->vcpu;
                const uint64_t event = svm_is_pending(ec)
                                               ? svm_injected_event(vcpu, vmcb->event_inj)
                                               : svm_interrupted_event(vcpu);
                state->inj_info = (uint32_t)event & NOVA_INJ_EVENT;
                if (svm_has_window(vmcb))
                        state->inj_info |= NOVA_INJ_WINDOW;
                if (unlikely(vmcb->cr_intercepts & SVM_WRITES_CR8))
                        state->inj_info |= NOVA_INJ_CR8_WINDOW;
                state->inj_error = (uint32_t)(event >> 32);
        }
        if (mtd & NOVA_MTD_STA) {
                state->intr_state = (uint32_t)vmcb->interrupt_shadow & 1;
                state->actv_state = 0;
        }
        if (mtd & NOVA_MTD_TSC)
                state->tsc_offset = vmcb->tsc_offset;
}

indirect_target void svm_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        const struct vmcb *vmcb = ec->vcpu->control;
        struct nova_utcb_state *state = &utcb->state;

        if (mtd & NOVA_MTD_ESP)
                state->sp = (word_t)vmcb->rsp;
        if (mtd & NOVA_MTD_EIP) {
                state->ip = (word_t)vmcb->rip;
                state->inst_len = svm_instruction_length(vmcb);
        }
        if (mtd & NOVA_MTD_EFL)
                state->flags = (word_t)vmcb->rflags;
        if (unlikely(mtd & GUEST_GROUPS))
                guest_groups_to_utcb(ec, state, mtd);
        svm_exit_to_utcb(ec, state, mtd);
        if (mtd & GUEST_MORE)
                guest_more_to_utcb(ec, utcb, mtd);
}

void svm_close_window(struct vmcb *vmcb)
{
        vmcb->ctrl[0] &= ~(uint32_t)NOVA_SVM_CTRL0_VINTR;
}

/* Types: 0 interrupt, 2 NMI, 3 exception (not vector 2), 4 software interrupt (APM 2, 15.20). */
static bool svm_is_injectable(uint32_t info)
{
        const unsigned type = info & NOVA_INJ_TYPE, vector = info & NOVA_INJ_VECTOR;

        if (!(info & NOVA_INJ_VALID) || type == NOVA_INJ_INTERRUPT || type == NOVA_INJ_NMI ||
            type == NOVA_INJ_SOFTWARE_INTERRUPT)
                return true;
        return type == NOVA_INJ_EXCEPTION && vector < 32 && vector != 2;
}

/* Injects an event. For a software event, the CPU pushes next_rip, or the current IP if it lacks
 * this field. */
static void svm_inject(struct vcpu *vcpu, uint64_t event)
{
        struct vmcb *vmcb = vcpu->control;

        vmcb->event_inj = event;
        vcpu->svm.soft_event = 0;
        vcpu->svm.soft_interrupt = false;
        if (likely(!svm_is_software_event(event)))
                return;
        vcpu->svm.soft_event = event & NOVA_INJ_EVENT;
        vcpu->svm.soft_ip = vmcb->rip;
        if (cpu_has(FEATURE_NEXT_RIP))
                vmcb->next_rip = vmcb->rip;
}

indirect_target void svm_end_step(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        if (vcpu->svm.steps && vmcb->rip == vcpu->svm.step_ip)
                vmcb->rflags =
                        (vmcb->rflags & ~(uint64_t)FLAG_TF) | (vcpu->svm.guest_tf ? FLAG_TF : 0);
        vmcb->exception_intercepts = SVM_EXCEPTIONS_FORCED;
        vcpu->svm.steps = false;
}

static void svm_begin_step(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        vcpu->svm.steps = true;
        vcpu->svm.step_ip = vmcb->rip;
        vcpu->svm.guest_tf = vmcb->rflags & FLAG_TF;
        vmcb->rflags |= FLAG_TF;
        vmcb->exception_intercepts = SVM_EXCEPTIONS_STEP;
}

static void svm_controls_from_utcb(struct ec *ec, const struct nova_utcb_state *state,
                                   nova_mtd_t mtd)
{
        struct vmcb *vmcb = ec->vcpu->control;

        if (mtd & NOVA_MTD_CTRL) {
                const uint32_t window = vmcb->ctrl[0] & NOVA_SVM_CTRL0_VINTR;
                vmcb->ctrl[0] = (state->ctrl[0] & ~(uint32_t)NOVA_SVM_CTRL0_VINTR) |
                                SVM_CTRL0_FORCED | window;
                vmcb->ctrl[1] = (state->ctrl[1] & SVM_CTRL1_ALLOWED) | SVM_CTRL1_FORCED;
                ec->vcpu->wants_wbinvd = state->ctrl[1] & NOVA_SVM_CTRL1_WBINVD;
        }
        if (mtd & NOVA_MTD_INJ) {
                const uint32_t info = state->inj_info;
                const bool valid = svm_is_injectable(info);
                ec->vcpu->refused |= !valid;
                svm_inject(ec->vcpu,
                           valid ? (info & NOVA_INJ_EVENT) | (uint64_t)state->inj_error << 32 : 0);
                if (unlikely(info & NOVA_INJ_STEP))
                        svm_begin_step(ec->vcpu);
                /* Each entry offers a virtual interrupt of the highest priority and intercepts
                 * its delivery: the guest exits as soon as it can take an interrupt. */
                svm_close_window(vmcb);
                vmcb->ctrl[0] |= info & NOVA_INJ_WINDOW ? NOVA_SVM_CTRL0_VINTR : 0;
                vmcb->cr_intercepts &= ~(uint32_t)SVM_WRITES_CR8;
                if (unlikely(vcpu_wants_cr8_window(info, mtd)))
                        vmcb->cr_intercepts |= SVM_WRITES_CR8;
        }
        if (mtd & NOVA_MTD_STA)
                vmcb->interrupt_shadow = state->intr_state & 1;
        if (mtd & NOVA_MTD_TSC)
                vmcb->tsc_offset += state->tsc_offset;
}

indirect_target void svm_from_utcb(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct vmcb *vmcb = ec->vcpu->control;
        const struct nova_utcb_state *state = &utcb->state;

        ec->vcpu->unproven |= !!(mtd & STATE_CHECKED);
        if (mtd & NOVA_MTD_ESP)
                vmcb->rsp = state->sp;
        if (mtd & NOVA_MTD_EIP)
                vmcb->rip = state->ip;
        if (mtd & NOVA_MTD_EFL)
                vmcb->rflags = state->flags;
        if (unlikely(mtd & GUEST_GROUPS))
                guest_groups_from_utcb(ec, state, mtd);
        svm_controls_from_utcb(ec, state, mtd);
        if (mtd & GUEST_MORE)
                guest_more_from_utcb(ec, &utcb->event, mtd);
}
