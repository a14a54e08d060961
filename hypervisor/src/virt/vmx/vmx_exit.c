/* SPDX-License-Identifier: BSD-2-Clause */
/* What the exits of VMX mean (SDM 3C, chapter 27): the kernel's own affair, or an event. */
#include "arch/x86/cpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "platform/stop.h"
#include "sched/schedule.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmcs.h"
#include "virt/vmx/vmx.h"

#define QUAL_DR6       0x600f /* #DB: bits that go into DR6 */
#define QUAL_UNBLOCKED 0x1000 /* EPT violation: IRET had unblocked NMIs */
#define DR6_TRAPS      0xf
#define DR7_GD         0x2000
#define AR_LONG        0x2000

/* Accesses to control registers: bits 3..0 the number, 5..4 what, 11..8 the general register. */
#define CR_FROM(qual) (((qual)&0x30) == 0x10)

#define GENERAL_REGISTERS (sizeof(word_t) == 8 ? 0xf : 0x7)

#define IO_IN     0x8
#define IO_STRING 0x10

static void unblock_nmi(void)
{
        vmcs_write(VMCS_INTERRUPTIBILITY,
                   vmcs_read(VMCS_INTERRUPTIBILITY) & ~(word_t)VMX_BLOCKED_NMI);
}

void vmx_inject(uint32_t info, uint32_t error, uint32_t length)
{
        vmcs_write(VMCS_ENTRY_INJ, info);
        vmcs_write(VMCS_ENTRY_ERROR, error);
        vmcs_write(VMCS_ENTRY_LENGTH, length);
}

static uint32_t type_of(uint32_t info)
{
        return info >> VMX_INJ_TYPE_SHIFT & 7;
}

/* What an exit that the kernel handles itself interrupted is delivered once more. */
static _Noreturn void resume_delivery(struct ec *self)
{
        const uint32_t info = (uint32_t)vmcs_read(VMCS_VECTORING);

        if (info & VMX_INJ_VALID) {
                if (type_of(info) == VMX_TYPE_NMI)
                        unblock_nmi();
                vmx_inject(info & VMX_INJ_EVENT, (uint32_t)vmcs_read(VMCS_VECTORING_ERROR),
                           (uint32_t)vmcs_read(VMCS_EXIT_LENGTH));
        }
        resume_guest(self);
}

/* #DB and #AC are the guest's; they exit because their delivery can go on for ever inside the CPU.
 * A #DB that exits does not change the debug registers. */
static _Noreturn void finish_exception(struct ec *self)
{
        const uint32_t info = (uint32_t)vmcs_read(VMCS_EXIT_INFO);
        const unsigned vector = info & 0xff;
        struct vcpu_vmx *vmx = &self->vcpu->vmx;

        if (type_of(info) == VMX_TYPE_NMI)
                kernel_stop("a non-maskable interrupt while a guest was running");
        if (vector == NOVA_EXC_MC)
                kernel_stop("a machine check while a guest was running");
        if (vector == NOVA_EXC_DB) {
                vmx->dr6 = (vmx->dr6 & ~(word_t)DR6_TRAPS) | (vmcs_read(VMCS_QUAL) & QUAL_DR6);
                vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~(word_t)DR7_GD);
                vmx_fix_pending_step(); /* without it an entry behind MOV SS is refused */
        }
        vmx_inject(info & VMX_INJ_EVENT & ~VMX_INJ_UNBLOCKED, 0,
                   (uint32_t)vmcs_read(VMCS_EXIT_LENGTH));
        resume_guest(self);
}

/* Goes on behind an instruction that was done in the guest's place. */
static _Noreturn void skip_instruction(struct ec *self)
{
        const word_t flags = vmcs_read(VMCS_GUEST_FLAGS);
        word_t next = vmcs_read(VMCS_GUEST_IP) + vmcs_read(VMCS_EXIT_LENGTH);

        if (!(vmcs_read(VMCS_ENTRY) & VMX_ENTRY_LONG && vmcs_read(VMCS_GUEST_CS_AR) & AR_LONG))
                next = (uint32_t)next;
        vmcs_write(VMCS_GUEST_IP, next);
        vmcs_write(VMCS_INTERRUPTIBILITY,
                   vmcs_read(VMCS_INTERRUPTIBILITY) & ~(word_t)(VMX_BLOCKED_STI | VMX_BLOCKED_SS));
        vmcs_write(VMCS_GUEST_FLAGS, flags & ~(word_t)FLAG_RF);
        if (flags & FLAG_TF)
                vmcs_write(VMCS_PENDING_DEBUG, vmcs_read(VMCS_PENDING_DEBUG) | VMX_PENDING_BS);
        resume_guest(self);
}

/* With an error code in protected mode only: the CPU refuses one in real mode (SDM 3C, 27.2.1.3).
 */
static _Noreturn void inject_protection_fault(struct ec *self)
{
        const uint32_t error = vmcs_read(VMCS_GUEST_CR0) & CR0_PE ? VMX_INJ_ERROR : 0;

        vmx_inject(VMX_INJ_VALID | VMX_TYPE_EXCEPTION << VMX_INJ_TYPE_SHIFT | error | NOVA_EXC_GP,
                   0, 0);
        resume_guest(self);
}

/* A general register by its number in instructions. */
static word_t *general_register(struct ec *self, unsigned number, word_t *sp)
{
        struct regs *regs = &self->regs;

        switch (number) {
        case 0:
                return &regs->ax;
        case 1:
                return &regs->cx;
        case 2:
                return &regs->dx;
        case 3:
                return &regs->bx;
        case 4:
                return sp;
        case 5:
                return &regs->bp;
        case 6:
                return &regs->si;
        case 7:
                return &regs->di;
        default:
                return &regs->di - (number - 7); /* R8 to R15 lie below; on x86-64 only */
        }
}

static _Noreturn void finish_cr8_write(struct ec *self, word_t value)
{
        if (value & ~(word_t)0xf)
                inject_protection_fault(self);
        self->vcpu->vmx.cr8 = value;
        skip_instruction(self);
}

/* Whether it is a write of CR8 that the VMM waits for. */
static bool takes_cr8_window(struct vcpu *vcpu)
{
        const word_t qual = vmcs_read(VMCS_QUAL);
        const bool takes = vcpu->vmx.cr8_window && (qual & 0xf) == 8 && !CR_FROM(qual);

        if (takes)
                vcpu->vmx.cr8_window = false;
        return takes;
}

/* A guest writes a bit of CR0 or CR4 that is not its own. It gets what it wants to see; then the
 * instruction is begun again, which the CPU can do alone now, with all its checks. */
static _Noreturn void finish_cr_access(struct ec *self)
{
        const word_t qual = vmcs_read(VMCS_QUAL);
        word_t sp = vmcs_read(VMCS_GUEST_SP);
        word_t *value = general_register(self, qual >> 8 & GENERAL_REGISTERS, &sp);

        switch (qual & 0xf) {
        case 0:
                if ((*value & (CR0_CD | CR0_NW)) == CR0_NW)
                        inject_protection_fault(self); /* the CPU does not look at masked bits */
                vmcs_write(VMCS_CR0_SHADOW, *value);
                break;
        case 4:
                vmcs_write(VMCS_CR4_SHADOW, *value);
                break;
        case 8:
                if (!CR_FROM(qual))
                        finish_cr8_write(self, *value);
                *value = self->vcpu->vmx.cr8;
                vmcs_write(VMCS_GUEST_SP, sp); /* which the register may be */
                skip_instruction(self);
        default:
                break;
        }
        resume_delivery(self);
}

/* The guest's first access to a debug register: they are its own from now on. */
static void finish_debug_access(struct ec *self)
{
        if (self->vcpu->vmx.wants_dr_exits)
                return;
        vmx_use_debug_registers(self->vcpu);
        resume_delivery(self);
}

void vmx_use_debug_registers(struct vcpu *vcpu)
{
        vcpu->debugging = true;
        if (!vcpu->vmx.wants_dr_exits)
                vmcs_write(VMCS_PRIMARY, vmcs_read(VMCS_PRIMARY) & ~(word_t)VMX_CTRL0_DR);
}

/* Ports that the PD has are the guest's, too. */
static void finish_io(struct ec *self)
{
        const word_t qual = vmcs_read(VMCS_QUAL);

        if (!(qual & IO_STRING) &&
            vcpu_access_port(self, qual >> 16 & 0xffff, (qual & 7) + 1, qual & IO_IN))
                skip_instruction(self);
}

/* An exit that leaves through a portal, or back into the guest if it is the kernel's own affair. */
static void classify(struct ec *self, unsigned reason)
{
        switch (reason) {
        case VMX_EXIT_INTERRUPT:
                resume_delivery(self);
        case VMX_EXIT_EXCEPTION:
                finish_exception(self);
        case VMX_EXIT_WINDOW:
        case VMX_EXIT_NMI_WINDOW:
                vmx_close_window(reason == VMX_EXIT_WINDOW ? VMX_CTRL0_WINDOW
                                                           : VMX_CTRL0_NMI_WINDOW);
                break;
        case VMX_EXIT_CR:
                if (!takes_cr8_window(self->vcpu))
                        finish_cr_access(self);
                break;
        case VMX_EXIT_DR:
                finish_debug_access(self);
                break;
        case VMX_EXIT_IO:
                finish_io(self);
                break;
        case VMX_EXIT_WBINVD: /* see svm.c */
                if (!self->vcpu->vmx.wants_wbinvd)
                        skip_instruction(self);
                break;
        case VMX_EXIT_MACHINE_CHECK:
                kernel_stop("a machine check while a guest was entered");
        case VMX_EXIT_EPT:
                if (vmcs_read(VMCS_QUAL) & QUAL_UNBLOCKED &&
                    !(vmcs_read(VMCS_VECTORING) & VMX_INJ_VALID))
                        vmcs_write(VMCS_INTERRUPTIBILITY,
                                   vmcs_read(VMCS_INTERRUPTIBILITY) | VMX_BLOCKED_NMI);
                break;
        default:
                break;
        }
}

static _Noreturn void block_on_exit(struct ec *self, unsigned reason)
{
        block_on_event(self, vmx_event_of(reason), vmcs_read(VMCS_QUAL),
                       reason == VMX_EXIT_EPT ? (word_t)vmcs_read64(VMCS_GPA) : 0);
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
        classify(self, (uint16_t)reason);
        block_on_exit(self, (uint16_t)reason);
}

_Noreturn void finish_vmx_refusal(struct ec *self)
{
        self->cont = resume_guest;
        block_on_exit(self, VMX_EXIT_REFUSED);
}
