/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's virtual machine extensions: exits, injection, and the capabilities of the CPU. */
#ifndef VIRT_VMX_H
#define VIRT_VMX_H

#include "lib/types.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmx_controls.h"

/* Bit of the exit reason. The low 16 bits are the basic reason, which is the event's number. */
#define VMX_EXIT_FAILED 0x80000000 /* the guest was not entered */

/* Bit of the pending debug exceptions (SDM 3C, 24.4.2). */
#define VMX_PENDING_BS 0x4000

/* Bits of CR0 and CR4 that the kernel owns: bits that VMX fixes, bits that an exit does not switch,
 * MCE, which stays on, and two that stay off, because an exit does not switch what they enable.
 * With CET, a guest would use the kernel's IA32_S_CET (arch/x86/tracking.h). With KL (Key Locker),
 * it could replace the wrapping key of all guests of the CPU. The guest reads all these bits as it
 * wrote them. */
#define VMX_CR0_MASK 0x60000020 /* CD, NW, NE */
#define VMX_CR0_SET  0x20
#define VMX_CR4_MASK 0x882040 /* CET, KL, VMXE, MCE */
#define VMX_CR4_SET  0x2040
#define VMX_CR4_OFF  0x880000 /* CET, KL: a guest cannot set them */

/** Removes FEATURE_VMX unless firmware lets this CPU use VMX and the CPU's VMX has all features
 * that the kernel needs. Call after features_read(). */
void vmx_check_feature(void);

/** VMX capabilities of the CPUs. */
extern struct vmx_offer vmx_offer;

extern const struct vcpu_ops vmx_ops;
VCPU_DECLARE_OPS_OF(vmx);

/** Loads a virtual CPU's control structure, so that VMREAD and VMWRITE use it. Call on its CPU. */
void vmx_load(const struct ec *ec);

/** Restores the kernel's values that an exit does not restore. Call before a thread runs. */
void vmx_leave(struct cpu *cpu);

/** Closes a window, a bit of ctrl[0]. */
void vmx_close_window(uint32_t window);

/** Makes the next entry inject the event that has this information field, error code and
 * instruction length. */
void vmx_inject(uint32_t info, uint32_t error, uint32_t length);

/** Makes the pending debug exceptions agree with TF and with the blocking of interrupts. */
void vmx_fix_pending_step(void);

/** Continue after vmx_entry.S: finish_vmx_exit() after an exit, finish_vmx_refusal() after an entry
 * that the CPU refused. */
_Noreturn void finish_vmx_exit(struct ec *self);
_Noreturn void finish_vmx_refusal(struct ec *self);

#endif
