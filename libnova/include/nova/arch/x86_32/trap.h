/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering the kernel on x86-32: the only place with the SYSENTER instruction. @spec 7.5 */
#ifndef NOVA_ARCH_X86_32_TRAP_H
#define NOVA_ARCH_X86_32_TRAP_H

#ifdef __ASSEMBLER__

/* Replies with the current stack pointer, with which the next request enters. Does not return. */
/* clang-format off */
.macro nova_trap_reply
        movl    $NOVA_REPLY_ID, %eax
        movl    %esp, %ecx
        movl    $2137f, %edx
        sysenter
2137:
.endm
/* clang-format on */

#else

#include "nova/abi/types.h"

/* SYSENTER saves nothing: ECX passes the stack pointer and EDX the return address, so code with
 * these functions is position dependent. The kernel reads and writes the caller's UTCB, and other
 * threads may run meanwhile, so "memory" is clobbered. */
#define NOVA_TRAP_ENTER      "movl %%esp, %%ecx\n\tmovl $1f, %%edx\n\tsysenter\n1:"
#define NOVA_TRAP_CLOBBERS   "memory", "cc"

/** @cond INTERNAL */
/* A reply with the current stack pointer, for functions in assembly. The literal 1 is
 * NOVA_REPLY_ID. */
#define NOVA_TRAP_REPLY_TEXT "movl $1, %eax\n\tmovl %esp, %ecx\n\tmovl $1f, %edx\n\tsysenter\n1:\t"
/** @endcond */

/** Executes a hypercall with one argument, @p id. @return the status word */
static inline nova_word_t nova_trap_1(nova_word_t id)
{
        __asm__ volatile(NOVA_TRAP_ENTER : "+a"(id) : : "ecx", "edx", NOVA_TRAP_CLOBBERS);
        return id;
}

/** Executes a hypercall with arguments @p id and @p a2. The kernel may change @p a2. @return the
 * status word
 */
static inline nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        nova_word_t second = *a2;

        __asm__ volatile(NOVA_TRAP_ENTER
                         : "+a"(id), "+D"(second)
                         :
                         : "ecx", "edx", NOVA_TRAP_CLOBBERS);
        *a2 = second;
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2 and @p a3. The kernel may change @p a2 and @p
 * a3. @return the status word */
static inline nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        nova_word_t second = *a2, third = *a3;

        __asm__ volatile(NOVA_TRAP_ENTER
                         : "+a"(id), "+D"(second), "+S"(third)
                         :
                         : "ecx", "edx", NOVA_TRAP_CLOBBERS);
        *a2 = second;
        *a3 = third;
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2, @p a3 and @p a4. @return the status word */
static inline nova_word_t nova_trap_4(nova_word_t id, nova_word_t a2, nova_word_t a3,
                                      nova_word_t a4)
{
        __asm__ volatile(NOVA_TRAP_ENTER
                         : "+a"(id), "+D"(a2), "+S"(a3), "+b"(a4)
                         :
                         : "ecx", "edx", NOVA_TRAP_CLOBBERS);
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2, @p a3, @p a4 and @p a5. EBP, the register of
 * the fifth argument, may be the compiler's frame pointer, so the function saves EBP on the stack,
 * which the kernel never touches. @return the status word */
static inline nova_word_t nova_trap_5(nova_word_t id, nova_word_t a2, nova_word_t a3,
                                      nova_word_t a4, nova_word_t a5)
{
        __asm__ volatile("pushl %%ebp\n\tmovl %%ecx, %%ebp\n\t" NOVA_TRAP_ENTER "\n\tpopl %%ebp"
                         : "+a"(id), "+D"(a2), "+S"(a3), "+b"(a4), "+c"(a5)
                         :
                         : "edx", NOVA_TRAP_CLOBBERS);
        return id;
}

/** Replies with identifier @p id. The next request enters with stack pointer @p sp. */
__attribute__((noreturn)) static inline void nova_trap_reply(nova_word_t id, nova_word_t sp)
{
        __asm__ volatile("movl $1f, %%edx\n\tsysenter\n1:\tud2"
                         :
                         : "a"(id), "c"(sp)
                         : "edx", "memory");
        __builtin_unreachable();
}

#undef NOVA_TRAP_ENTER
#undef NOVA_TRAP_CLOBBERS

#endif /* __ASSEMBLER__ */
#endif
