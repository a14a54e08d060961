/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the kernel: a message and a halt. */
#ifndef LIB_STOP_H
#define LIB_STOP_H

#include "lib/types.h"

struct regs;

/** Prints one sentence (printf format), the CPU, a backtrace and the line "NOVA: stopped" on COM1,
 * regardless of the command line. Stops all CPUs. */
_Noreturn void kernel_stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Stops the kernel because of an exception in it. regs are the registers of the interrupted
 * code. */
_Noreturn void kernel_stop_exception(unsigned vector, const struct regs *regs, word_t cr2);

#endif
