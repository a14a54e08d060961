/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with VMX, on x86-32. */
#include "asm_offsets.h"

#define REG(field) (EC_REGS + REGS_##field)

        .text

/* On the stack: EC, whose control structure is loaded, and whether it was launched already.
 * Interrupts are off. If the CPU refuses to enter, the guest's registers are still in the EC. */
        .globl vmx_enter
        .balign 64
vmx_enter:
        mov     8(%esp), %eax
        mov     4(%esp), %esp
        test    %eax, %eax
        mov     REG(AX)(%esp), %eax
        mov     REG(BX)(%esp), %ebx
        mov     REG(CX)(%esp), %ecx
        mov     REG(DX)(%esp), %edx
        mov     REG(BP)(%esp), %ebp
        mov     REG(SI)(%esp), %esi
        mov     REG(DI)(%esp), %edi
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      mov     %esp, %edi
        mov     EC_STACK_TOP(%edi), %esp
        xor     %ebp, %ebp
        sub     $12, %esp
        push    %edi
        call    finish_vmx_refusal

/* The CPU comes back here, ESP = EC, all flags cleared. */
        .globl vmx_exit
        .balign 16
vmx_exit:
        mov     %eax, REG(AX)(%esp)
        mov     %ebx, REG(BX)(%esp)
        mov     %ecx, REG(CX)(%esp)
        mov     %edx, REG(DX)(%esp)
        mov     %ebp, REG(BP)(%esp)
        mov     %esi, REG(SI)(%esp)
        mov     %edi, REG(DI)(%esp)
        mov     %esp, %edi
        mov     EC_STACK_TOP(%edi), %esp
        xor     %ebp, %ebp
        sub     $12, %esp
        push    %edi
        call    finish_vmx_exit
