/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's entry points, which on the host lead nowhere. */
#include "arch/x86/vectors.h"
#include "tracking.inc"

#define WORD_SIZE 8

        .text
entry_end:
        ud2
.macro enter_vector
        jmp     entry_end
.endm
#include "arch/x86/entry_vectors.inc"

        .section .note.GNU-stack, "", @progbits
