/* SPDX-License-Identifier: BSD-2-Clause */
/* Switch to another stack, for code that does not return to the old stack. */
#ifndef ARCH_X86_STACK_H
#define ARCH_X86_STACK_H

#include "insn_width.h"
#include "lib/types.h"

/** Calls a function on an empty stack whose end is top. */
static inline _Noreturn void stack_switch(word_t top, void (*function)(void))
{
        __asm__ volatile("mov %0, %%" STACK_POINTER "; xor %%ebp, %%ebp; call *%1"
                         :
                         : "r"(top), "a"(function)
                         : "memory");
        __builtin_unreachable();
}

#endif
