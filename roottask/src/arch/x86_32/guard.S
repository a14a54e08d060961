/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies words, then the bytes after the last word. Page faults in the copy end it: see
 * nova_guard_resume(). When an instruction faults, ECX, ESI and EDI refer to the word or byte at
 * which it stopped, so ECX is not 0. */
        .text

/* size_t novart_guard_copy(void *to, const void *from, size_t bytes) */
        .globl  novart_guard_copy
        .type   novart_guard_copy, @function
novart_guard_copy:
        pushl   %edi
        pushl   %esi
        movl    12(%esp), %edi
        movl    16(%esp), %esi
        movl    20(%esp), %ecx
        shrl    $2, %ecx
        .globl  novart_guard_copy_fault_words
novart_guard_copy_fault_words:
        rep movsl
        movl    20(%esp), %ecx
        andl    $3, %ecx
        .globl  novart_guard_copy_fault
novart_guard_copy_fault:
        rep movsb
        .globl  novart_guard_copy_resume
novart_guard_copy_resume:
        movl    %ecx, %eax
        popl    %esi
        popl    %edi
        ret
        .size   novart_guard_copy, . - novart_guard_copy

        .section .note.GNU-stack, "", @progbits
