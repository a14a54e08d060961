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

/** Removes FEATURE_VMX unless firmware lets this CPU use VMX and the CPU's VMX has all features
 * that the kernel needs, and on an AP also those that the kernel uses on all CPUs because the boot
 * CPU has them. Call after features_read(). first: this is the boot CPU. */
void vmx_check_feature(bool first);

/** VMX capabilities of the boot CPU, from which the kernel derives the controls of all CPUs. All 0
 * until vmx_ops.boot(), which precedes the start of the APs. */
extern struct vmx_offer vmx_offer;

/** Reads this CPU's VMX capabilities. false: the CPU lacks the registers that describe them. */
bool vmx_read_offer(struct vmx_offer *offer);

/** Returns true if this CPU raises no machine check when code changes its page size while
 * translations of both sizes are cached (CVE-2018-12207). */
bool vmx_has_safe_large_code(void);

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

/** vmx_entry.S continues at finish_vmx_exit() after an exit, and at finish_vmx_refusal() after an
 * entry that the CPU refused. */
_Noreturn void finish_vmx_exit(struct ec *self);
_Noreturn void finish_vmx_refusal(struct ec *self);

#endif
