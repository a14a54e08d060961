/* SPDX-License-Identifier: BSD-2-Clause */
/* Where mappers begin (memory/mapper.h): the reply is empty, the stack pointer is the UTCB. */
#include "nova/arch/trap.h"

        .section .text.mapper_entry, "ax", @progbits
        .globl  mapper_entry
        .type   mapper_entry, @function
mapper_entry:
        movq    $0, (%rsp)                      /* no words, no items */
        nova_trap_reply
        ud2
        .size   mapper_entry, . - mapper_entry

        .section .note.GNU-stack, "", @progbits
