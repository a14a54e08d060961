/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry stubs of portals and of global threads: stack frames of nova/portal.h, calls into C. */
#include "nova/arch/trap.h"

        .text

/* Entered with EAX = portal selector, ESP = struct nova_portal_frame: at the first request by
 * create_ec, later because the reply leaves with the same ESP. */
        .globl  nova_portal_entry
        .type   nova_portal_entry, @function
nova_portal_entry:
        movl    %esp, %ebx                      /* kept by the handler */
        xorl    %ebp, %ebp
        cld
        subl    $4, %esp                        /* with three arguments: aligned at the call */
        pushl   8(%ebx)                         /* argument */
        pushl   4(%ebx)                         /* UTCB */
        pushl   %eax                            /* portal selector */
        call    *(%ebx)
        movl    %ebx, %esp
        nova_trap_reply
        ud2
        .size   nova_portal_entry, . - nova_portal_entry

/* Entered by the reply to STARTUP with ESP = struct nova_thread_frame. A reply without a caller
 * makes the thread sleep for ever. */
        .globl  nova_thread_entry
        .type   nova_thread_entry, @function
nova_thread_entry:
        movl    %esp, %ebx
        xorl    %ebp, %ebp
        cld
        subl    $12, %esp                       /* with one argument: aligned at the call */
        pushl   4(%ebx)                         /* argument */
        call    *(%ebx)
        nova_trap_reply
        ud2
        .size   nova_thread_entry, . - nova_thread_entry

        .section .note.GNU-stack, "", @progbits
