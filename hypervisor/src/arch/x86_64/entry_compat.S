/* SPDX-License-Identifier: BSD-2-Clause */
/* SYSCALL from 32-bit code, which AMD CPUs allow: there is no such interface, so it is refused. */
#include "asm_offsets.h"

        .text
        .globl entry_compat
entry_compat:
        mov     $STATUS_BAD_HYP, %eax
        sysretl
