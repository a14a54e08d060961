/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine word and the integer types of the interface, for C and assembly. */
#ifndef NOVA_ABI_TYPES_H
#define NOVA_ABI_TYPES_H

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

/** Fails the compilation with @p text unless @p condition holds. */
#ifdef __cplusplus
#define NOVA_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define NOVA_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/** A machine word: 32 bits on x86-32, 64 bits on x86-64. */
typedef uintptr_t nova_word_t;

/** A capability selector: the index of a capability in one of a PD's spaces. @spec 4.2 */
typedef nova_word_t nova_sel_t;

NOVA_STATIC_ASSERT(sizeof(nova_word_t) == sizeof(void *), "a word holds an address");

#endif /* __ASSEMBLER__ */

/** Number of bits of a word. */
#define NOVA_WORD_BITS (__SIZEOF_POINTER__ * 8)

#define NOVA_PAGE_SIZE 4096 /**< size of a page and of a UTCB in bytes */
#define NOVA_PAGE_BITS 12   /**< binary logarithm of the page size */

/** Number of CPU numbers of the interface. */
#define NOVA_CPU_MAX 64

/** Order of an object space, which has 2^order selectors (SEL, spec 6.2). */
#if __SIZEOF_POINTER__ == 8
#define NOVA_SEL_ORDER 26
#else
#define NOVA_SEL_ORDER 27
#endif

/** Priorities of scheduling contexts: 1 to 255; 0 belongs to the idle thread. */
#define NOVA_PRIO_MAX 255

/** First address that user programs cannot use. */
#if __SIZEOF_POINTER__ == 8
#define NOVA_USER_END 0x00007ffffffff000
#else
#define NOVA_USER_END 0xc0000000
#endif

/** Address of the HIP in the root PD. @spec 6.1.2.1 */
#define NOVA_ROOT_HIP (NOVA_USER_END - NOVA_PAGE_SIZE)
/** Address of the root EC's UTCB in the root PD. @spec 6.1.2.1 */
#define NOVA_ROOT_UTCB (NOVA_USER_END - 2 * NOVA_PAGE_SIZE)

#endif
