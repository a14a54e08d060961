/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies from and to memory that may be revoked: the range of instructions that may fault. */
#include "novart/guard.h"

#include <errno.h>

/* In guard.S. Returns the number of bytes that were not copied. */
size_t novart_guard_copy(void *to, const void *from, size_t bytes);

extern const char novart_guard_copy_fault[];  /* the only instruction that may fault */
extern const char novart_guard_copy_resume[]; /* address at which execution continues then */

int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        return novart_guard_copy(to, from, bytes) ? EFAULT : 0;
}

nova_word_t nova_guard_resume(nova_word_t ip)
{
        return ip == (nova_word_t)novart_guard_copy_fault ? (nova_word_t)novart_guard_copy_resume
                                                          : 0;
}
