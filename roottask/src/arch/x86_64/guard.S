/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies words, then the bytes after the last word. Page faults in the copy end it: see
 * nova_guard_resume(). When an instruction faults, RCX, RSI and RDI refer to the word or byte at
 * which it stopped, so RCX is not 0. */
        .text

/* size_t novart_guard_copy(void *to, const void *from, size_t bytes) */
        .globl  novart_guard_copy
        .type   novart_guard_copy, @function
novart_guard_copy:
        movq    %rdx, %rcx
        shrq    $3, %rcx
        .globl  novart_guard_copy_fault_words
novart_guard_copy_fault_words:
        rep movsq
        movl    %edx, %ecx
        andl    $7, %ecx
        .globl  novart_guard_copy_fault
novart_guard_copy_fault:
        rep movsb
        .globl  novart_guard_copy_resume
novart_guard_copy_resume:
        movq    %rcx, %rax
        ret
        .size   novart_guard_copy, . - novart_guard_copy

        .section .note.GNU-stack, "", @progbits
