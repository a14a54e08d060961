/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy whose page faults nova_guard_resume() answers. A REP MOVSB that faults has ECX, ESI and
 * EDI of the byte it stands at. */
        .text

/* size_t guard_copy(void *to, const void *from, size_t bytes) */
        .globl  guard_copy
        .type   guard_copy, @function
guard_copy:
        pushl   %edi
        pushl   %esi
        movl    12(%esp), %edi
        movl    16(%esp), %esi
        movl    20(%esp), %ecx
        .globl  guard_copy_fault
guard_copy_fault:
        rep movsb
        .globl  guard_copy_resume
guard_copy_resume:
        movl    %ecx, %eax
        popl    %esi
        popl    %edi
        ret
        .size   guard_copy, . - guard_copy

        .section .note.GNU-stack, "", @progbits
