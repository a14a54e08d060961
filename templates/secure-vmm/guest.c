/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest, whose first instruction runs in secure mode, in 64-bit code: it prints a text to a
 * port. <novauv/guest.h> has the ultracalls for guests in C. */
__asm__(".text\n"
        ".code64\n"
        ".globl _start\n"
        "_start: movl $text, %esi\n"
        "1:      lodsb\n"
        "        outb %al, $0xe9\n"
        "        testb %al, %al\n"
        "        jnz 1b\n"
        "2:      cli\n"
        "        hlt\n"
        "        jmp 2b\n"
        "text:   .asciz \"My monitor cannot read my memory.\"\n");
