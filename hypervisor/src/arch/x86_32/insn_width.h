/* SPDX-License-Identifier: BSD-2-Clause */
/* What single instructions call by the width of words. */
#ifndef ARCH_INSN_WIDTH_H
#define ARCH_INSN_WIDTH_H

/** The stack pointer, and the suffix of an instruction on a word. */
#define STACK_POINTER "esp"
#define WORD_SUFFIX   "l"

#endif
