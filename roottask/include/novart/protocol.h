/* SPDX-License-Identifier: BSD-2-Clause */
/* What all services understand. Word 0 of a message is the operation, word 0 of its answer 0 or an
 * errno value; the other words and items are the operation's. */
#ifndef NOVART_PROTOCOL_H
#define NOVART_PROTOCOL_H

#include "nova/abi/utcb.h"

/** @defgroup protocol What all services understand
 *
 * A service has one *control portal* per CPU; opening a session there gives one *session portal*
 * per CPU. A client uses the portals of the CPU that it runs on.
 *
 * | operation | portal | words | items |
 * |---|---|---|---|
 * | NOP | any | – | – |
 * | OPEN | control | 1: bytes; 2: order; 3…: the arguments | the client's PD, permission SM |
 * | CLOSE | session | – | – |
 * | NOTIFY | session | – | a semaphore, permission UP |
 * | SHARE | share | 1: pages | translate: a session portal; delegate: memory, hotspots from 0 on |
 * | UNSHARE | session | – | – |
 *
 * The order is that of the client's ranges: 2^order is more than the highest CPU number of the
 * client, and at most 64. OPEN answers with the most pages that can be shared (word 1), the session
 * portals (item 0, hotspot 0) and, if pages can be shared, the share portals (item 1, hotspot
 * 2^order). Selector n of a range is the portal for CPU n; portals for higher CPU numbers than the
 * client's are not given. The other operations answer with word 0 only.
 *
 * Errors: ENOSYS unknown operation; EINVAL too few or too many words, or an item that nobody asked
 * for; EACCES no PD in OPEN; EMFILE the client has as many sessions as it may; ENFILE the service
 * has; EAGAIN sessions that ended are being cleared away, ask again; ENOMEM no memory or kernel
 * memory for one more; EBADF the portal names no session (any more).
 *  @{ */

/** Operations below NOVA_OPERATION_FIRST belong to the runtime, from there on to the service. */
#define NOVA_OPERATION_NOP     0
#define NOVA_OPERATION_OPEN    1
#define NOVA_OPERATION_CLOSE   2
#define NOVA_OPERATION_NOTIFY  3
#define NOVA_OPERATION_SHARE   4
#define NOVA_OPERATION_UNSHARE 5
#define NOVA_OPERATION_FIRST   16

/** Words that an operation and an answer can have besides the first. */
#define NOVA_MESSAGE_WORDS (NOVA_UTCB_WORDS - 1)

/** Bytes that fit into @p words words. */
#define NOVA_MESSAGE_BYTES(words) ((words) * sizeof(nova_word_t))

/** Words that @p bytes bytes fill. */
#define NOVA_WORDS_OF(bytes) (((bytes) + sizeof(nova_word_t) - 1) / sizeof(nova_word_t))

/** Bytes of a service's name and of a session's arguments, the 0 at their end included. */
#define NOVA_SERVICE_NAME_SIZE     32
#define NOVA_SESSION_ARGUMENT_SIZE 64

/** @} */

#endif
