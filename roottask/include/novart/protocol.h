/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol of all services. Word 0 of a message is the operation; word 0 of its answer is 0 or an
 * errno value. The operation defines the other words and items. */
#ifndef NOVART_PROTOCOL_H
#define NOVART_PROTOCOL_H

#include "nova/abi/utcb.h"

/** @defgroup protocol Protocol of all services
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
 * | SHARE | share | 1: pages | translate: a session portal; delegate: memory, hotspots 0 and up |
 * | UNSHARE | session | – | – |
 *
 * The order in OPEN is that of the client's ranges for portals: 2^order is greater than the
 * client's highest CPU number, and at most 64. OPEN answers with the maximum number of shared pages
 * (word 1), the session portals (item 0, hotspot 0) and, if pages can be shared, the share portals
 * (item 1, hotspot 2^order). Selector n of a range is the portal for CPU n; there are no portals
 * beyond the client's highest CPU number. The other operations answer with word 0 only.
 *
 * Errors: ENOSYS unknown operation; EINVAL too few or too many words, or an unexpected item; EACCES
 * no PD in OPEN; EMFILE the client has reached its limit of sessions; ENFILE the service has
 * reached its limit; EAGAIN ended sessions are being cleaned up, or kernel memory is kept for the
 * next SHARE on one of the CPUs, ask again; ENOMEM no memory or kernel memory for a session, its
 * semaphore or its shared memory; EBADF the portal does not belong to a session (any more).
 *  @{ */

/** Operations below NOVA_OPERATION_FIRST belong to the runtime, the others to the service. */
#define NOVA_OPERATION_NOP     0
#define NOVA_OPERATION_OPEN    1
#define NOVA_OPERATION_CLOSE   2
#define NOVA_OPERATION_NOTIFY  3
#define NOVA_OPERATION_SHARE   4
#define NOVA_OPERATION_UNSHARE 5
#define NOVA_OPERATION_FIRST   16

/** Maximum number of words in a request or an answer, not counting the first. */
#define NOVA_MESSAGE_WORDS (NOVA_UTCB_WORDS - 1)

/** Bytes that fit into @p words words. */
#define NOVA_MESSAGE_BYTES(words) ((words) * sizeof(nova_word_t))

/** Number of words that hold @p bytes bytes. */
#define NOVA_WORDS_OF(bytes) (((bytes) + sizeof(nova_word_t) - 1) / sizeof(nova_word_t))

/** Size in bytes of a service's name and of a session's arguments, including the terminating 0. */
#define NOVA_SERVICE_NAME_SIZE     32
#define NOVA_SESSION_ARGUMENT_SIZE 64

/** Permission for the client's PD that proves who the client is. nova_session_open_trusting()
 * passes it in OPEN, in addition to NOVA_PD_SM, which each OPEN passes. */
#define NOVA_SESSION_PROOF NOVA_PD_PT

/** @} */

#endif
