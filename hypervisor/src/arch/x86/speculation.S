/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions against flaws of speculation, and the stubs that call some of them (see speculation.c).
 * All of them preserve all registers but the flags, and need a stack. */
#include "arch/x86/msr.h"
#include "arch/x86/speculation.inc"
#include "layout.h"
#include "registers.inc"

        .text

.macro write_msr msr, value
        push    WORD(ax)
        push    WORD(cx)
        push    WORD(dx)
        mov     $\msr, %ecx
        mov     \value, %eax
        xor     %edx, %edx
        wrmsr
        pop     WORD(dx)
        pop     WORD(cx)
        pop     WORD(ax)
        ret
.endm

/* Restricts indirect branches of the kernel to targets that the kernel has trained. */
        .globl speculation_ibrs
        .balign 16
speculation_ibrs:
        write_msr MSR_SPEC_CTRL, speculation_control

/* Discards all trained targets of indirect branches. */
        .globl speculation_ibpb
        .balign 16
speculation_ibpb:
        write_msr MSR_PRED_CMD, $PRED_CMD_IBPB

        .globl speculation_l1d_flush
        .balign 16
speculation_l1d_flush:
        write_msr MSR_FLUSH_CMD, $FLUSH_CMD_L1D

/* Replaces all entries of the return stack (32 on the largest CPUs) by addresses in this function,
 * at which speculation ends, also on CPUs without LFENCE. */
        .globl speculation_fill_return_stack
        .balign 16
speculation_fill_return_stack:
        .rept   32
        call    1f
        int3
1:
        .endr
        lea     32 * WORD_SIZE(WORD(sp)), WORD(sp)
        ret

/* Fills the branch history, which records at most 194 taken branches, with 200 branches. */
        .globl speculation_overwrite_history
        .balign 64
speculation_overwrite_history:
        push    WORD(cx)
        mov     $100, %ecx
1:      jmp     2f
        int3
2:      dec     %ecx
        jnz     1b
        lfence
        pop     WORD(cx)
        ret

/* Overwrites the buffers of the memory pipeline. The microcode of VERW with a memory operand does
 * this. */
        .globl speculation_verw
        .balign 16
speculation_verw:
        verw    %cs:speculation_selector
        ret

/* Leaves the result of 0 / 1 in the divider. */
        .globl speculation_divide
        .balign 16
speculation_divide:
        push    WORD(ax)
        push    WORD(cx)
        push    WORD(dx)
        xor     %eax, %eax
        xor     %edx, %edx
        mov     $1, %ecx
        div     %ecx
        pop     WORD(dx)
        pop     WORD(cx)
        pop     WORD(ax)
        ret

.macro slot name
        .globl speculation_slot_\name
speculation_slot_\name:
        .byte   0x0f, 0x1f, 0x44, 0, 0  /* a NOP of 5 bytes */
.endm

/* Treats flaws at each entry from user mode, if a site calls it. */
        .globl speculation_entry
        .balign 64
speculation_entry:
        slot    entry_ibpb
        slot    entry_ibrs
        slot    entry_stack
        slot    entry_history
        ret

/* Treats flaws at each exit of a guest, if a site calls it. */
        .globl speculation_guest_exit
        .balign 64
speculation_guest_exit:
        slot    guest_ibpb
        slot    guest_ibrs
        slot    guest_stack
        slot    guest_history
        slot    guest_divide
        ret

        .section .rodata
        .balign 2
        .globl speculation_selector
speculation_selector:
        .word   SEL_USER_DATA
