/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy whose page faults nova_guard_resume() handles. When REP MOVSB faults, RCX, RSI and RDI
 * refer to the byte at which it stopped. */
        .text

/* size_t novart_guard_copy(void *to, const void *from, size_t bytes) */
        .globl  novart_guard_copy
        .type   novart_guard_copy, @function
novart_guard_copy:
        movq    %rdx, %rcx
        .globl  novart_guard_copy_fault
novart_guard_copy_fault:
        rep movsb
        .globl  novart_guard_copy_resume
novart_guard_copy_resume:
        movq    %rcx, %rax
        ret
        .size   novart_guard_copy, . - novart_guard_copy

        .section .note.GNU-stack, "", @progbits
