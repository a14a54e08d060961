/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering the kernel on x86-64: the only place with the SYSCALL instruction. @spec 8.5 */
#ifndef NOVA_ARCH_X86_64_TRAP_H
#define NOVA_ARCH_X86_64_TRAP_H

#ifdef __ASSEMBLER__

/* Replies with the current stack pointer, with which the next request enters. Does not return. */
/* clang-format off */
.macro nova_trap_reply
        movl    $NOVA_REPLY_ID, %edi
        syscall
.endm
/* clang-format on */

#else

#include "nova/abi/types.h"

/* The kernel reads and writes the caller's UTCB, and other threads may run meanwhile, so "memory"
 * is clobbered. RCX and R11 receive the return address and the flags. All other registers are
 * preserved. */
#define NOVA_TRAP_CLOBBERS   "rcx", "r11", "memory", "cc"

/** @cond INTERNAL */
/* A reply with the current stack pointer, for functions in assembly. The literal 1 is
 * NOVA_REPLY_ID. */
#define NOVA_TRAP_REPLY_TEXT "movl $1, %edi\n\tsyscall\n\t"
/** @endcond */

/** Executes a hypercall with one argument, @p id. @return the status word */
static inline nova_word_t nova_trap_1(nova_word_t id)
{
        __asm__ volatile("syscall" : "+D"(id) : : NOVA_TRAP_CLOBBERS);
        return id;
}

/** Executes a hypercall with arguments @p id and @p a2. The kernel may change @p a2. @return the
 * status word
 */
static inline nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        nova_word_t second = *a2;

        __asm__ volatile("syscall" : "+D"(id), "+S"(second) : : NOVA_TRAP_CLOBBERS);
        *a2 = second;
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2 and @p a3. The kernel may change @p a2 and @p
 * a3. @return the status word */
static inline nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        nova_word_t second = *a2, third = *a3;

        __asm__ volatile("syscall" : "+D"(id), "+S"(second), "+d"(third) : : NOVA_TRAP_CLOBBERS);
        *a2 = second;
        *a3 = third;
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2, @p a3 and @p a4. @return the status word */
static inline nova_word_t nova_trap_4(nova_word_t id, nova_word_t a2, nova_word_t a3,
                                      nova_word_t a4)
{
        __asm__ volatile("syscall" : "+D"(id), "+S"(a2), "+d"(a3), "+a"(a4) : : NOVA_TRAP_CLOBBERS);
        return id;
}

/** Executes a hypercall with arguments @p id, @p a2, @p a3, @p a4 and @p a5. @return the status
 * word */
static inline nova_word_t nova_trap_5(nova_word_t id, nova_word_t a2, nova_word_t a3,
                                      nova_word_t a4, nova_word_t a5)
{
        register nova_word_t r8 __asm__("r8") = a5;

        __asm__ volatile("syscall"
                         : "+D"(id), "+S"(a2), "+d"(a3), "+a"(a4), "+r"(r8)
                         :
                         : NOVA_TRAP_CLOBBERS);
        return id;
}

/** Replies with identifier @p id. The next request enters with stack pointer @p sp. */
__attribute__((noreturn)) static inline void nova_trap_reply(nova_word_t id, nova_word_t sp)
{
        __asm__ volatile("movq %1, %%rsp\n\tsyscall\n\tud2" : : "D"(id), "r"(sp) : "memory");
        __builtin_unreachable();
}

#undef NOVA_TRAP_CLOBBERS

#endif /* __ASSEMBLER__ */
#endif
