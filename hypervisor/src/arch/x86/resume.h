/* SPDX-License-Identifier: BSD-2-Clause */
/* All exits from the kernel, and the switch from one EC to another. */
#ifndef ARCH_RESUME_H
#define ARCH_RESUME_H

#include "nova/abi/status.h"
#include "object/ec.h"

struct cpu;
struct pt;

/** Gives the current CPU (cpu) to one of its ECs: loads the EC's address space, then calls the EC's
 * continuation on an empty stack. */
_Noreturn void resume_ec(struct cpu *cpu, struct ec *ec);

/** Returns from a hypercall with a status. */
_Noreturn void resume_hypercall(struct ec *self, enum nova_status status);

/** Continuations: return from a hypercall with SUCCESS, COM_ABT, or the EC's wait_status. */
_Noreturn void resume_success(struct ec *self);
_Noreturn void resume_aborted(struct ec *self);
_Noreturn void resume_woken(struct ec *self);

/** Continuation: returns to the code that an exception, an interrupt or an event interrupted. */
_Noreturn void resume_interrupted(struct ec *self);

/** Sets an EC's registers so that it starts at a portal's entry point when it is resumed. */
void prepare_portal(struct ec *callee, const struct pt *pt);

#endif
