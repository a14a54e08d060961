/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that only this width has: x86-32 has none. */
#ifndef ARCH_REGS_WIDTH_H
#define ARCH_REGS_WIDTH_H

#define REGS_WIDE
#define REGS_WIDE_ROWS(MOVE)
#define REGS_WIDE_FORMAT       "%s"
#define REGS_WIDE_VALUES(regs) ((void)(regs), "")

/** Number of words below the registers of an EC that a virtual-8086 frame overwrites. */
#define VIRTUAL_8086_WORDS 4

#endif
