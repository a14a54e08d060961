/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with VMX, on x86-64. */
#include "asm_offsets.h"

#define REG(field) (EC_REGS + REGS_##field)

        .text

/* RDI = EC, whose control structure is loaded; ESI = whether it was launched already. Interrupts
 * are off. If the CPU refuses to enter, the guest's registers are still in the EC. */
        .globl vmx_enter
        .balign 64
vmx_enter:
        mov     %rdi, %rsp
        test    %esi, %esi
        mov     REG(AX)(%rsp), %rax
        mov     REG(BX)(%rsp), %rbx
        mov     REG(CX)(%rsp), %rcx
        mov     REG(DX)(%rsp), %rdx
        mov     REG(BP)(%rsp), %rbp
        mov     REG(SI)(%rsp), %rsi
        mov     REG(DI)(%rsp), %rdi
        mov     REG(R8)(%rsp), %r8
        mov     REG(R9)(%rsp), %r9
        mov     REG(R10)(%rsp), %r10
        mov     REG(R11)(%rsp), %r11
        mov     REG(R12)(%rsp), %r12
        mov     REG(R13)(%rsp), %r13
        mov     REG(R14)(%rsp), %r14
        mov     REG(R15)(%rsp), %r15
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      mov     %rsp, %rdi
        mov     EC_STACK_TOP(%rdi), %rsp
        xor     %ebp, %ebp
        call    finish_vmx_refusal

/* The CPU comes back here, RSP = EC, all flags cleared. */
        .globl vmx_exit
        .balign 16
vmx_exit:
        mov     %rax, REG(AX)(%rsp)
        mov     %rbx, REG(BX)(%rsp)
        mov     %rcx, REG(CX)(%rsp)
        mov     %rdx, REG(DX)(%rsp)
        mov     %rbp, REG(BP)(%rsp)
        mov     %rsi, REG(SI)(%rsp)
        mov     %rdi, REG(DI)(%rsp)
        mov     %r8, REG(R8)(%rsp)
        mov     %r9, REG(R9)(%rsp)
        mov     %r10, REG(R10)(%rsp)
        mov     %r11, REG(R11)(%rsp)
        mov     %r12, REG(R12)(%rsp)
        mov     %r13, REG(R13)(%rsp)
        mov     %r14, REG(R14)(%rsp)
        mov     %r15, REG(R15)(%rsp)
        mov     %rsp, %rdi
        mov     EC_STACK_TOP(%rdi), %rsp
        xor     %ebp, %ebp
        call    finish_vmx_exit
