/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying from and to memory that another program delegated and may revoke at any moment. */
#ifndef NOVART_GUARD_H
#define NOVART_GUARD_H

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Copies from or to memory that another program delegated.
 *
 * The program that delegated the memory can revoke it at any moment. Then an ordinary access causes
 * a page fault in the program that received the memory; this function returns EFAULT instead.
 * @code
 * extern const char *shared; // delegated by a client
 * char copy[64];
 *
 * if (nova_copy_guarded(copy, shared, sizeof(copy)) == EFAULT)
 *         puts("the client has revoked it");
 * @endcode
 * @param to    first byte to write
 * @param from  first byte to read
 * @param bytes number of bytes
 * @retval 0      all bytes are copied
 * @retval EFAULT a part of the source or the destination is not mapped; some bytes may have been
 *                copied
 */
int nova_copy_guarded(void *to, const void *from, size_t bytes);

/**
 * Returns the address at which a thread that faulted at @p ip continues. For handlers of page
 * faults.
 *
 * @return an address in nova_copy_guarded(), or 0 if the fault happened elsewhere
 */
nova_word_t nova_guard_resume(nova_word_t ip);

#ifdef __cplusplus
}
#endif

#endif
