/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with VMX, on x86-32. */
#include "registers.inc"

        .text

/* EAX = EC, whose control structure is loaded; EDX: whether it was launched already. Interrupts are
 * off. If the CPU refuses to enter, the guest's registers are still in the EC. */
        .globl vmx_enter
        .balign 64
vmx_enter:
        mov     %eax, %esp
        test    %edx, %edx
        mov     REG(AX)(%esp), %eax
        load_guest_registers
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      mov     %esp, %edi
        mov     EC_STACK_TOP(%edi), %esp
        xor     %ebp, %ebp
        mov     %edi, %eax
        call    finish_vmx_refusal

/* The CPU comes back here, ESP = EC, all flags cleared. */
        .globl vmx_exit
        .balign 16
vmx_exit:
        mov     %eax, REG(AX)(%esp)
        save_guest_registers
        mov     %esp, %edi
        mov     EC_STACK_TOP(%edi), %esp
        xor     %ebp, %ebp
        mov     %edi, %eax
        call    finish_vmx_exit
