/* SPDX-License-Identifier: BSD-2-Clause */
/* Register names and suffixes of instructions that depend on the word size. */
#ifndef ARCH_INSN_WIDTH_H
#define ARCH_INSN_WIDTH_H

/** The stack pointer, and the suffix of instructions that operate on machine words (32 bits). */
#define STACK_POINTER "esp"
#define WORD_SUFFIX   "l"

/** Suffix of instructions that save and load FPU registers. */
#define FPU_SUFFIX ""

#endif
