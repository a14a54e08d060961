/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and selectors of the walker, also for its assembly. */
#ifndef TRAPS_WALK_LAYOUT_H
#define TRAPS_WALK_LAYOUT_H

/* Pages of user mode: the code and an operand. All other pages of this GiB are absent. */
#define WALKER_AREA    0x40000000
#define WALKER_CODE    0x40001000
#define WALKER_OPERAND 0x40004000
#define WALKER_ABSENT  0x40008000

#define SEL_KERNEL_CODE   0x08
#define SEL_KERNEL_DATA   0x10
#define SEL_USER_CODE_32  0x1b
#define SEL_USER_DATA     0x23
#define SEL_USER_CODE_64  0x2b
#define SEL_KERNEL_COMPAT 0x30 /* 32-bit code of CPL 0 beside 64-bit code */
#define SEL_TASK          0x38

/* PG, WP, NE, ET, MP, PE; OSXMMEXCPT, OSFXSR, PSE and, in long mode, PAE. */
#define WALKER_CR0    0x80010033
#define WALKER_CR4_32 0x610
#define WALKER_CR4_64 0x630

#define WALKER_STACK_SIZE 4096

#endif
