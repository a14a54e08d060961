/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of suspects, x86-32. The record is at the lower end of the 8-KiB stack. */

        .text
        .globl suspect_start, suspect_again, suspect_portal, suspect_reply, suspect_end
suspect_start:
        mov $1, %ecx
        jmp 1f
suspect_again:
        xor %ecx, %ecx
1:      cld
        mov %esp, %eax
        and $-8192, %eax
        lea 8192 - 64(%eax), %esp
        sub $8, %esp
        push %ecx
        push %eax
        call suspect_main
        ud2

suspect_portal:
        cld
        mov %esp, %edx
        and $-8192, %edx
        lea 8192 - 64(%edx), %esp
        sub $8, %esp
        push %eax
        push %edx
        call suspect_serve
        add $16, %esp
suspect_reply:
        mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        /* The extension by which a thread ends itself. */
suspect_end:
        mov %esp, %ecx
        mov $0x3e, %eax
        xor %edi, %edi
        sysenter
        ud2

        .section .note.GNU-stack, "", @progbits
