/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits that the kernel handles without the VMM, as far as SVM and VMX have them alike. */
#ifndef VIRT_EXIT_H
#define VIRT_EXIT_H

#include "virt/vcpu.h"

/** What an exit is about. */
enum guest_exit {
        GUEST_EXIT_EVENT,          /* something for the VMM */
        GUEST_EXIT_HOST,           /* the host's: the guest goes on where it was */
        GUEST_EXIT_EXCEPTION,      /* one that is intercepted, but the guest's */
        GUEST_EXIT_DEBUG_REGISTER, /* an access */
        GUEST_EXIT_WBINVD,
        GUEST_EXIT_MACHINE_CHECK,
};

/** Does what an exit asks for and enters the guest again. Returns if the exit is an event. */
void finish_exit_or_return(struct ec *self, enum guest_exit exit);

/** Does a port access in the guest's place if its PD has the ports, and enters the guest again.
 *  Returns if the access is an event. */
void finish_port_or_return(struct ec *self, unsigned port, unsigned bytes, bool in);

/** Delivers once more what the last exit interrupted, and enters the guest. */
_Noreturn void resume_delivery(struct ec *self);

/** Goes on after an instruction that was done in the guest's place. */
_Noreturn void resume_after_instruction(struct ec *self);

/** Raises #GP with error code 0 in the guest. */
_Noreturn void resume_with_protection_fault(struct ec *self);

#endif
