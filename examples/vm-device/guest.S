/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: 32-bit code at GUEST_AT for the first virtual CPU, 16-bit code in the next page for
 * the second one. */
#include "guest.h"

#define AT(label) ((label) - guest_begin + GUEST_AT)
#define CODE      8 /* selector in the GDT below */

        .section .rodata
        .global guest_begin, guest_end
        .balign 4096
guest_begin:
        .code32
        movl    $GUEST_AT, %esp
        lgdt    AT(gdt_pointer)
        lidt    AT(idt_pointer)
        movl    $BELL, %ebx
        xorl    %edi, %edi /* number of interrupts of the bell */
        movl    $(GUEST_AT >> 12) + 1, BELL_START(%ebx)
        movl    $BELL_MS, BELL_RING(%ebx)
1:      cli
        cmpl    $RINGS, %edi
        jae     2f
        sti
        hlt
        jmp     1b
2:      hlt

interrupt:
        movl    BELL_RING(%ebx), %edi
        movl    %edi, %eax
        addb    $'0', %al
        outb    %al, $PRINT_PORT
        cmpl    $RINGS, %edi
        jae     1f
        movl    $BELL_MS, BELL_RING(%ebx)
1:      iret

        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   AT(gdt)
        .balign 8
idt:    .fill   BELL_VECTOR, 8, 0
        .word   interrupt - guest_begin, CODE, 0x8e00, GUEST_AT >> 16
idt_pointer:
        .word   idt_pointer - idt - 1
        .long   AT(idt)

        .balign 4096
second:
        .code16
        movw    %cs, %ax
        movw    %ax, %ds
        movw    $text - second, %si
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, $PRINT_PORT
        jmp     1b
2:      cli
        hlt
text:   .asciz  "begun"
guest_end:

        .section .note.GNU-stack, "", @progbits
