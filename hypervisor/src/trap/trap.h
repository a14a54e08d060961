/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that entry.S calls after an exception or an interrupt. */
#ifndef TRAP_TRAP_H
#define TRAP_TRAP_H

#include "arch/x86/regs.h"

struct ec;

/** Handles a trap from user mode; the registers are saved in the EC. */
hot_path _Noreturn void trap_dispatch(struct ec *self);

/** Handles a trap from the kernel: an interrupt in an interrupt window, or a bug. */
void trap_in_kernel(struct regs *regs);

/** Stops the kernel after NMI, #DF or #MC. Each of them has a stack of its own. */
_Noreturn void trap_fatal(const struct regs *regs);

#endif
