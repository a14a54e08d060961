/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: looks for the hypercall interface step by step, and makes calls. It runs in 64-bit
 * mode in the first 2 MiB, of which the monitor has made an identity mapping. */

/* Address at which the monitor loads the guest. */
#define BASE        0x100000
#define HERE(label) (BASE + label - guest_begin)

#define IDT            0x6000
#define INPUT          0xa000
#define OUTPUT         0xb000
#define HYPERCALL_PAGE 0x10000

#define MSR_IDENTITY  0x40000000
#define MSR_HYPERCALL 0x40000001
#define FAST          0x10000
#define ADD           0x9000           /* the monitor's own calls */
#define GREET         0x9001
#define LONG_GREET    0x9002

/* Prints a text. */
        .macro say text
        leaq 9f(%rip), %rsi
        call print
        .subsection 1
9:      .asciz "\text"
        .previous
        .endm

/* Ends the guest with a text if the last comparison fails. */
        .macro require condition, text
        j\condition 8f
        say "\text\r\n"
        jmp off
8:
        .endm

        .section .rodata
        .globl guest_begin, guest_end
        .balign 16
guest_begin:
        .code64
        lgdt gdt_pointer(%rip)
        movl $(IDT + 6 * 16), %edi             /* the gate of #UD */
        movl $HERE(undefined), %eax
        movw %ax, (%rdi)
        movw $8, 2(%rdi)
        movw $0x8e00, 4(%rdi)
        shrl $16, %eax
        movl %eax, 6(%rdi)
        lidt idt_pointer(%rip)

        movl $1, %eax
        cpuid
        testl %ecx, %ecx                       /* bit 31 */
        require s, "1: There is no hypervisor."
        say "1: CPUID announces a hypervisor.\r\n"

        movl $0x40000000, %eax
        cpuid
        cmpl $0x40000005, %eax
        require ae, "2: It has too few leaves."
        say "2: It has the leaves of an interface.\r\n"

        movl $0x40000001, %eax
        cpuid
        cmpl $0x31237648, %eax
        require e, "3: The interface is another one."
        say "3: The interface is Hv#1.\r\n"

        call off_page_amd                      /* not set up yet: #UD */
        cmpl $6, %r15d
        require e, "4: A call works too early."
        call off_page_intel
        cmpl $6, %r15d
        require e, "4: A call works too early."
        movl $MSR_IDENTITY, %ecx
        movl $0x00010000, %eax                 /* open source, system 0x7f, version 1 */
        movl $0xff000000, %edx
        wrmsr
        say "4: A call raises #UD. The guest has reported its identity.\r\n"

        movl $MSR_HYPERCALL, %ecx
        rdmsr
        testl $1, %eax
        require z, "5: The hypercall page is enabled already."
        say "5: The hypercall page is not enabled yet.\r\n"

        movl $(HYPERCALL_PAGE | 1), %eax
        xorl %edx, %edx
        wrmsr
        rdmsr
        cmpl $(HYPERCALL_PAGE | 1), %eax
        require e, "6: The hypercall page is elsewhere."
        say "6: The hypercall page is enabled at 0x10000.\r\n"

        movl $0xffff, %ecx                     /* no such call: status 2 */
        call call_page
        cmpl $2, %eax
        require e, "7: The page does not work."
        say "7: The page makes calls.\r\n"

        movl $INPUT, %edx                      /* parameters in memory */
        movl $OUTPUT, %r8d
        movq $19, (%rdx)
        movq $23, 8(%rdx)
        movl $ADD, %ecx
        call call_page
        testl %eax, %eax
        require z, "The call with parameters in memory fails."
        cmpq $42, OUTPUT
        require e, "The call returns a wrong sum."
        say "In memory: 19 + 23 = 42.\r\n"

        movl $7, %edx                          /* parameters in general registers */
        movl $11, %r8d
        movl $(FAST | GREET), %ecx
        call call_page
        testl %eax, %eax
        require z, "The call with parameters in registers fails."
        say "In general registers: done.\r\n"

        movl $0x40000003, %eax                 /* parameters that continue in XMM0 */
        cpuid
        testl $0x10, %edx
        require nz, "CPUID does not announce parameters in XMM registers."
        movq %cr4, %rax
        orl $0x200, %eax                       /* OSFXSR: the guest uses XMM registers */
        movq %rax, %cr4
        movdqu long_greeting(%rip), %xmm0
        movl $7, %edx
        movl $11, %r8d
        movl $(FAST | LONG_GREET), %ecx
        call call_page
        testl %eax, %eax
        require z, "The call with parameters in XMM registers fails."
        say "In XMM registers: done.\r\n"

off:    movw $0x604, %dx                       /* ACPI: switch off */
        movw $0x3400, %ax
        outw %ax, %dx
1:      hlt
        jmp 1b

/* Calls the hypercall page. R15 is 6 afterwards if the call raised #UD. */
call_page:
        xorl %r15d, %r15d
        movl $HYPERCALL_PAGE, %r14d
        jmp *%r14

/* Make a call without the page, by the instruction of one vendor or the other. */
off_page_amd:
        xorl %r15d, %r15d
        movl $0xffff, %ecx
        vmmcall
        ret
off_page_intel:
        xorl %r15d, %r15d
        movl $0xffff, %ecx
        vmcall
        ret

/* Handles #UD: returns from the function that raised it. */
undefined:
        movl $6, %r15d
        movq 24(%rsp), %rax                    /* the stack of the interrupted code */
        movq (%rax), %rax
        movq %rax, (%rsp)
        addq $8, 24(%rsp)
        iretq

print:  movw $0x3f8, %dx
1:      lodsb
        testb %al, %al
        jz 2f
        outb %al, %dx
        jmp 1b
2:      ret

        .balign 16
long_greeting:
        .quad 13, 17
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word 23
        .quad HERE(gdt)
idt_pointer:
        .word 0xfff
        .quad IDT

/* The texts follow the code. */
        .subsection 2
guest_end:
        .previous

        .section .note.GNU-stack, "", @progbits
