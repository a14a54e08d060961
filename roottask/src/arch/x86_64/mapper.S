/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry point of mappers (memory/mapper.h): the reply is empty, and the stack pointer is the
 * address of the UTCB. */
#include "nova/arch/trap.h"

        .section .text.novart_mapper_entry, "ax", @progbits
        .globl  novart_mapper_entry
        .type   novart_mapper_entry, @function
novart_mapper_entry:
        movq    $0, (%rsp)                      /* no words, no items */
        nova_trap_reply
        ud2
        .size   novart_mapper_entry, . - novart_mapper_entry

        .section .note.GNU-stack, "", @progbits
