/* SPDX-License-Identifier: BSD-2-Clause */
/* What entry.S calls after an exception or an interrupt. */
#ifndef TRAP_TRAP_H
#define TRAP_TRAP_H

#include "arch/x86/regs.h"

struct ec;

/** From user mode; the registers are saved in the EC. */
hot_path _Noreturn void trap_dispatch(struct ec *self);

/** From the kernel: an interrupt in a window that was opened for it, or a bug. */
void trap_in_kernel(struct regs *regs);

/** NMI, #DF and #MC, on a stack of their own. */
_Noreturn void trap_fatal(const struct regs *regs);

#endif
