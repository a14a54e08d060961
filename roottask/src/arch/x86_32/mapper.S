/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry point of mappers (memory/mapper.h): the reply is empty, and the stack pointer is the
 * UTCB. */
#include "nova/arch/trap.h"

        .section .text.novart_mapper_entry, "ax", @progbits
        .globl  novart_mapper_entry
        .type   novart_mapper_entry, @function
novart_mapper_entry:
        movl    $0, (%esp)                      /* no words, no items */
        nova_trap_reply
        ud2
        .size   novart_mapper_entry, . - novart_mapper_entry

        .section .note.GNU-stack, "", @progbits
