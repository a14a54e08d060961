/* SPDX-License-Identifier: BSD-2-Clause */
/* Into a guest and out of it with SVM. */
#include "registers.inc"

        .text

/* Arguments: the EC, the guest's control block, the block for the kernel's state (physical
 * addresses). Interrupts are off. VMRUN keeps SP and AX; what VMSAVE and VMLOAD move is ours to
 * switch. GIF = 0 keeps everything away until the kernel's state is back; IF = 1 lets interrupts
 * end the guest. */
        .globl svm_enter
        .balign 64
svm_enter:
        clgi
        sti
        mov     ARGUMENT_1, WORD(sp)
        mov     ARGUMENT_3, WORD(ax)
        vmsave  WORD(ax)
        mov     ARGUMENT_2, WORD(ax)
        vmload  WORD(ax)
        load_guest_registers
        vmrun   WORD(ax)
        save_guest_registers
        vmsave  WORD(ax)
        mov     WORD(sp), WORD(di)
        mov     EC_STACK_TOP(WORD(di)), WORD(sp)
        mov     CPU_HOST_STATE - CPU_TOP(WORD(sp)), WORD(ax)
        vmload  WORD(ax)
        cli
        cld
        xor     %ebp, %ebp
        stgi
        pass_di
        call    finish_svm_exit
