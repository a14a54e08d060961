/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX exits (SDM 3C, chapter 27): the kernel handles an exit or makes it an event. */
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/regs.h"
#include "ipc/event.h"
#include "lib/stop.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "virt/exit.h"
#include "virt/vmx/vmcs.h"
#include "virt/vmx/vmx.h"

#define QUAL_DR6       0x600f /* #DB: bits that go into DR6 */
#define QUAL_UNBLOCKED 0x1000 /* EPT violation: IRET had unblocked NMIs */
#define DR6_TRAPS      0xf
#define DR7_GD         0x2000
#define AR_LONG        0x2000

/* Access to a control register: bits 3..0 its number, 5..4 the kind, 11..8 the general register. */
#define VMX_CR_FROM(qual) (((qual)&0x30) == 0x10)

/* Offsets of the general registers, in the order of their numbers in instructions. */
#define OFFSET_ROW(reg) offsetof(struct regs, reg),
static const uint8_t vmx_register_offset[] = {
        OFFSET_ROW(ax) OFFSET_ROW(cx) OFFSET_ROW(dx) OFFSET_ROW(bx) OFFSET_ROW(sp) OFFSET_ROW(bp)
                OFFSET_ROW(si) OFFSET_ROW(di) REGS_WIDE_ROWS(OFFSET_ROW)};

#define GENERAL_REGISTERS (sizeof(vmx_register_offset) - 1) /* mask of register numbers */
#define REGISTER_SP       4

#define IO_IN     0x8
#define IO_STRING 0x10

static void vmx_unblock_nmi(void)
{
        vmcs_write(VMCS_INTERRUPTIBILITY, vmcs_read(VMCS_INTERRUPTIBILITY) & ~(word_t)NOVA_STA_NMI);
}

static uint32_t vmx_type_of(uint32_t info)
{
        return info & NOVA_INJ_TYPE;
}

indirect_target void vmx_deliver_again(struct ec *ec)
{
        const uint32_t info = (uint32_t)vmcs_read(VMCS_VECTORING);

        (void)ec;
        if (!(info & NOVA_INJ_VALID))
                return;
        if (vmx_type_of(info) == NOVA_INJ_NMI)
                vmx_unblock_nmi();
        vmx_inject(info & NOVA_INJ_EVENT, (uint32_t)vmcs_read(VMCS_VECTORING_ERROR),
                   (uint32_t)vmcs_read(VMCS_EXIT_LENGTH));
}

indirect_target unsigned vmx_exception_vector(const struct ec *ec)
{
        (void)ec;
        return vmcs_read(VMCS_EXIT_INFO) & 0xff;
}

/* Reflects an exception to the guest. A #DB that exits has not changed the debug registers yet. */
indirect_target void vmx_reflect_exception(struct ec *ec)
{
        const uint32_t info = (uint32_t)vmcs_read(VMCS_EXIT_INFO);
        struct vcpu_vmx *vmx = &ec->vcpu->vmx;

        if ((info & 0xff) == NOVA_EXC_DB) {
                vmx->dr6 = (vmx->dr6 & ~(word_t)DR6_TRAPS) | (vmcs_read(VMCS_QUAL) & QUAL_DR6);
                vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~(word_t)DR7_GD);
                vmx_fix_pending_step(); /* otherwise the CPU refuses an entry after MOV SS */
        }
        vmx_inject(info & NOVA_INJ_EVENT & ~VMX_INJ_UNBLOCKED, 0,
                   (uint32_t)vmcs_read(VMCS_EXIT_LENGTH));
}

/* Returns the part of a register that an instruction of the guest uses in its mode. */
static word_t vmx_operand(word_t value)
{
        if (vmcs_read(VMCS_ENTRY) & VMX_ENTRY_LONG && vmcs_read(VMCS_GUEST_CS_AR) & AR_LONG)
                return value;
        return (uint32_t)value;
}

indirect_target uint64_t vmx_next_ip(const struct ec *ec)
{
        (void)ec;
        return vmx_operand(vmcs_read(VMCS_GUEST_IP) + vmcs_read(VMCS_EXIT_LENGTH));
}

indirect_target void vmx_end_shadow(struct ec *ec)
{
        (void)ec;
        vmcs_write(VMCS_INTERRUPTIBILITY,
                   vmcs_read(VMCS_INTERRUPTIBILITY) & ~(word_t)(NOVA_STA_STI | NOVA_STA_SS));
}

indirect_target void vmx_raise_step(struct ec *ec)
{
        (void)ec;
        vmcs_write(VMCS_PENDING_DEBUG, vmcs_read(VMCS_PENDING_DEBUG) | VMX_PENDING_BS);
}

indirect_target void vmx_raise(struct ec *ec, unsigned vector, bool error)
{
        (void)ec;
        vmx_inject(NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | (error ? NOVA_INJ_ERROR : 0) | vector, 0,
                   0);
}

indirect_target void vmx_grant_debug_registers(struct vcpu *vcpu)
{
        (void)vcpu;
        vmcs_write(VMCS_PRIMARY, vmcs_read(VMCS_PRIMARY) & ~(word_t)NOVA_VMX_CTRL0_DR);
}

/* Returns the general register that has this number in instructions. For SP, which is in the VMCS,
 * returns sp, the caller's copy. */
static word_t *vmx_general_register(struct ec *self, unsigned number, word_t *sp)
{
        if (number == REGISTER_SP)
                return sp;
        return (word_t *)((char *)&self->regs + vmx_register_offset[number]);
}

static _Noreturn void finish_vmx_cr8_write(struct ec *self, word_t value)
{
        if (value & ~(word_t)0xf)
                resume_with_protection_fault(self);
        self->vcpu->vmx.cr8 = value;
        resume_after_instruction(self);
}

/* Returns true, once, if the exit is the write of CR8 for which the VMM waits. */
static bool vmx_takes_cr8_window(struct vcpu *vcpu)
{
        const word_t qual = vmcs_read(VMCS_QUAL);
        const bool takes = vcpu->vmx.cr8_window && (qual & 0xf) == 8 && !VMX_CR_FROM(qual);

        if (takes)
                vcpu->vmx.cr8_window = false;
        return takes;
}

/* Handles a guest's write of CR0 or CR4 bits that the kernel owns, and accesses to CR8. For CR0 and
 * CR4, the shadow gets the new value, and the guest repeats the instruction. The instruction does
 * not exit again, and the CPU does all its checks. */
static _Noreturn void finish_vmx_cr_access(struct ec *self)
{
        const word_t qual = vmcs_read(VMCS_QUAL);
        word_t sp = vmcs_read(VMCS_GUEST_SP);
        word_t *value = vmx_general_register(self, qual >> 8 & GENERAL_REGISTERS, &sp);

        switch (qual & 0xf) {
        case 0:
                if ((*value & (CR0_CD | CR0_NW)) == CR0_NW)
                        resume_with_protection_fault(
                                self); /* the CPU does not check bits that the kernel owns */
                vmcs_write(VMCS_CR0_SHADOW, *value);
                break;
        case 4:
                if (vmx_operand(*value) & VMX_CR4_OFF)
                        resume_with_protection_fault(self); /* as on a CPU without these features */
                vmcs_write(VMCS_CR4_SHADOW, vmx_operand(*value));
                break;
        case 8:
                if (!VMX_CR_FROM(qual))
                        finish_vmx_cr8_write(self, *value);
                *value = self->vcpu->vmx.cr8;
                vmcs_write(VMCS_GUEST_SP, sp); /* the general register may be SP */
                resume_after_instruction(self);
                break;
        default:
                break;
        }
        resume_delivery(self);
}

/* Blocks NMIs again if an IRET unblocked them and then exited at the access to its frame. The IRET
 * is repeated. */
static void vmx_block_nmi_again(void)
{
        if (vmcs_read(VMCS_QUAL) & QUAL_UNBLOCKED && !(vmcs_read(VMCS_VECTORING) & NOVA_INJ_VALID))
                vmcs_write(VMCS_INTERRUPTIBILITY, vmcs_read(VMCS_INTERRUPTIBILITY) | NOVA_STA_NMI);
}

static void vmx_finish_port_or_return(struct ec *self)
{
        const word_t qual = vmcs_read(VMCS_QUAL);

        if (!(qual & IO_STRING))
                finish_port_or_return(self, qual >> 16 & 0xffff, (qual & 7) + 1, qual & IO_IN);
}

/* Classifies an exit. Does not return if it handles the exit itself. */
static enum guest_exit vmx_classify(struct ec *self, unsigned reason)
{
        switch (reason) {
        case NOVA_VMX_INTR:
                return GUEST_EXIT_HOST;
        case NOVA_VMX_EXCEPTION_OR_NMI:
                if (vmx_type_of((uint32_t)vmcs_read(VMCS_EXIT_INFO)) == NOVA_INJ_NMI)
                        kernel_stop("a non-maskable interrupt while a guest was running");
                return GUEST_EXIT_EXCEPTION;
        case NOVA_VMX_INTERRUPT_WINDOW:
        case NOVA_VMX_NMI_WINDOW:
                vmx_close_window(reason == NOVA_VMX_INTERRUPT_WINDOW ? NOVA_VMX_CTRL0_WINDOW
                                                                     : NOVA_VMX_CTRL0_NMI_WINDOW);
                return GUEST_EXIT_EVENT;
        case NOVA_VMX_CR_ACCESS:
                if (!vmx_takes_cr8_window(self->vcpu))
                        finish_vmx_cr_access(self);
                return GUEST_EXIT_EVENT;
        case NOVA_VMX_DR_ACCESS:
                return GUEST_EXIT_DEBUG_REGISTER;
        case NOVA_VMX_IO_ACCESS:
                vmx_finish_port_or_return(self);
                return GUEST_EXIT_EVENT;
        case NOVA_VMX_WBINVD:
                return GUEST_EXIT_WBINVD;
        case NOVA_VMX_MACHINE_CHECK:
                kernel_stop("a machine check while a guest was entered");
                break;
        case NOVA_VMX_EPT_VIOLATION:
                vmx_block_nmi_again();
                return GUEST_EXIT_EVENT;
        default:
                break;
        }
        return GUEST_EXIT_EVENT;
}

static _Noreturn void block_on_vmx_exit(struct ec *self, unsigned reason)
{
        block_on_event(self, vmx_event_of(reason), vmcs_read(VMCS_QUAL),
                       reason == NOVA_VMX_EPT_VIOLATION ? (word_t)vmcs_read64(VMCS_GPA) : 0);
}

_Noreturn void finish_vmx_exit(struct ec *self)
{
        struct vcpu *vcpu = self->vcpu;
        const uint32_t reason = (uint32_t)vmcs_read(VMCS_REASON);

        vcpu->vmx.launched |= !(reason & VMX_EXIT_FAILED);
        vcpu->vmx.cr2 = read_cr2();
        if (vcpu->debugging)
                vcpu->vmx.dr6 = read_dr6();
        self->cont = resume_guest;
        interrupt_window(self->cpu);
        leave_if_ended(self);
        finish_exit_or_return(self, vmx_classify(self, (uint16_t)reason));
        block_on_vmx_exit(self, (uint16_t)reason);
}

_Noreturn void finish_vmx_refusal(struct ec *self)
{
        self->cont = resume_guest;
        block_on_vmx_exit(self, NOVA_VMX_INVALID_GUEST_STATE);
}
