/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that only the assembly of this width needs (see asm_offsets.c). */
#ifndef ARCH_ASM_OFFSETS_WIDTH_H
#define ARCH_ASM_OFFSETS_WIDTH_H

#include "arch/x86/regs.h"
#include "thread.h"

#define ASM_WIDTH_OFFSETS(DEFINE)                     \
        DEFINE(REGS_R8, offsetof(struct regs, r8));   \
        DEFINE(REGS_R9, offsetof(struct regs, r9));   \
        DEFINE(REGS_R10, offsetof(struct regs, r10)); \
        DEFINE(REGS_R11, offsetof(struct regs, r11)); \
        DEFINE(REGS_R12, offsetof(struct regs, r12)); \
        DEFINE(REGS_R13, offsetof(struct regs, r13)); \
        DEFINE(REGS_R14, offsetof(struct regs, r14)); \
        DEFINE(REGS_R15, offsetof(struct regs, r15)); \
        DEFINE(ENTRY_SIZE, THREAD_ENTRY_SIZE)

#endif
