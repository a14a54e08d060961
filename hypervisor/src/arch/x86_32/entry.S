/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the kernel and out of it on x86-32. */
#include "asm_offsets.h"
#include "layout.h"

#define REG(field) (EC_REGS + REGS_##field)

        .text

/* SYSENTER: ECX = return SP, EDX = return address, on the CPU's kernel stack, interrupts off. All
 * other flags are the user's: they are cleared before one of them can hurt. The user's data
 * segments may be null. The block that the stack lies in tells the CPU. */
        .globl entry_hypercall
        .balign 64
entry_hypercall:
        pushl   $2
        popfl
        push    %eax
        mov     $SEL_USER_DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %esp, %eax
        and     $-CPU_BLOCK, %eax
        mov     CPU_CURRENT(%eax), %eax
        mov     %ecx, REG(CX)(%eax)
        mov     %edx, REG(DX)(%eax)
        mov     %edi, REG(DI)(%eax)
        mov     %esi, REG(SI)(%eax)
        mov     %ebx, REG(BX)(%eax)
        mov     %ebp, REG(BP)(%eax)
        pop     %ecx
        mov     %ecx, REG(AX)(%eax)
        sub     $8, %esp
        push    %ecx
        push    %eax
        call    hypercall_dispatch

/* Back from a hypercall: leave_by_hypercall(argument 1, EC). */
        .globl leave_by_hypercall
        .balign 16
leave_by_hypercall:
        mov     4(%esp), %eax
        mov     8(%esp), %esi
        mov     REG(DX)(%esi), %edx
1:      mov     REG(BX)(%esi), %ebx
        mov     REG(CX)(%esi), %ecx
        mov     REG(BP)(%esi), %ebp
        mov     REG(DI)(%esi), %edi
        mov     REG(SI)(%esi), %esi
        cld
        sti
        sysexit

/* To a portal's entry: leave_to_portal(EC, PT). */
        .globl leave_to_portal
        .balign 16
leave_to_portal:
        mov     4(%esp), %esi
        mov     8(%esp), %eax
        mov     PT_IP(%eax), %edx
        mov     PT_ID(%eax), %eax
        jmp     1b

.macro pop_registers
        pop     %edi
        pop     %esi
        pop     %ebp
        pop     %edx
        pop     %ecx
        pop     %ebx
        pop     %eax
        add     $8, %esp
.endm

/* Back to interrupted code: the argument on the stack is the EC. */
        .globl leave_by_iret
        .balign 16
leave_by_iret:
        mov     4(%esp), %esp
        add     $EC_REGS, %esp
        pop_registers
        iret

/* continue_on_empty_stack(EC, continuation, stack). */
        .globl continue_on_empty_stack
continue_on_empty_stack:
        mov     4(%esp), %eax
        mov     8(%esp), %edx
        mov     12(%esp), %esp
        xor     %ebp, %ebp
        sub     $12, %esp
        push    %eax
        call    *%edx

/* All vectors meet here: vector and error are pushed. From user mode the frame lies in the EC. */
        .balign 16
entry_exception:
        cld
        push    %eax
        push    %ebx
        push    %ecx
        push    %edx
        push    %ebp
        push    %esi
        push    %edi
        mov     $SEL_USER_DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        testb   $3, REGS_CS(%esp)
        jz      1f
        lea     -EC_REGS(%esp), %eax
        mov     EC_STACK_TOP(%eax), %esp
        sub     $12, %esp
        push    %eax
        call    exception_dispatch
1:      mov     %esp, %ebp
        and     $-16, %esp
        sub     $12, %esp
        push    %ebp
        call    exception_in_kernel
        mov     %ebp, %esp
        pop_registers
        iret

/* Vectors 8, 10 to 14, 17, 21, 29 and 30 bring an error code. #DF, NMI and #MC come through task
 * gates instead. */
#define ERROR_VECTORS 0x60227d00

        .pushsection .rodata.entry_vectors, "a"
        .balign 4
        .globl  entry_vectors
entry_vectors:
        .popsection

        .set    vector, 0
        .rept   256
        .balign 16
1:
        .if     vector >= 32 || ((ERROR_VECTORS >> (vector & 31)) & 1) == 0
        push    $0
        .endif
        push    $vector
        jmp     entry_exception
        .pushsection .rodata.entry_vectors, "a"
        .long   1b
        .popsection
        .set    vector, vector + 1
        .endr
