/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits that the kernel handles (see exit.h). */
#include "virt/exit.h"

#include "arch/x86/msr.h"
#include "lib/stop.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "virt/state.h"

_Noreturn void resume_delivery(struct ec *self)
{
        vcpu_ops->deliver_again(self);
        resume_guest(self);
}

_Noreturn void resume_after_instruction(struct ec *self)
{
        const uint64_t flags = vcpu_ops->read(self, GUEST_FLAGS);

        vcpu_ops->write(self, GUEST_IP, vcpu_ops->next_ip(self));
        vcpu_ops->write(self, GUEST_FLAGS, flags & ~(uint64_t)FLAG_RF);
        vcpu_ops->end_shadow(self);
        if (flags & FLAG_TF)
                vcpu_ops->raise_step(self);
        resume_guest(self);
}

/* An exception in real mode has no error code, and VMX refuses an error code there (SDM 3C,
 * 27.2.1.3). */
_Noreturn void resume_with_protection_fault(struct ec *self)
{
        const bool has_error = vcpu_ops->read(self, GUEST_CR0) & CR0_PE;

        vcpu_ops->raise(self, NOVA_EXC_GP, has_error);
        resume_guest(self);
}

/* Reflects an exception to the guest. #DB and #AC exit because their delivery can loop for ever
 * inside the CPU. */
static _Noreturn void finish_exit_exception(struct ec *self)
{
        if (vcpu_ops->exception_vector(self) == NOVA_EXC_MC)
                kernel_stop("a machine check while a guest was running");
        vcpu_ops->reflect_exception(self);
        resume_guest(self);
}

/* Gives the debug registers to the guest at its first access, unless the VMM wants these exits. */
static void exit_try_debug_access(struct ec *self)
{
        if (self->vcpu->wants_dr_exits)
                return;
        guest_use_debug_registers(self);
        resume_delivery(self);
}

void finish_port_or_return(struct ec *self, unsigned port, unsigned bytes, bool in)
{
        if (vcpu_access_port(self, port, bytes, in))
                resume_after_instruction(self);
}

/* Skips WBINVD unless the VMM wants the exit. Memory is coherent without it, and emptying the
 * caches would stall all CPUs. */
static void exit_try_wbinvd(struct ec *self)
{
        if (!self->vcpu->wants_wbinvd)
                resume_after_instruction(self);
}

void finish_exit_or_return(struct ec *self, enum guest_exit exit)
{
        switch (exit) {
        case GUEST_EXIT_EVENT:
                break;
        case GUEST_EXIT_HOST:
                resume_delivery(self);
                break;
        case GUEST_EXIT_EXCEPTION:
                finish_exit_exception(self);
                break;
        case GUEST_EXIT_DEBUG_REGISTER:
                exit_try_debug_access(self);
                break;
        case GUEST_EXIT_WBINVD:
                exit_try_wbinvd(self);
                break;
        case GUEST_EXIT_MACHINE_CHECK:
                kernel_stop("a machine check while a guest was running");
                break;
        }
}
