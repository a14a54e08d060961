/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `memory`: pages for clients, each within its quota. */
#ifndef NOVART_SERVICE_MEMORY_H
#define NOVART_SERVICE_MEMORY_H

#include "novart/session.h"

/** @defgroup memory Service memory
 *
 * | operation | words | answer | errors |
 * |---|---|---|---|
 * | ALLOC | order | a number for FREE; item: 2^order pages, filled with 0 | as below |
 * | FREE | the number | – | ENOENT: not allocated by the client |
 * | QUERY | – | bytes allocated by the client; its quota in bytes | – |
 *
 * Errors of ALLOC: EINVAL the order exceeds NOVA_MEMORY_ORDER_MAX; EDQUOT the request exceeds the
 * client's quota; EAGAIN pages that the client has freed still count against its quota, so it must
 * try again; ENOMEM the service has no more memory.
 *
 * A client has one session. When memory is freed or the session ends, the service revokes the
 * memory from all programs that got it, and clears it.
 *  @{ */

#define NOVA_MEMORY_ALLOC (NOVA_OPERATION_FIRST + 0) /**< get pages */
#define NOVA_MEMORY_FREE  (NOVA_OPERATION_FIRST + 1) /**< free them */
#define NOVA_MEMORY_QUERY (NOVA_OPERATION_FIRST + 2) /**< read the client's usage */

#define NOVA_MEMORY_ORDER_MAX 10 /**< maximum order of one allocation: 4 MiB */

#ifdef __cplusplus
extern "C" {
#endif

/** A block of memory that a client has allocated. */
struct nova_memory {
        void *address;      /**< address of the memory */
        size_t bytes;       /**< size of the memory in bytes */
        nova_word_t number; /**< number of the block at the service */
};

/**
 * Opens a session. A client has at most one.
 *
 * @param[out] session the session, to be closed by nova_session_close(), which frees all memory
 * @return as nova_session_open()
 */
int nova_memory_open(struct nova_session **session);

/**
 * Allocates memory, filled with 0. Waits up to a second until pages that the client has freed no
 * longer count against its quota.
 * @code
 * struct nova_session *session;
 * struct nova_memory memory;
 *
 * if (nova_memory_open(&session) == 0 && nova_memory_alloc(session, 65536, &memory) == 0)
 *         memset(memory.address, 1, memory.bytes);
 * @endcode
 * @param session     the session
 * @param bytes       size in bytes; rounded up to a power of two of pages
 * @param[out] memory the memory
 * @retval 0      done
 * @retval EINVAL @p bytes is 0 or more than 2^NOVA_MEMORY_ORDER_MAX pages
 * @retval EDQUOT the request exceeds the client's quota
 * @retval ENOMEM the service has no more memory or the client no more addresses; other values as
 *                for nova_session_call()
 */
int nova_memory_alloc(struct nova_session *session, size_t bytes, struct nova_memory *memory);

/**
 * Frees memory.
 *
 * @param session the session
 * @param memory  as nova_memory_alloc() filled it in
 * @retval 0      done
 * @retval ENOENT the service does not know this memory; other values as for nova_session_call()
 */
int nova_memory_free(struct nova_session *session, struct nova_memory *memory);

/**
 * Reads the client's usage and quota.
 * @code
 * extern struct nova_session *session;
 * size_t used, quota;
 *
 * if (nova_memory_query(session, &used, &quota) == 0)
 *         printf("%zu of %zu bytes\n", used, quota);
 * @endcode
 * @param session    the session
 * @param[out] used  allocated bytes
 * @param[out] quota quota in bytes
 * @return as nova_session_call()
 */
int nova_memory_query(struct nova_session *session, size_t *used, size_t *quota);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
