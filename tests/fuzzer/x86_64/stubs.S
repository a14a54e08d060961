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

        /* Patterns in XMM0 to XMM7 from the stack's address. No memory is used, because a random
         * hypercall may have put two threads on one stack. */
        .macro pattern
        mov %esp, %eax
        and $-8192, %eax
        imul $0x01000193, %eax, %eax
        or $1, %eax
        .endm

        .globl suspect_fpu_load, suspect_fpu_state
suspect_fpu_load:
        pattern
        movd %eax, %xmm0
        pshufd $0, %xmm0, %xmm0
        .irp n, 1, 2, 3, 4, 5, 6, 7
        movdqa %xmm0, %xmm\n
        .endr
        ret

        /* Returns 0 if all registers are 0, 1 if all have the pattern, else 2. */
suspect_fpu_state:
        pattern
        movd %xmm0, %edx
        test %edx, %edx
        jz 1f
        cmp %eax, %edx
        jne 2f
1:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7
        movd %xmm\n, %ecx
        cmp %edx, %ecx
        jne 2f
        pextrw $4, %xmm\n, %ecx
        cmp %dx, %cx
        jne 2f
        rol $16, %edx
        pextrw $7, %xmm\n, %ecx
        cmp %dx, %cx
        jne 2f
        rol $16, %edx
        .endr
        xor %eax, %eax
        test %edx, %edx
        setnz %al
        ret
2:      mov $2, %eax
        ret

        .section .note.GNU-stack, "", @progbits
