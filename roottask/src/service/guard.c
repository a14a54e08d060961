/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies from and to memory that may be revoked. Knows which instructions of the copy may fault. */
#include "novart/guard.h"

#include <errno.h>

/* In guard.S. Returns 0 if all bytes were copied. */
size_t novart_guard_copy(void *to, const void *from, size_t bytes);

/* The instructions that may fault. */
extern const char novart_guard_copy_fault_words[], novart_guard_copy_fault[];
extern const char
        novart_guard_copy_resume[]; /* address at which execution continues after a fault */

int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        return novart_guard_copy(to, from, bytes) ? EFAULT : 0;
}

nova_word_t nova_guard_resume(nova_word_t ip)
{
        return ip == (nova_word_t)novart_guard_copy_fault_words ||
                               ip == (nova_word_t)novart_guard_copy_fault
                       ? (nova_word_t)novart_guard_copy_resume
                       : 0;
}
