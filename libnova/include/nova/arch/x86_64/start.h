/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-64: first instructions of a roottask. @spec 8.1 */
#ifndef NOVA_ARCH_X86_64_START_H
#define NOVA_ARCH_X86_64_START_H

/** @cond INTERNAL */

/* The kernel starts the root EC with the HIP's address as stack pointer and the CPU number in RDI.
 * A push there would land in the UTCB. 16384 is NOVA_START_STACK_SIZE. */
#define NOVA_START_TEXT                               \
        "movq %rdi, %rsi\n\t"                         \
        "movq %rsp, %rdi\n\t"                         \
        "leaq nova_start_stack+16384(%rip), %rsp\n\t" \
        "xorl %ebp, %ebp\n\t"                         \
        "call nova_start_run\n\t"                     \
        "ud2"

/** @endcond */

#endif
