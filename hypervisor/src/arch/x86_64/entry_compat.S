/* SPDX-License-Identifier: BSD-2-Clause */
/* SYSCALL from 32-bit code, which AMD CPUs allow. There is no such interface: it is refused. It
 * also takes a thread out of virtual-8086 mode, into which an emulator let it (see entry.S). */
#include "arch/x86/msr.h"
#include "asm_offsets.h"

        .text
        .globl entry_compat
entry_compat:
        mov     $STATUS_BAD_HYP, %eax
        and     $~(FLAG_IOPL | FLAG_VM), %r11d
        or      $FLAG_IF, %r11d
        sysretl
