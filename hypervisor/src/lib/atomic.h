/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic operations on plain variables, named as in C11. */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "lib/types.h"

static inline word_t atomic_fetch_add_word(word_t *variable, word_t value)
{
        return __atomic_fetch_add(variable, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t atomic_fetch_add_u32(uint32_t *variable, uint32_t value)
{
        return __atomic_fetch_add(variable, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t atomic_fetch_or_u32(uint32_t *variable, uint32_t bits)
{
        return __atomic_fetch_or(variable, bits, __ATOMIC_SEQ_CST);
}

static inline void atomic_or_u16(uint16_t *variable, uint16_t bits)
{
        __atomic_fetch_or(variable, bits, __ATOMIC_SEQ_CST);
}

static inline uint16_t atomic_fetch_or_u16(uint16_t *variable, uint16_t bits)
{
        return __atomic_fetch_or(variable, bits, __ATOMIC_SEQ_CST);
}

static inline void atomic_and_u16(uint16_t *variable, uint16_t bits)
{
        __atomic_fetch_and(variable, bits, __ATOMIC_SEQ_CST);
}

/** Takes the next number of a counter: returns its value and increments it. */
static always_inline uint16_t atomic_take_u16(uint16_t *variable)
{
        uint16_t value = 1;

        __asm__ volatile("lock xaddw %0, %1" : "+r"(value), "+m"(*variable) : : "memory");
        return value;
}

/** Increments a counter that only this CPU writes. Other CPUs see all earlier stores first. */
static always_inline void atomic_step_u16(uint16_t *variable)
{
        __asm__ volatile("incw %0" : "+m"(*variable) : : "memory");
}

static inline uint16_t atomic_load_u16(const uint16_t *variable)
{
        return __atomic_load_n(variable, __ATOMIC_ACQUIRE);
}

static inline uint32_t atomic_exchange_u32(uint32_t *variable, uint32_t value)
{
        /* In assembly, because gcc's builtin first loads the address into a register. */
        __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*variable) : : "memory");
        return value;
}

static inline uint32_t atomic_load_u32(const uint32_t *variable)
{
        return __atomic_load_n(variable, __ATOMIC_ACQUIRE);
}

static inline void atomic_store_u32(uint32_t *variable, uint32_t value)
{
        __atomic_store_n(variable, value, __ATOMIC_RELEASE);
}

/** Sets variable to value if variable equals expected. Returns true if it did. */
static inline bool atomic_compare_exchange_word(word_t *variable, word_t expected, word_t value)
{
        return __atomic_compare_exchange_n(variable, &expected, value, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
}

/** Makes other CPUs see all earlier stores before any later load. */
static inline void atomic_fence(void)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/** Load and store a variable that another CPU accesses without a lock. They are plain instructions.
 * Other CPUs see all earlier stores before the store. */
#define load_once(lvalue)         __atomic_load_n(&(lvalue), __ATOMIC_ACQUIRE)
#define store_once(lvalue, value) __atomic_store_n(&(lvalue), (value), __ATOMIC_RELEASE)

#endif
