/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-32: entry stubs of portals and of global threads. Each takes its arguments from a stack frame
 * of nova/portal.h. */
#ifndef NOVA_ARCH_X86_32_ENTRY_H
#define NOVA_ARCH_X86_32_ENTRY_H

#include "nova/arch/x86_32/trap.h"

/** @cond INTERNAL */

/* Entered with EAX = portal selector, ESP = struct nova_portal_frame: create_ec sets ESP for the
 * first request, and each reply sets it for the next. The handler preserves EBX. Four bytes plus
 * three arguments align the stack at the call. */
#define NOVA_PORTAL_ENTRY_TEXT \
        "movl %esp, %ebx\n\t"  \
        "xorl %ebp, %ebp\n\t"  \
        "cld\n\t"              \
        "subl $4, %esp\n\t"    \
        "pushl 8(%ebx)\n\t"    \
        "pushl 4(%ebx)\n\t"    \
        "pushl %eax\n\t"       \
        "call *(%ebx)\n\t"     \
        "movl %ebx, %esp\n\t" NOVA_TRAP_REPLY_TEXT "ud2"

/* Entered by the reply to STARTUP with ESP = struct nova_thread_frame. When the thread's function
 * returns, the stub replies. There is no caller, so the thread sleeps for ever. Twelve bytes plus
 * one argument align the stack at the call. */
#define NOVA_THREAD_ENTRY_TEXT \
        "movl %esp, %ebx\n\t"  \
        "xorl %ebp, %ebp\n\t"  \
        "cld\n\t"              \
        "subl $12, %esp\n\t"   \
        "pushl 4(%ebx)\n\t"    \
        "call *(%ebx)\n\t" NOVA_TRAP_REPLY_TEXT "ud2"

/** @endcond */

#endif
