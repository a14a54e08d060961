/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry of a roottask. The kernel enters _start in the state that spec 7.1 and 8.1 describe. _start
 * switches to the stack nova_start_stack and calls nova_main().
 *
 * With NOVA_HEADER_ONLY, exactly one file of a roottask includes this file; otherwise libnova.a
 * contains it. */
#ifndef NOVA_INLINE_START_H
#define NOVA_INLINE_START_H

#include "nova/start.h"

#include "nova/arch/start.h"
#include "nova/exit.h"

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/builtin.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @cond INTERNAL */

/* The assembly of _start refers to the function and the stack by these names. */
__attribute__((noreturn, used)) static void
nova_start_run(const struct nova_hip *hip, nova_word_t cpu) __asm__("nova_start_run");
__attribute__((used, aligned(16))) static unsigned char
        nova_start_stack[NOVA_START_STACK_SIZE] __asm__("nova_start_stack");

static void nova_start_run(const struct nova_hip *hip, nova_word_t cpu)
{
        nova_start_return(nova_main(hip, cpu));
}

__attribute__((naked, section(".text._start"))) void _start(void);

__attribute__((naked, section(".text._start"))) void _start(void)
{
        __asm__ volatile(NOVA_START_TEXT);
}

/** @endcond */

#ifdef __cplusplus
}
#endif

#endif
