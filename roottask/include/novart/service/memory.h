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
 * | FREE | the number | – | ENOENT: not the client's |
 * | QUERY | – | bytes that the client has; bytes that it may have | – |
 *
 * Errors of ALLOC: EINVAL an order above NOVA_MEMORY_ORDER_MAX; EDQUOT above the client's quota;
 * ENOMEM the service has no more.
 *
 * A client has one session. Memory comes back when it is freed and when the session ends; the
 * service then takes it away from everybody who got it, and clears it.
 *  @{ */

#define NOVA_MEMORY_ALLOC (NOVA_OPERATION_FIRST + 0) /**< get pages */
#define NOVA_MEMORY_FREE  (NOVA_OPERATION_FIRST + 1) /**< give them back */
#define NOVA_MEMORY_QUERY (NOVA_OPERATION_FIRST + 2) /**< what has the client? */

#define NOVA_MEMORY_ORDER_MAX 10 /**< most pages at once, as an order: 4 MiB */

/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/** Memory that a client got. */
struct nova_memory {
        void *address;      /**< where it is */
        size_t bytes;       /**< its size */
        nova_word_t number; /**< its number at the service */
};

/**
 * Open a session. A client has one at most.
 *
 * @param[out] session to be closed by nova_session_close(), which gives all memory back
 * @return as nova_session_open()
 */
int nova_memory_open(struct nova_session **session);

/**
 * Get memory, filled with 0.
 *
 * @param session     the session
 * @param bytes       how much; rounded up to a power of two of pages
 * @param[out] memory what came
 * @retval 0      done
 * @retval EINVAL nothing, or more than 2^NOVA_MEMORY_ORDER_MAX pages
 * @retval EDQUOT more than the client's quota
 * @retval ENOMEM the service has no more, or the client no addresses; else as nova_session_call()
 */
int nova_memory_alloc(struct nova_session *session, size_t bytes, struct nova_memory *memory);

/**
 * Give memory back.
 *
 * @param session the session
 * @param memory  as nova_memory_alloc() filled it in
 * @retval 0      done
 * @retval ENOENT the service knows nothing of it; else as nova_session_call()
 */
int nova_memory_free(struct nova_session *session, struct nova_memory *memory);

/**
 * Ask what the client has.
 *
 * @param session    the session
 * @param[out] used  bytes that it has
 * @param[out] quota bytes that it may have
 * @return as nova_session_call()
 */
int nova_memory_query(struct nova_session *session, size_t *used, size_t *quota);

#ifdef __cplusplus
}
#endif

#endif
