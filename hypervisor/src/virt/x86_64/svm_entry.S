/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with SVM, on x86-64. */
#include "registers.inc"

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
        load_guest_registers
        vmrun   %rax
        save_guest_registers
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
