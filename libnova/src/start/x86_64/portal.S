/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry stubs of portals and of global threads: stack frames of nova/portal.h, calls into C. */
#include "nova/arch/trap.h"

        .text

/* Entered with RDI = portal selector, RSP = struct nova_portal_frame: at the first request by
 * create_ec, later because the reply leaves with the same RSP. */
        .globl  nova_portal_entry
        .type   nova_portal_entry, @function
nova_portal_entry:
        movq    %rsp, %rbx                      /* kept by the handler */
        movq    8(%rsp), %rsi                   /* UTCB */
        movq    16(%rsp), %rdx                  /* argument */
        xorl    %ebp, %ebp
        cld
        call    *(%rsp)
        movq    %rbx, %rsp
        nova_trap_reply
        ud2
        .size   nova_portal_entry, . - nova_portal_entry

/* Entered by the reply to STARTUP with RSP = struct nova_thread_frame. A reply without a caller
 * makes the thread sleep for ever. */
        .globl  nova_thread_entry
        .type   nova_thread_entry, @function
nova_thread_entry:
        movq    8(%rsp), %rdi                   /* argument */
        xorl    %ebp, %ebp
        cld
        call    *(%rsp)
        nova_trap_reply
        ud2
        .size   nova_thread_entry, . - nova_thread_entry

        .section .note.GNU-stack, "", @progbits
