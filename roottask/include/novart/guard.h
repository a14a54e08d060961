/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying from and to memory that may vanish at any moment, because somebody else gave it. */
#ifndef NOVART_GUARD_H
#define NOVART_GUARD_H

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Copy from or to memory that another program delegated.
 *
 * Who delegated memory can take it away while it is used. An ordinary access then is a fault of
 * the program that was given it; this function comes back instead.
 * @param to    first byte to write
 * @param from  first byte to read
 * @param bytes how many
 * @retval 0      all was copied
 * @retval EFAULT a part of either side is not there; some of the bytes may have been copied
 */
int nova_copy_guarded(void *to, const void *from, size_t bytes);

/**
 * For handlers of page faults: where a thread goes on that faulted at @p ip.
 *
 * @return an address in nova_copy_guarded(), or 0 if the fault happened elsewhere
 */
nova_word_t nova_guard_resume(nova_word_t ip);

#ifdef __cplusplus
}
#endif

#endif
