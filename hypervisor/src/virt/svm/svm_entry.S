/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry into a guest and exit from it with SVM. */
#include "arch/x86/cpu.h"
#include "arch/x86/speculation.inc"
#include "registers.inc"

        .text

/* Arguments: the EC, and the physical addresses of the guest's control block and of the block for
 * the kernel's state. Interrupts are off. VMRUN switches SP and AX; this code switches the state
 * that VMSAVE and VMLOAD move. GIF = 0 holds back all events until the kernel's state is back;
 * IF = 1 lets interrupts end the guest's run. */
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
        mov     CPU_VIRT - CPU_TOP(WORD(sp)), WORD(ax)
        vmload  WORD(ax)
        cli
        cld
        xor     %ebp, %ebp
        stgi
        pass_di
        speculation_site SITE_GUEST_EXIT, SITE_CALL, guarded_svm_exit
        call    finish_svm_exit

/* The code that replaces the site (see speculation.h). */
guarded_svm_exit:
        call    speculation_guest_exit
        jmp     finish_svm_exit
