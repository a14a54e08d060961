/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of a roottask: from the state of spec 8.1 to nova_main() on an own stack.
 *
 * The kernel starts the root EC with the HIP's address as stack pointer and the CPU number in the
 * first argument register. A push there would land in the UTCB. */

        .section .text._start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        movq    %rdi, %rsi                      /* CPU number */
        movq    %rsp, %rdi                      /* HIP */
        leaq    nova_start_stack_top(%rip), %rsp
        xorl    %ebp, %ebp
        call    nova_main
        movl    %eax, %edi
        call    nova_start_return
        .size   _start, . - _start

        .section .bss.nova_start_stack, "aw", @nobits
        .balign 16
        .skip   16384
nova_start_stack_top:

        .section .note.GNU-stack, "", @progbits
