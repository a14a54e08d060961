/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-64: entry stubs of portals and of global threads. Each takes its arguments from a stack
 * frame of nova/portal.h. */
#ifndef NOVA_ARCH_X86_64_ENTRY_H
#define NOVA_ARCH_X86_64_ENTRY_H

#include "nova/arch/x86_64/trap.h"

/** @cond INTERNAL */

/* Entered with RDI = portal selector, RSP = struct nova_portal_frame: create_ec sets RSP for the
 * first request, and each reply sets it for the next. The handler preserves RBX. */
#define NOVA_PORTAL_ENTRY_TEXT    \
        "movq %rsp, %rbx\n\t"     \
        "movq 8(%rsp), %rsi\n\t"  \
        "movq 16(%rsp), %rdx\n\t" \
        "xorl %ebp, %ebp\n\t"     \
        "cld\n\t"                 \
        "call *(%rsp)\n\t"        \
        "movq %rbx, %rsp\n\t" NOVA_TRAP_REPLY_TEXT "ud2"

/* Entered by the reply to STARTUP with RSP = struct nova_thread_frame. When the thread's function
 * returns, the stub replies. There is no caller, so the thread sleeps for ever. */
#define NOVA_THREAD_ENTRY_TEXT   \
        "movq 8(%rsp), %rdi\n\t" \
        "xorl %ebp, %ebp\n\t"    \
        "cld\n\t"                \
        "call *(%rsp)\n\t" NOVA_TRAP_REPLY_TEXT "ud2"

/** @endcond */

#endif
