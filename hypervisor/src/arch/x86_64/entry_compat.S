/* SPDX-License-Identifier: BSD-2-Clause */
/* SYSCALL from 32-bit code, which AMD CPUs allow. The interface does not include it, so it is
 * refused. This entry also takes a thread out of virtual-8086 mode, which only an emulator lets it
 * enter (see entry.S). */
#include "arch/x86/msr.h"
#include "asm_offsets.h"
#include "tracking.inc"

        .text
        .globl entry_compat
entry_compat:
        indirect_target
        mov     $STATUS_BAD_HYP, %eax
        and     $~(FLAG_IOPL | FLAG_VM), %r11d
        or      $FLAG_IF, %r11d
        sysretl
