/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaving a stack for good. */
#ifndef ARCH_X86_STACK_H
#define ARCH_X86_STACK_H

#include "lib/types.h"

/** Calls a function on an empty stack whose end is top. */
static inline _Noreturn void stack_switch(word_t top, void (*function)(void))
{
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1"
                         :
                         : "r"(top), "a"(function)
                         : "memory");
#else
        __asm__ volatile("mov %0, %%esp; xor %%ebp, %%ebp; call *%1"
                         :
                         : "r"(top), "a"(function)
                         : "memory");
#endif
        __builtin_unreachable();
}

#endif
