/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-32: first instructions of a roottask. @spec 7.1 */
#ifndef NOVA_ARCH_X86_32_START_H
#define NOVA_ARCH_X86_32_START_H

/** @cond INTERNAL */

/* The kernel starts the root EC with the HIP's address as stack pointer and the CPU number in EAX.
 * A push there would land in the UTCB. 16376 is NOVA_START_STACK_SIZE - 8: with the two arguments,
 * the stack is aligned at the call. */
#define NOVA_START_TEXT                          \
        "movl %esp, %ecx\n\t"                    \
        "movl $nova_start_stack+16376, %esp\n\t" \
        "xorl %ebp, %ebp\n\t"                    \
        "pushl %eax\n\t"                         \
        "pushl %ecx\n\t"                         \
        "call nova_start_run\n\t"                \
        "ud2"

/** @endcond */

#endif
