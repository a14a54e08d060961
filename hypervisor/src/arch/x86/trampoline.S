/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of an AP. They are copied to a page below 1 MiB and entered in real mode. */
#include "arch/x86/msr.h"

#define SEL_CODE32 0x18

        .section .rodata
        .code16
        .globl trampoline, trampoline_end
trampoline:
        cli
        lgdtl   %cs:gdt_pointer - trampoline
        mov     $CR0_PE | CR0_ET, %eax
        mov     %eax, %cr0
        ljmpl   $SEL_CODE32, $ap_start
gdt_pointer:
        .word   4 * 8 - 1
        .long   boot_gdt
trampoline_end:
