/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry into a guest and exit from it with VMX. */
#include "arch/x86/speculation.inc"
#include "registers.inc"

        .text

/* Switches to the CPU's stack. On entry WORD(sp) is the EC, which becomes argument 1. */
.macro leave_guest
        mov     WORD(sp), WORD(di)
        mov     EC_STACK_TOP(WORD(di)), WORD(sp)
        xor     %ebp, %ebp
        pass_di
.endm

/* Arguments: the EC, whose control structure is loaded, and whether the structure was launched.
 * Interrupts are off. If the CPU refuses to enter, the guest's registers are still in the EC. */
        .globl vmx_enter
        .balign 64
vmx_enter:
        mov     ARGUMENT_1, WORD(sp)
        test    ARGUMENT_2, ARGUMENT_2
        mov     REG(AX)(WORD(sp)), WORD(ax)
        load_guest_registers
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      leave_guest
        call    finish_vmx_refusal

/* The CPU continues here after an exit. WORD(sp) is the EC; all flags are clear. */
        .globl vmx_exit
        .balign 16
vmx_exit:
        mov     WORD(ax), REG(AX)(WORD(sp))
        save_guest_registers
        leave_guest
        speculation_site SITE_GUEST_EXIT, SITE_CALL, guarded_vmx_exit
        call    finish_vmx_exit

/* The code that replaces the site (see speculation.h). */
guarded_vmx_exit:
        call    speculation_guest_exit
        jmp     finish_vmx_exit
