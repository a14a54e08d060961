/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with VMX, on x86-64. */
#include "registers.inc"

        .text

/* RDI = EC, whose control structure is loaded; ESI = whether it was launched already. Interrupts
 * are off. If the CPU refuses to enter, the guest's registers are still in the EC. */
        .globl vmx_enter
        .balign 64
vmx_enter:
        mov     %rdi, %rsp
        test    %esi, %esi
        mov     REG(AX)(%rsp), %rax
        load_guest_registers
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
        save_guest_registers
        mov     %rsp, %rdi
        mov     EC_STACK_TOP(%rdi), %rsp
        xor     %ebp, %ebp
        call    finish_vmx_exit
