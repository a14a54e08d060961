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
        bool cancelled;            /**< nova_cancel_calls() was called */
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
        struct nova_cancel *cancel; /**< for nova_cancel_calls(); NULL: nobody ends the call */
};

/**
 * Open a session with a service.
 *
 * Waits for up to five seconds while the service is being started. May block as long as the service
 * pleases.
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

/**
 * Open a session with a service that is not trusted to answer, until a moment only.
 *
 * A thread of its own opens it. When the time is over that thread stays behind: if the service
 * answers after all, it closes the session.
 * @param[out] opened to be closed some time
 * @param service     its name
 * @param arguments   for the service to understand; NULL: none
 * @param deadline    TSC value; NOVA_FOREVER: as nova_session_open()
 * @retval ETIMEDOUT  there was no answer in time
 * @retval …          as nova_session_open()
 */
int nova_session_open_until(struct nova_session **opened, const char *service,
                            const char *arguments, uint64_t deadline);

/** Open again a session whose service has died and was started again, or that of a call which was
 *  given up; what was shared is shared again. The service knows nothing of the old session, which
 * is closed as by nova_session_close(). Waits for up to five seconds while the service is started
 * again. No other thread may use the session meanwhile. If it fails, calls return ECONNRESET, and
 * it can be tried again. @return as nova_session_open() */
int nova_session_reopen(struct nova_session *session);

/**
 * Open again, until a moment only, as nova_session_open_until() does.
 *
 * @param session  the session
 * @param deadline TSC value
 * @return as nova_session_open_until()
 */
int nova_session_reopen_until(struct nova_session *session, uint64_t deadline);

/**
 * End a session. No thread may use it, and nobody afterwards: what @p session points to is no more.
 *
 * Memory that was shared and the semaphore of notifications are taken away from the service, as
 * from everybody else who got them from this program. The service is told, which may block as long
 * as it pleases; but where a call was given up, or where opening had a deadline, a thread of the
 * lowest priority tells it, and nobody waits for that.
 */
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
 * @retval ECANCELED  the message has a @c cancel: then as nova_session_call_until()
 * @retval EDEADLK    the service waits for the caller, directly or not
 * @retval EINVAL     too many words or items, or the service says so
 * @retval EBADF      the session has ended in the service, but its portals have not gone yet
 * @retval EPROTO     the answer has no words
 * @retval ENOMEM     no memory, selectors or kernel memory for a thread on another CPU, or for what
 *                    the call makes the kernel map
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
 * thread ends and the call with it: what it would have delegated or answered does not arrive later.
 * Whether the service has served it is not known. The session stays of use, if the service is.
 * @code
 * static struct nova_cancel cancel; // another thread calls nova_cancel_calls(&cancel)
 * struct nova_message message = {.operation = NOVA_OPERATION_FIRST, .cancel = &cancel};
 * const uint64_t second = nova_deadline_in(1000000000);
 * struct nova_session *session;
 *
 * if (nova_session_open_until(&session, "squares", NULL, second) == 0) {
 *         const int error = nova_session_call_until(session, &message, second);
 *
 *         if (error == ECANCELED)
 *                 printf("somebody has cancelled it\n");
 *         else if (error == ETIMEDOUT)
 *                 printf("no answer within a second\n");
 *         nova_session_close(session);
 * }
 * @endcode
 * @param session  the session
 * @param message  as for nova_session_call(), but without a window
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time
 * @retval ECANCELED nova_cancel_calls() was called for the message's @c cancel, before or
 *                   meanwhile, and no answer had come
 * @retval EINVAL    the message has a window
 * @retval …         as nova_session_call()
 */
int nova_session_call_until(struct nova_session *session, struct nova_message *message,
                            uint64_t deadline);

/** End all calls under way whose message names @p cancel, and all that begin later: they return
 *  ECANCELED. From any thread; waits for no service. What the service has begun it may still do. */
void nova_cancel_calls(struct nova_cancel *cancel);

/**
 * Ask the service to notify this session, for nova_session_wait().
 *
 * @retval 0      done, now or before
 * @retval ENOMEM no selector or no kernel memory, here or there
 * @retval …      as nova_session_call()
 */
int nova_session_enable_notify(struct nova_session *session);

/**
 * Ask a service that is not trusted to answer, until a moment only, as nova_session_call_until().
 *
 * @param session  the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; it can be asked again
 * @retval …         as nova_session_enable_notify()
 */
int nova_session_enable_notify_until(struct nova_session *session, uint64_t deadline);

/**
 * Wait until the service notifies the session.
 *
 * What was not enabled before is now, as by nova_session_enable_notify_until(); what the service
 * told before that is lost. ETIMEDOUT may come of either: who cannot miss one enables it first.
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval 0          it did; several notifications may count as one
 * @retval ETIMEDOUT  it did not
 * @retval ECANCELED  nova_session_cancel() was called
 * @retval ECONNRESET the service died (noticed within a second)
 * @retval …          as nova_session_enable_notify_until()
 */
int nova_session_wait(struct nova_session *session, uint64_t deadline);

/** Let the thread that waits in nova_session_wait(), or else the next that wants to, return with
 *  ECANCELED. Calls are cancelled by nova_cancel_calls(). */
void nova_session_cancel(struct nova_session *session);

/**
 * Let the service use memory of the caller's.
 *
 * Client and service may have any sets of CPUs with one CPU in common; a thread on a CPU that the
 * service does not serve pays for a thread per call, as with nova_session_call(). What was shared
 * before is taken back first, as by nova_session_unshare().
 * @param memory page-aligned; stays the caller's, which may write to it at any time
 * @param pages  how many
 * @retval 0        done
 * @retval ENOTSUP  the service takes no shared memory
 * @retval EINVAL   not aligned, or more pages than the service takes
 * @retval EBUSY    a handler works for the session on another CPU: try again
 * @retval ENOMEM   no kernel memory, or the service has no addresses for it
 * @retval ECONNRESET the service died, or ended the session: nova_session_reopen() may help
 * @retval …        as nova_session_call()
 */
int nova_session_share(struct nova_session *session, void *memory, unsigned pages);

/**
 * Let a service that is not trusted to answer use memory, until a moment only, as
 * nova_session_call_until().
 *
 * @param session  the session
 * @param memory   page-aligned
 * @param pages    how many
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; nothing is shared
 * @retval …         as nova_session_share()
 */
int nova_session_share_until(struct nova_session *session, void *memory, unsigned pages,
                             uint64_t deadline);

/**
 * Take shared memory back: from the service, and from everybody else who got it from this program.
 *
 * @retval 0     done, or nothing was shared; also if the service has died
 * @retval EBUSY a handler works for the session on another CPU: it is shared as before
 * @retval …     as nova_session_call()
 */
int nova_session_unshare(struct nova_session *session);

/**
 * Take shared memory back from a service that is not trusted to answer, and wait for it until a
 * moment only, as nova_session_call_until().
 *
 * @param session  the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; the memory was taken back all the same
 * @retval …         as nova_session_unshare()
 */
int nova_session_unshare_until(struct nova_session *session, uint64_t deadline);

/** Name of the session's service. */
const char *nova_session_service(const struct nova_session *session);

/** Selector of the session's portal for CPU 0; that for CPU n is n further. */
nova_sel_t nova_session_portals(const struct nova_session *session);

#ifdef __cplusplus
}
#endif

#endif
