/* SPDX-License-Identifier: BSD-2-Clause */
/* Handling of SVM exits (APM 2, chapter 15 and appendix C). */
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/machine_check.h"
#include "arch/x86/msr.h"
#include "arch/x86/vectors.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "virt/cpu.h"
#include "virt/exit.h"
#include "virt/svm/svm.h"

/* Lengths of instructions without prefixes, for CPUs that do not report the next instruction's
 * address. The kernel assumes no prefixes, because it does not read a guest's memory. */
#define XSETBV_BYTES 3
#define WBINVD_BYTES 2

#define INJECT_EXCEPTION (NOVA_INJ_VALID | NOVA_INJ_EXCEPTION)

static void svm_inject_exception(struct ec *ec, unsigned vector, uint64_t flags)
{
        struct vmcb *vmcb = ec->vcpu->control;

        vmcb->event_inj = INJECT_EXCEPTION | flags | vector;
}

indirect_target unsigned svm_exception_vector(const struct ec *ec)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        return (unsigned)vmcb->exit_code - NOVA_SVM_EXCEPTION;
}

indirect_target uint64_t svm_next_ip(const struct ec *ec)
{
        const struct vmcb *vmcb = ec->vcpu->control;
        const word_t length = svm_instruction_length(vmcb);

        if (vmcb->exit_code == NOVA_SVM_IO_ACCESS)
                return vmcb->exit_info[1];
        if (length)
                return vmcb->rip + length;
        return vmcb->rip + (vmcb->exit_code == NOVA_SVM_XSETBV ? XSETBV_BYTES : WBINVD_BYTES);
}

indirect_target void svm_deliver_again(struct ec *ec)
{
        struct vmcb *vmcb = ec->vcpu->control;

        vmcb->event_inj = svm_interrupted_event(ec->vcpu);
}

/* Reflects an exception to the guest. An exception other than #DB and #AC reaches this function
 * only if it has ended a step of the VMM (SVM_EXCEPTIONS_STEP). Exceptions in real mode have no
 * error codes. */
indirect_target void svm_reflect_exception(struct ec *ec)
{
        struct vmcb *vmcb = ec->vcpu->control;
        const unsigned vector = svm_exception_vector(ec);
        uint64_t flags = vector == NOVA_EXC_AC ? NOVA_INJ_ERROR : 0;

        if (vector == NOVA_EXC_PF)
                vmcb->cr2 = vmcb->exit_info[1];
        if (vector != NOVA_EXC_AC && VECTORS_WITH_ERROR >> vector & 1 && vmcb->cr0 & CR0_PE)
                flags = NOVA_INJ_ERROR | vmcb->exit_info[0] << 32;
        svm_inject_exception(ec, vector, flags);
}

indirect_target void svm_raise(struct ec *ec, unsigned vector, bool error)
{
        svm_inject_exception(ec, vector, error ? NOVA_INJ_ERROR : 0);
}

indirect_target void svm_raise_step(struct ec *ec)
{
        struct vmcb *vmcb = ec->vcpu->control;

        vmcb->dr6 |= DR6_STEP;
        svm_inject_exception(ec, NOVA_EXC_DB, 0);
}

indirect_target void svm_end_shadow(struct ec *ec)
{
        struct vmcb *vmcb = ec->vcpu->control;

        vmcb->interrupt_shadow = 0;
}

indirect_target void svm_grant_debug_registers(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        vmcb->dr_intercepts = 0;
}

static _Noreturn void finish_svm_xsetbv(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const uint64_t value = (uint32_t)self->regs.ax | (uint64_t)(uint32_t)self->regs.dx << 32;

        if ((uint32_t)self->regs.cx || vmcb->cpl || !fpu_xcr0_is_valid(value))
                resume_with_protection_fault(self);
        self->vcpu->xcr0 = value;
        resume_after_instruction(self);
}

static void svm_finish_port_or_return(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;
        const uint32_t info = (uint32_t)vmcb->exit_info[0];
        const unsigned bytes = info >> SVM_IO_SIZE_SHIFT & 7;

        if (bytes && !(info & SVM_IO_STRING))
                finish_port_or_return(self, info >> SVM_IO_PORT_SHIFT, bytes, info & SVM_IO_IN);
}

/* Shuts the guest down if it has caused the machine check of erratum 383, by its own page tables.
 * In this case the machine check is over, and the next entry of a guest flushes all TLB entries of
 * guests. */
static void svm_finish_match_or_return(struct ec *self)
{
        if (!machine_check_forget_match())
                return;
        cpu_virt_of(self->cpu)->tag_flush = true;
        block_on_event(self, NOVA_SVM_TRIPLE_FAULT, 0, 0);
}

/* Classifies exits that accesses to registers, exceptions or interrupts have caused. Only the
 * kernel sets the intercepts for these exits. */
static enum guest_exit svm_classify_low(struct ec *self, unsigned code)
{
        struct vcpu_svm *svm = &self->vcpu->svm;
        struct vmcb *vmcb = self->vcpu->control;

        if (code >= NOVA_SVM_DR_READ && code < SVM_EXIT_DR_END)
                return GUEST_EXIT_DEBUG_REGISTER;
        if (code >= NOVA_SVM_EXCEPTION && code < NOVA_SVM_EXCEPTION + 32) {
                if (code == NOVA_SVM_EXCEPTION + NOVA_EXC_MC)
                        svm_finish_match_or_return(self);
                return GUEST_EXIT_EXCEPTION;
        }
        svm->writes_cr0 = svm->lme && code == SVM_EXIT_CR0_WRITE;
        if (code >= NOVA_SVM_INTR || (svm->lme && code != SVM_EXIT_CR8_WRITE))
                return GUEST_EXIT_HOST;
        if (code == SVM_EXIT_CR8_WRITE)
                vmcb->cr_intercepts &= ~(uint32_t)SVM_WRITES_CR8;
        return GUEST_EXIT_EVENT;
}

/* Classifies an exit. Does not return if it handles the exit itself. */
static enum guest_exit svm_classify(struct ec *self, unsigned code)
{
        if (code <= NOVA_SVM_NMI)
                return svm_classify_low(self, code);
        if (code == NOVA_SVM_INTERRUPT_WINDOW)
                svm_close_window(self->vcpu->control);
        if (code == NOVA_SVM_XSETBV)
                finish_svm_xsetbv(self);
        if (code == NOVA_SVM_IO_ACCESS)
                svm_finish_port_or_return(self);
        if (code == NOVA_SVM_WBINVD)
                return GUEST_EXIT_WBINVD;
        /* If the guest's CR4.MCE is off, a machine check raises no #MC but shuts the guest down. */
        if (code == NOVA_SVM_TRIPLE_FAULT && machine_check_happened()) {
                svm_finish_match_or_return(self);
                return GUEST_EXIT_MACHINE_CHECK;
        }
        return GUEST_EXIT_EVENT;
}

/* Delivers the event of a nested page fault, or of state that the CPU refused. The exit code of
 * refused state is -1, in 64 or 32 bits. */
static _Noreturn void block_on_svm_failure(struct ec *self)
{
        const struct vmcb *vmcb = self->vcpu->control;

        if (vmcb->exit_code == SVM_EXIT_NPF)
                block_on_event(self, NOVA_SVM_NPT_FAULT, (word_t)vmcb->exit_info[0],
                               (word_t)vmcb->exit_info[1]);
        block_on_event(self, NOVA_SVM_INVALID_GUEST_STATE, (word_t)vmcb->exit_info[0], 0);
}

/* Returns true if the exit is the #DB of a step that the VMM requested. If the guest itself also
 * single-steps, the message describes the guest's #DB as the event that the exit interrupted. An
 * interrupt of the host arrives before the instruction and does not end the step. */
static bool svm_ends_step(struct vcpu *vcpu, uint64_t code)
{
        struct vmcb *vmcb = vcpu->control;
        const bool own = vcpu->svm.guest_tf;

        if (code == NOVA_SVM_INTR || code == NOVA_SVM_NMI)
                return false;
        svm_end_step(vcpu);
        if (code != NOVA_SVM_EXCEPTION + NOVA_EXC_DB || !(vmcb->dr6 & DR6_STEP))
                return false;
        if (own)
                vmcb->exit_int_info = INJECT_EXCEPTION | NOVA_EXC_DB;
        else
                vmcb->dr6 &= ~(uint64_t)DR6_STEP;
        return true;
}

/* Repairs the block after a refused entry: the CPU may have written anything into it (QEMU: the
 * kernel's state). The guest's state stays marked as unproven until an entry succeeds. */
static void svm_take_refusal(const struct ec *self)
{
        struct vmcb *vmcb = self->vcpu->control;

        svm_write_controls(self->vcpu, self);
        vmcb->vintr = self->vcpu->svm.vintr;
        if (self->vcpu->unproven)
                svm_restore_state(self->vcpu);
}

/* Repairs the code segment: QEMU's TCG (7.2) enters 64-bit code by SYSENTER with both L and D set.
 * QEMU refuses this segment at the next entry and loses the guest's RIP. A real CPU sets only L. */
static void svm_mend_code_segment(struct vmcb *vmcb)
{
        const bool both = !(~vmcb->cs.ar & (SVM_AR_L | SVM_AR_D));

        if (unlikely(both) && vmcb->efer & EFER_LMA && features_emulated())
                vmcb->cs.ar &= (uint16_t)~SVM_AR_D;
}

_Noreturn void finish_svm_exit(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct vmcb *vmcb = self->vcpu->control;
        const uint64_t code = vmcb->exit_code;

        if (likely(code <= SVM_EXIT_LAST || code == SVM_EXIT_NPF)) {
                cpu_virt_of(cpu)->tag_flush = false;
                vmcb->event_inj = 0;
                self->vcpu->unproven = false;
                svm_mend_code_segment(vmcb);
        } else {
                svm_take_refusal(self);
        }
        self->regs.ax = (word_t)vmcb->rax;
        self->cont = resume_guest;
        interrupt_window(cpu);
        leave_if_ended(self);
        if (unlikely(self->vcpu->svm.steps) && svm_ends_step(self->vcpu, code))
                block_on_event(self, NOVA_SVM_EXCEPTION + NOVA_EXC_DB, 0, 0);

        if (unlikely(code > SVM_EXIT_LAST))
                block_on_svm_failure(self);

        const enum guest_exit exit = svm_classify(self, (unsigned)code);
        if (unlikely(exit != GUEST_EXIT_EVENT))
                finish_exit_or_return(self, exit);
        block_on_event(self, (unsigned)code, (word_t)vmcb->exit_info[0], 0);
}
