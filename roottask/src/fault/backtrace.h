/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows a chain of frame pointers through untrusted memory. Makes no hypercalls. */
#ifndef NOVA_ROOTTASK_BACKTRACE_H
#define NOVA_ROOTTASK_BACKTRACE_H

#include <stdbool.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Reads a word of the program's memory.
 * @return false if the word is not known to be mapped, or if @p addr is not aligned */
typedef bool backtrace_read(void *context, nova_word_t addr, nova_word_t *word);

/** Collects the return addresses of the functions on a stack.
 * @param ip, sp, bp registers of the thread. The word at @p sp counts as the first return address
 *   in two cases: there is no code at @p ip (a call through a bad pointer), or the word is the
 *   return address of a call to the function at @p ip, which has no frame yet or never has one
 * @param jumped the CPU could not execute at @p ip, so there is no code, though perhaps data
 * @param[out] frame @p ip, then return addresses, innermost first
 * @param max entries of @p frame, at least 1
 * @return number of entries */
unsigned novart_backtrace_walk(nova_word_t ip, nova_word_t sp, nova_word_t bp, bool jumped,
                               backtrace_read *read, void *context, nova_word_t *frame,
                               unsigned max);

#ifdef __cplusplus
}
#endif

#endif
