/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of a roottask: from the state of spec 8.1 to nova_main() on an own stack.
 *
 * The kernel starts the root EC with the HIP's address as stack pointer and the CPU number in the
 * first argument register. A push there would land in the UTCB. When nova_main() returns, the
 * root EC replies: it is a global thread without a caller, so it sleeps for ever and its time
 * goes to others; threads that it has created go on. */
#include "nova/arch/trap.h"

        .section .text._start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        movq    %rdi, %rsi                      /* CPU number */
        movq    %rsp, %rdi                      /* HIP */
        leaq    nova_start_stack_top(%rip), %rsp
        xorl    %ebp, %ebp
        call    nova_main
        nova_trap_reply
        ud2
        .size   _start, . - _start

        .section .bss.nova_start_stack, "aw", @nobits
        .balign 16
        .skip   16384
nova_start_stack_top:

        .section .note.GNU-stack, "", @progbits
