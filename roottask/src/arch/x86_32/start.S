/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions of a program, and the change to another stack.
 *
 * At the start, the stack pointer is the address of a page. In a roottask this page is the HIP, and
 * the first argument register has the CPU number. In a child it is the start page from the parent.
 * A push would write below this page. */

        .section .text.start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        movl    %esp, %ecx                      /* page */
        movl    $start_stack_top - 8, %esp
        xorl    %ebp, %ebp
        pushl   %eax                            /* CPU number */
        pushl   %ecx
        call    novart_start_program
        ud2
        .size   _start, . - _start

/* novart_start_on_stack(top, function): calls function() on an empty stack. The function
 * must not return. */
        .section .text.novart_start_on_stack, "ax", @progbits
        .globl  novart_start_on_stack
        .type   novart_start_on_stack, @function
novart_start_on_stack:
        movl    4(%esp), %eax
        movl    8(%esp), %ecx
        movl    %eax, %esp
        xorl    %ebp, %ebp
        call    *%ecx
        ud2
        .size   novart_start_on_stack, . - novart_start_on_stack

        .section .bss.start_stack, "aw", @nobits
        .balign 16
        .skip   6144
start_stack_top:

        .section .note.GNU-stack, "", @progbits
