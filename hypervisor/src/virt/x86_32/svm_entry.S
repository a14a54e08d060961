/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with SVM, on x86-32. */
#include "registers.inc"

        .text

/* EAX = EC, EDX = the guest's control block, ECX = the block for the kernel's state (physical
 * addresses). Interrupts are off. VMRUN keeps ESP and EAX; what VMSAVE and VMLOAD move is ours to
 * switch. GIF = 0 keeps everything away until the kernel's state is back; IF = 1 lets interrupts
 * end the guest. */
        .globl svm_enter
        .balign 64
svm_enter:
        clgi
        sti
        mov     %eax, %esp
        mov     %ecx, %eax
        vmsave  %eax
        mov     %edx, %eax
        vmload  %eax
        load_guest_registers
        vmrun   %eax
        save_guest_registers
        vmsave  %eax
        mov     %esp, %edi
        mov     EC_STACK_TOP(%edi), %esp
        mov     CPU_HOST_STATE - CPU_TOP(%esp), %eax
        vmload  %eax
        cli
        cld
        xor     %ebp, %ebp
        stgi
        mov     %edi, %eax
        call    finish_svm_exit
