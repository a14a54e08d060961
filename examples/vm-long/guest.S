/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: switches from protected mode to long mode, then takes five interrupts of the timer. */

/* Address at which the monitor loads the guest. */
#define BASE        0x100000
#define HERE(label) (BASE + label - guest_begin)

#define IDT    0x6000
#define STACK  0x8000
#define TABLES 0x8000
#define VECTOR 0x20

        .section .rodata
        .globl guest_begin, guest_end
        .balign 16
guest_begin:
        .code32
        movl $(TABLES + 0x1003), TABLES        /* one large page at address 0 */
        movl $(TABLES + 0x2003), TABLES + 0x1000
        movl $0x83, TABLES + 0x2000
        movl $TABLES, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x20, %eax                        /* PAE */
        movl %eax, %cr4
        movl $0xc0000080, %ecx                 /* EFER */
        rdmsr
        orl $0x100, %eax                       /* LME */
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax                  /* PG */
        movl %eax, %cr0
        lgdt HERE(gdt_pointer)
        ljmp $8, $HERE(long_mode)

        .code64
long_mode:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl $STACK, %esp
        leaq in_long_mode(%rip), %rsi
        call print

        movl $(IDT + VECTOR * 16), %edi        /* the gate of the timer's vector */
        movl $HERE(tick), %eax
        movw %ax, (%rdi)
        movw $8, 2(%rdi)
        movw $0x8e00, 4(%rdi)
        shrl $16, %eax
        movl %eax, 6(%rdi)
        lidt idt_pointer(%rip)

        leaq initialisation(%rip), %rsi        /* pairs of port and value */
1:      lodsw
        testw %ax, %ax
        jz 2f
        movw %ax, %dx
        lodsb
        outb %al, %dx
        jmp 1b

2:      xorl %ebx, %ebx
3:      sti
        hlt
        cli
        cmpl $5, %ebx
        jb 3b
        leaq end(%rip), %rsi
        call print
        movw $0x604, %dx                       /* ACPI: switch off */
        movw $0x3400, %ax
        outw %ax, %dx
4:      hlt
        jmp 4b

tick:   incl %ebx
        movw $0x3f8, %dx
        movb $' ', %al
        outb %al, %dx
        leal '0'(%rbx), %eax
        outb %al, %dx
        movb $0x20, %al
        outb %al, $0x20
        iretq

print:  movw $0x3f8, %dx
1:      lodsb
        testb %al, %al
        jz 2f
        outb %al, %dx
        jmp 1b
2:      ret

        .balign 8
gdt:    .quad 0, 0x00af9b000000ffff
gdt_pointer:
        .word 15
        .long HERE(gdt)
idt_pointer:
        .word 0xfff
        .quad IDT
initialisation:
        .word 0x20; .byte 0x11                 /* interrupt controller: vectors begin at 0x20 */
        .word 0x21; .byte VECTOR
        .word 0x21; .byte 4
        .word 0x21; .byte 1
        .word 0x21; .byte 0xfe                 /* only the timer */
        .word 0x43; .byte 0x34                 /* timer: periodic, 100 times a second */
        .word 0x40; .byte 0x9c
        .word 0x40; .byte 0x2e
        .word 0
in_long_mode:
        .asciz "In long mode, with paging.\r\nInterrupts:"
end:    .asciz "\r\n"
guest_end:

        .section .note.GNU-stack, "", @progbits
