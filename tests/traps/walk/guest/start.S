/* SPDX-License-Identifier: BSD-2-Clause */
/* Start of the walker by Multiboot, its tables, and the code that enters an instruction and returns
 * from it. */
#include "layout.h"

#if __SIZEOF_POINTER__ == 8
#define WIDE 1
#define AX   %rax
#define CX   %rcx
#define DX   %rdx
#define BX   %rbx
#define SP   %rsp
#define BP   %rbp
#define SI   %rsi
#define DI   %rdi
#define AREA 0
#define WORD 8
#else
#define WIDE 0
#define AX   %eax
#define CX   %ecx
#define DX   %edx
#define BX   %ebx
#define SP   %esp
#define BP   %ebp
#define SI   %esi
#define DI   %edi
#define WORD 4
#endif

#define MAGIC 0x1badb002
#define FLAGS 0x3

        .section .header, "a"
        .balign 4
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)

/* ---- Start ----------------------------------------------------------------------------------- */

        .text
        .code32
        .globl  start
start:
        cli
        cld
        mov     $main_stack_top, %esp
        /* Reads the addresses of up to two modules, before paging hides Multiboot's information. */
        mov     20(%ebx), %ecx
        mov     %ecx, walker_modules
        mov     24(%ebx), %esi
        mov     $walker_module, %edi
1:      test    %ecx, %ecx
        jz      2f
        movsl
        movsl
        add     $8, %esi
        dec     %ecx
        jmp     1b
2:      lgdt    gdt_pointer
        ljmp    $SEL_KERNEL_COMPAT, $3f
3:      mov     $SEL_KERNEL_DATA, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
#if WIDE
        mov     $WALKER_CR4_64, %eax
        mov     %eax, %cr4
        mov     $top_table, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx
        mov     $0x100, %eax            /* LME */
        xor     %edx, %edx
        wrmsr
#else
        mov     $WALKER_CR4_32, %eax
        mov     %eax, %cr4
        mov     $top_table, %eax
        mov     %eax, %cr3
#endif
        mov     $WALKER_CR0, %eax
        mov     %eax, %cr0
        ljmp    $SEL_KERNEL_CODE, $4f
#if WIDE
        .code64
#endif
4:      xor     %ebp, %ebp
        call    walker_main
5:      hlt
        jmp     5b

/* ---- Entry into the instruction -------------------------------------------------------------- */

/* Runs an instruction with the registers walker_begin, the FPU state walker_fpu and the frame
 * walker_frame. Returns after the first event, whose registers are at walker_saved. */
        .globl  walker_run
walker_run:
        push    BX
        push    BP
        push    SI
        push    DI
#if WIDE
        push    %r12
        push    %r13
        push    %r14
        push    %r15
#endif
        mov     SP, main_stack
        fninit                          /* QEMU's FXRSTOR keeps the FPU's old IP */
        fxrstor walker_fpu
#if WIDE
        push    walker_frame + 32
        push    walker_frame + 24
#else
        testl   $3, walker_frame + 4
        jnz     1f
        mov     walker_frame + 12, SP   /* IRET at CPL 0 loads no SP */
        jmp     2f
1:      push    walker_frame + 16
        push    walker_frame + 12
2:
#endif
        push    walker_frame + 2 * WORD
        push    walker_frame + WORD
        push    walker_frame
        mov     walker_begin, AX
        mov     walker_begin + WORD, CX
        mov     walker_begin + 2 * WORD, DX
        mov     walker_begin + 3 * WORD, BX
        mov     walker_begin + 5 * WORD, BP
        mov     walker_begin + 6 * WORD, SI
        mov     walker_begin + 7 * WORD, DI
#if WIDE
        mov     walker_begin + 8 * WORD, %r8
        mov     walker_begin + 9 * WORD, %r9
        mov     walker_begin + 10 * WORD, %r10
        mov     walker_begin + 11 * WORD, %r11
        mov     walker_begin + 12 * WORD, %r12
        mov     walker_begin + 13 * WORD, %r13
        mov     walker_begin + 14 * WORD, %r14
        mov     walker_begin + 15 * WORD, %r15
        iretq
#else
        iretl
#endif

/* ---- Return from the instruction ------------------------------------------------------------- */

        .balign 16
        .globl  walker_entries
walker_entries:
        .set    vector, 0
        .rept   256
        .balign 16
        push    $vector
        jmp     trap
        .set    vector, vector + 1
        .endr

/* Saves the registers on the stack of the event, and returns from walker_run on the main stack. */
trap:
#if WIDE
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rsp
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
#else
        pushal
#endif
        mov     %ds, %eax
        push    AX
        mov     %es, %eax
        push    AX
        mov     %fs, %eax
        push    AX
        mov     %gs, %eax
        push    AX
        mov     $SEL_KERNEL_DATA, %eax
        mov     %eax, %ds
        mov     $SEL_USER_DATA, %eax
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ds
        cld
        mov     SP, walker_saved
        mov     %cr0, AX
        mov     AX, walker_cr0
        cmp     $WALKER_CR0, %eax
        je      1f
        mov     $WALKER_CR0, %eax
        mov     AX, %cr0
1:      fxsave  walker_fpu
        mov     main_stack, SP
        mov     $SEL_KERNEL_DATA, %eax
        mov     %eax, %ss
#if WIDE
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
#endif
        pop     DI
        pop     SI
        pop     BP
        pop     BX
        ret

/* ---- Tables ---------------------------------------------------------------------------------- */

        .data
        .balign 16
        .globl  walker_gdt
walker_gdt:
        .quad   0
#if WIDE
        .quad   0xaf9b000000ffff
#else
        .quad   0xcf9b000000ffff
#endif
        .quad   0xcf93000000ffff
        .quad   0xcffb000000ffff
        .quad   0xcff3000000ffff
#if WIDE
        .quad   0xaffb000000ffff
#else
        .quad   0
#endif
        .quad   0xcf9b000000ffff
        .quad   0, 0                    /* the task */
gdt_end:
gdt_pointer:
        .short  gdt_end - walker_gdt - 1
        .long   walker_gdt

#define PRESENT 0x3     /* present page of the kernel, writable */
#define USER    0x7
#define LARGE   0x83

        .balign 4096
#if WIDE
top_table:
        .quad   second_table + USER
        .fill   511, 8, 0
second_table:
        .quad   low_table + PRESENT, area_table + USER
        .fill   510, 8, 0
low_table:
        .quad   first_pages + PRESENT
        .set    page, 1
        .rept   63
        .quad   page * 0x200000 + LARGE
        .set    page, page + 1
        .endr
        .fill   448, 8, 0
area_table:
        .quad   area_pages + USER
        .fill   511, 8, 0
first_pages:
        .fill   256, 8, 0               /* the first MiB is absent */
        .set    page, 256
        .rept   256
        .quad   page * 0x1000 + PRESENT
        .set    page, page + 1
        .endr
area_pages:
        .quad   0, walker_code + USER, 0, 0, walker_operand + USER
        .fill   507, 8, 0
#else
top_table:
        .long   first_pages + PRESENT
        .set    page, 1
        .rept   31
        .long   page * 0x400000 + LARGE
        .set    page, page + 1
        .endr
        .fill   224, 4, 0
        .long   area_pages + USER
        .fill   767, 4, 0
first_pages:
        .fill   256, 4, 0
        .set    page, 256
        .rept   768
        .long   page * 0x1000 + PRESENT
        .set    page, page + 1
        .endr
area_pages:
        .long   0, walker_code + USER, 0, 0, walker_operand + USER
        .fill   1019, 4, 0
#endif

        .bss
        .balign 4096
        .globl  walker_code, walker_operand, walker_stack_top
walker_code:
        .skip   4096
walker_operand:
        .skip   4096
        .skip   WALKER_STACK_SIZE       /* stack of events */
walker_stack_top:
        .skip   WALKER_STACK_SIZE
main_stack_top:
        .globl  walker_fpu, walker_begin, walker_frame, walker_saved, walker_cr0
        .globl  walker_modules, walker_module
walker_fpu:
        .skip   512
walker_begin:
        .skip   16 * WORD
walker_frame:
        .skip   5 * WORD
walker_saved:
        .skip   WORD
walker_cr0:
        .skip   WORD
main_stack:
        .skip   WORD
walker_modules:
        .skip   4
walker_module:
        .skip   16

        .section .note.GNU-stack, "", @progbits
