/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits that the kernel handles without the VMM: the part that SVM and VMX share. */
#ifndef VIRT_EXIT_H
#define VIRT_EXIT_H

#include "virt/vcpu.h"

/** Causes of an exit. */
enum guest_exit {
        GUEST_EXIT_EVENT,          /* an intercept for the VMM */
        GUEST_EXIT_HOST,           /* work of the host: the guest continues unchanged */
        GUEST_EXIT_EXCEPTION,      /* an exception that is intercepted, but belongs to the guest */
        GUEST_EXIT_DEBUG_REGISTER, /* an access to a debug register */
        GUEST_EXIT_WBINVD,
        GUEST_EXIT_MACHINE_CHECK,
};

/** Handles an exit and enters the guest again. Returns if the exit is an event. */
void finish_exit_or_return(struct ec *self, enum guest_exit exit);

/** Does a port access for the guest if its PD owns the ports, and enters the guest again. Returns
 *  if the access is an event. */
void finish_port_or_return(struct ec *self, unsigned port, unsigned bytes, bool in);

/** Enters the guest and repeats the delivery of the event that the last exit interrupted. */
_Noreturn void resume_delivery(struct ec *self);

/** Enters the guest after an instruction that the kernel has executed for it. */
_Noreturn void resume_after_instruction(struct ec *self);

/** Raises #GP with error code 0 in the guest. */
_Noreturn void resume_with_protection_fault(struct ec *self);

#endif
