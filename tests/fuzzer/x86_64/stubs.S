/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of suspects, x86-64. The record is at the lower end of the 8-KiB stack. */

        .text
        .globl suspect_start, suspect_again, suspect_portal, suspect_reply, suspect_end
suspect_start:
        mov $1, %esi
        jmp 1f
suspect_again:
        xor %esi, %esi
1:      cld
        mov %rsp, %rdi
        and $-8192, %rdi
        lea 8192 - 64(%rdi), %rsp
        call suspect_main
        ud2

suspect_portal:
        cld
        mov %rdi, %rsi
        mov %rsp, %rdi
        and $-8192, %rdi
        lea 8192 - 64(%rdi), %rsp
        call suspect_serve
suspect_reply:
        mov $1, %edi
        syscall
        ud2

        /* The extension by which a thread ends itself. */
suspect_end:
        mov $0x3e, %edi
        xor %esi, %esi
        syscall
        ud2

        .section .note.GNU-stack, "", @progbits
