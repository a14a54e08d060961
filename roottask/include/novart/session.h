/* SPDX-License-Identifier: BSD-2-Clause */
/* Being a client: sessions with services, calls through them, waiting, cancelling and sharing.
 *
 * Any thread of the program may use a session. What the session is, is a range of portals: a
 * program may delegate them, and whoever holds one can call, in the name of who opened it. */
#ifndef NOVART_SESSION_H
#define NOVART_SESSION_H

#include <stdbool.h>

#include "nova/abi/crd.h"
#include "novart/protocol.h"
#include "novart/sync.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_session;

struct nova_errand;

/** Ends calls that other threads have under way: those whose message names it. Static ones begin as
 *  zeroes, too. It must stay as long as such a call is under way. */
struct nova_cancel {
        struct nova_mutex mutex;   /**< protects the rest */
        struct nova_errand *first; /**< the calls */
        bool cancelled;            /**< nova_cancel() was called */
};
#define NOVA_CANCEL_INITIALIZER                     \
        {                                           \
                NOVA_MUTEX_INITIALIZER, NULL, false \
        }

/** Items that one message can delegate. */
#define NOVA_MESSAGE_ITEMS 2

/** A call, and after it the answer. */
struct nova_message {
        nova_word_t operation;                /**< the protocol's number */
        const nova_word_t *words;             /**< what is sent */
        unsigned word_count;                  /**< words of it */
        unsigned item_count;                  /**< items that are delegated */
        nova_crd_t items[NOVA_MESSAGE_ITEMS]; /**< what is delegated; where it goes is the
                                                   server's to say */
        nova_crd_t window;          /**< where the answer may delegate to; 0: it may not */
        nova_word_t *answer;        /**< room for the words of the answer */
        unsigned answer_max;        /**< words of room; more are not an error, but lost */
        unsigned answer_count;      /**< set: words that came */
        nova_crd_t received;        /**< set: the answer's first item, 0 if none came */
        struct nova_cancel *cancel; /**< for nova_cancel(); NULL: nobody ends the call */
};

/**
 * Open a session with a service.
 *
 * Waits while the service is being started. May block as long as the service pleases.
 * @param[out] opened  to be closed some time
 * @param service      its name, as the system description has it
 * @param arguments    for the service to understand; NULL: none
 * @retval 0            done
 * @retval ENOENT       there is no such service
 * @retval EACCES       the program may not use it
 * @retval EINVAL       a name or arguments that are too long, or that the service does not like
 * @retval EMFILE       the program has as many sessions as the service lets it have
 * @retval ENFILE       the service has as many as it can have
 * @retval EHOSTUNREACH the service and the program have no CPU in common
 * @retval ECONNRESET   the service died meanwhile
 * @retval EAGAIN       the service has not been there for five seconds at least
 * @retval ENOMEM       no more memory, selectors or kernel memory, here or there
 */
int nova_session_open(struct nova_session **opened, const char *service, const char *arguments);

/** Open again a session whose service has died and was started anew; what was shared is shared
 *  again. The service knows nothing of the old session. @return as nova_session_open() */
int nova_session_reopen(struct nova_session *session);

/** End a session. No thread may use it. If a call with a deadline was left behind in the service,
 *  this does not wait for the service, which is told when that call has come back. */
void nova_session_close(struct nova_session *session);

/**
 * Call the service.
 *
 * Takes the portal of the caller's CPU. Where the service does not serve that CPU, a thread is made
 * for the call on one that it serves: slow, but it works.
 * @code
 * const nova_word_t words[] = {12};
 * nova_word_t answer[1];
 * struct nova_message message = {.operation = NOVA_OPERATION_FIRST,
 *                                .words = words,
 *                                .word_count = 1,
 *                                .answer = answer,
 *                                .answer_max = 1};
 * struct nova_session *session;
 *
 * if (nova_session_open(&session, "squares", NULL) == 0) {
 *         if (nova_session_call(session, &message) == 0 && message.answer_count == 1)
 *                 printf("%lu\n", (unsigned long)answer[0]);
 *         nova_session_close(session);
 * }
 * @endcode
 * @retval 0          done, and the service says so
 * @retval ECONNRESET the service died, or ended the session: nova_session_reopen() may help
 * @retval EDEADLK    the service waits for the caller, directly or not
 * @retval EINVAL     too many words or items, or the service says so
 * @retval EHOSTUNREACH the service and the program have no CPU in common any more
 * @retval ENOMEM     no memory, selectors or kernel memory for a thread on another CPU
 * @retval ECANCELED  the message has a @c cancel: then as nova_session_call_until()
 * @retval …          what the service answers
 */
int nova_session_call(struct nova_session *session, struct nova_message *message);

/**
 * Call with two words, and without an answer but its errno value.
 *
 * @param session   the session
 * @param operation the protocol's number
 * @param word1     the first word
 * @param word2     the second word
 * @return as nova_session_call()
 */
int nova_session_invoke(struct nova_session *session, nova_word_t operation, nova_word_t word1,
                        nova_word_t word2);

/**
 * Call a service that is not trusted to answer, until a moment only, or until another thread
 * cancels the call.
 *
 * The call is made by a thread of its own. When the time is over or the call is cancelled, that
 * thread stays behind until the service answers or dies, and the session is of no use: close it.
 * @code
 * static struct nova_cancel cancel; // another thread calls nova_cancel(&cancel)
 * struct nova_message message = {.operation = NOVA_OPERATION_FIRST, .cancel = &cancel};
 * struct nova_session *session;
 *
 * if (nova_session_open(&session, "squares", NULL) == 0) {
 *         if (nova_session_call_until(session, &message, NOVA_FOREVER) == ECANCELED)
 *                 printf("somebody has cancelled it\n");
 *         nova_session_close(session);
 * }
 * @endcode
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time
 * @retval ECANCELED nova_cancel() was called for the message's @c cancel, before or meanwhile, and
 *                   no answer had come
 * @retval EINVAL    the message has a window
 * @retval …         as nova_session_call()
 */
int nova_session_call_until(struct nova_session *session, struct nova_message *message,
                            uint64_t deadline);

/** End all calls under way whose message names @p cancel, and all that begin later: they return
 *  ECANCELED. From any thread. What the service has begun it may still do. */
void nova_cancel(struct nova_cancel *cancel);

/** Ask the service to notify this session, for nova_session_wait(). @return 0 or an errno value */
int nova_session_enable_notify(struct nova_session *session);

/**
 * Wait until the service notifies the session.
 *
 * @param deadline TSC value; UINT64_MAX: no limit
 * @retval 0          it did; several notifications may count as one
 * @retval ETIMEDOUT  it did not
 * @retval ECANCELED  nova_session_cancel() was called
 * @retval ECONNRESET the service died (noticed within a second)
 */
int nova_session_wait(struct nova_session *session, uint64_t deadline);

/** Let the thread that waits in nova_session_wait(), or else the next that wants to, return with
 *  ECANCELED. Calls are cancelled by nova_cancel(). */
void nova_session_cancel(struct nova_session *session);

/**
 * Let the service use memory of the caller's.
 *
 * @param memory page-aligned; stays the caller's, which may write to it at any time
 * @param pages  how many
 * @retval 0        done; shared before is shared no more
 * @retval ENOTSUP  the service takes no shared memory
 * @retval EINVAL   not aligned, or more pages than the service takes
 */
int nova_session_share(struct nova_session *session, void *memory, unsigned pages);

/** Take shared memory back. @return 0 or an errno value */
int nova_session_unshare(struct nova_session *session);

/** Name of the session's service. */
const char *nova_session_service(const struct nova_session *session);

/** Selector of the session's portal for CPU 0; that for CPU n is n further. */
nova_sel_t nova_session_portals(const struct nova_session *session);

#ifdef __cplusplus
}
#endif

#endif
