/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that only this width has. */
#ifndef ARCH_REGS_WIDTH_H
#define ARCH_REGS_WIDTH_H

/* Members of struct regs, one row for each, and their format in a log. */
#define REGS_WIDE word_t r15, r14, r13, r12, r11, r10, r9, r8;
#define REGS_WIDE_ROWS(MOVE) \
        MOVE(r8) MOVE(r9) MOVE(r10) MOVE(r11) MOVE(r12) MOVE(r13) MOVE(r14) MOVE(r15)
#define REGS_WIDE_FORMAT \
        "NOVA: r8 0x%zx r9 0x%zx r10 0x%zx r11 0x%zx r12 0x%zx r13 0x%zx r14 0x%zx r15 0x%zx\n"
#define REGS_WIDE_VALUES(regs)                                                                   \
        (regs)->r8, (regs)->r9, (regs)->r10, (regs)->r11, (regs)->r12, (regs)->r13, (regs)->r14, \
                (regs)->r15

/** Number of words below the registers of an EC that a virtual-8086 frame overwrites. */
#define VIRTUAL_8086_WORDS 0

#endif
