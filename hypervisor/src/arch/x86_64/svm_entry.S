/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with SVM, on x86-64. */
#include "asm_offsets.h"

#define REG(field) (EC_REGS + REGS_##field)

        .text

/* RDI = EC, RSI = the guest's control block, RDX = the block for the kernel's state (physical
 * addresses). Interrupts are off. VMRUN keeps RSP and RAX; what VMSAVE and VMLOAD move is ours to
 * switch. GIF = 0 keeps everything away until the kernel's state is back; IF = 1 lets interrupts
 * end the guest. */
        .globl svm_enter
        .balign 64
svm_enter:
        clgi
        sti
        mov     %rdx, %rax
        vmsave  %rax
        mov     %rdi, %rsp
        mov     %rsi, %rax
        vmload  %rax
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
        vmrun   %rax
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
        vmsave  %rax
        mov     %rsp, %rdi
        mov     EC_STACK_TOP(%rdi), %rsp
        mov     CPU_HOST_STATE - CPU_TOP(%rsp), %rax
        vmload  %rax
        cli
        cld
        xor     %ebp, %ebp
        stgi
        call    finish_svm_exit
