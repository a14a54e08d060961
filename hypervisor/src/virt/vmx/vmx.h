/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's virtual machine extensions: exits, injection, and what is known about the CPU. */
#ifndef ARCH_X86_VMX_H
#define ARCH_X86_VMX_H

#include "lib/types.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmx_controls.h"

/* Basic exit reasons that are more than an event number; the low 8 bits are the number (SDM 3D,
 * appendix C). */
#define VMX_EXIT_EXCEPTION     0x00
#define VMX_EXIT_INTERRUPT     0x01
#define VMX_EXIT_WINDOW        0x07
#define VMX_EXIT_NMI_WINDOW    0x08
#define VMX_EXIT_CR            0x1c
#define VMX_EXIT_DR            0x1d
#define VMX_EXIT_IO            0x1e
#define VMX_EXIT_MACHINE_CHECK 0x29
#define VMX_EXIT_EPT           0x30
#define VMX_EXIT_WBINVD        0x36
#define VMX_EXIT_FAILED        0x80000000 /* the guest was not entered */

/* Interruptibility, activity, pending debug exceptions (SDM 3C, 24.4.2). */
#define VMX_BLOCKED_STI 0x1
#define VMX_BLOCKED_SS  0x2
#define VMX_BLOCKED_NMI 0x8
#define VMX_ACTIVE      0
#define VMX_HALTED      1
#define VMX_PENDING_BS  0x4000

/* Bits of CR0 and CR4 that the guest reads as it wrote them and that have other values for the
 * CPU: those that VMX fixes, those that an exit does not switch, and machine checks stay on. */
#define VMX_CR0_MASK 0x60000020 /* CD, NW, NE */
#define VMX_CR0_SET  0x20
#define VMX_CR4_MASK 0x2040 /* VMXE, MCE */
#define VMX_CR4_SET  VMX_CR4_MASK

/** Whether firmware lets this CPU use VMX, and its VMX has what the kernel needs. */
bool vmx_usable(void);

/** What the CPUs can do. */
extern struct vmx_offer vmx_offer;

extern const struct vcpu_ops vmx_ops;

/** Makes a virtual CPU's control structure the one that VMREAD and VMWRITE mean. On its CPU. */
void vmx_load(const struct ec *ec);

/* For vcpu_ops. */
unsigned vmx_exception_vector(const struct ec *ec);
uint64_t vmx_next_ip(const struct ec *ec);
void vmx_deliver_again(struct ec *ec);
void vmx_reflect_exception(struct ec *ec);
void vmx_raise(struct ec *ec, unsigned vector, bool error);
void vmx_raise_step(struct ec *ec);
void vmx_end_shadow(struct ec *ec);
void vmx_grant_debug_registers(struct vcpu *vcpu);

/** What an exit leaves in the CPU becomes the kernel's again: a thread will run. */
void vmx_leave(struct cpu *cpu);

/** A window (bit of ctrl[0]) is not wanted any more. */
void vmx_close_window(uint32_t window);

/** Injects an event, with the fields of an exit that interrupted it or that it caused. */
void vmx_inject(uint32_t info, uint32_t error, uint32_t length);

/** Makes the pending debug exceptions agree with TF and with what blocks interrupts. */
void vmx_fix_pending_step(void);

/** Where vmx_entry.S comes back to: after an exit, or when the CPU did not enter. */
_Noreturn void finish_vmx_exit(struct ec *self);
_Noreturn void finish_vmx_refusal(struct ec *self);

#endif
