/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks before paging that the kernel can run on this CPU. If not, prints a sentence and halts. */
        .section .boot, "ax"
        .code32

#define COM1_DEFAULT 0x3f8
#define BDA_COM1     0x400
#define EFLAGS_ID    0x200000

/* Returns if the CPU has all necessary features. Keeps EDI, ESI and EBP. */
        .globl start_check
start_check:
        pushf
        pop     %eax
        mov     %eax, %ecx
        xor     $EFLAGS_ID, %eax
        push    %eax
        popf
        pushf
        pop     %eax
        mov     $name_cpuid, %edx
        cmp     %eax, %ecx
        je      lacking

        mov     $1, %eax
        cpuid
        mov     %edx, %eax
        mov     $needed, %edx
1:      movzbl  (%edx), %ecx            /* each row: bit number, name */
        inc     %edx
        cmp     $0xff, %cl
        je      start_check_mode  /* in start.S: checks of this width only; returns to our caller */
        bt      %ecx, %eax
        jnc     lacking
2:      inc     %edx
        cmpb    $0, -1(%edx)
        jne     2b
        jmp     1b

/* Reports the missing feature, whose name is at EDX, and halts. */
        .globl lacking
lacking:
        mov     %edx, %ebx
        mov     $COM1_DEFAULT, %edx
        movzwl  BDA_COM1, %eax
        test    %eax, %eax
        jz      1f
        mov     %eax, %edx
1:      mov     %edx, %ebp
        mov     $uart_set_up, %esi
2:      lodsb                           /* pairs: register, value; ended by 0xff */
        cmp     $0xff, %al
        je      3f
        movzbl  %al, %edx
        add     %ebp, %edx
        lodsb
        outb    %al, %dx
        jmp     2b
3:      mov     $text_before, %esi
        call    print
        mov     %ebx, %esi
        call    print
        mov     $text_after, %esi
        call    print
4:      cli
        hlt
        jmp     4b

/* ESI: string, EBP: port of COM1. */
print:  lodsb
        test    %al, %al
        jz      2f
        mov     %al, %ah
        lea     5(%ebp), %edx
        mov     $100000, %ecx
1:      inb     %dx, %al
        test    $0x20, %al
        loopz   1b
        mov     %ebp, %edx
        mov     %ah, %al
        outb    %al, %dx
        jmp     print
2:      ret

uart_set_up:                            /* 115200 8N1, FIFOs on, no interrupts */
        .byte   1, 0, 3, 0x80, 0, 1, 1, 0, 3, 3, 2, 7, 4, 3, 0xff
text_before:
        .asciz  "NOVA: this CPU lacks "
text_after:
        .asciz  ", which the kernel needs: use another CPU or kernel.\r\nNOVA: stopped\r\n"
name_cpuid:
        .asciz  "the CPUID instruction"
needed:                                 /* bits of CPUID leaf 1, EDX */
        .byte   0
        .asciz  "a floating-point unit"
        .byte   4
        .asciz  "a time-stamp counter"
        .byte   5
        .asciz  "model-specific registers"
        .byte   6
        .asciz  "PAE"
        .byte   8
        .asciz  "CMPXCHG8B"
        .byte   9
        .asciz  "a local APIC"
        .byte   11
        .asciz  "SYSENTER"
        .byte   13
        .asciz  "global pages (PGE)"
        .byte   15
        .asciz  "CMOV"
        .byte   24
        .asciz  "FXSAVE"
        .byte   0xff
