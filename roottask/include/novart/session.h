/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: a client's connection to a service, with calls, notifications, cancellation and shared
 * memory.
 *
 * Any thread of the program may use a session. A session is a range of portals. The program may
 * delegate them: each holder of a portal can call the service on behalf of the program that opened
 * the session. */
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

struct nova_async_call;

/** A cancellation object: nova_cancel_calls() cancels the calls whose message names it. A static
 * object may start as zeroes. It must stay valid while such a call is in progress. */
struct nova_cancel {
        struct nova_mutex mutex;       /**< protects the rest */
        struct nova_async_call *first; /**< the calls */
        bool cancelled;                /**< nova_cancel_calls() was called for this object */
};
/** Initialises an object for cancellation. */
#define NOVA_CANCEL_INITIALIZER                     \
        {                                           \
                NOVA_MUTEX_INITIALIZER, NULL, false \
        }

/** Maximum number of delegated items in one message. */
#define NOVA_MESSAGE_ITEMS 2

/** A call, and its answer after the call. */
struct nova_message {
        nova_word_t operation;                /**< number of the operation in the protocol */
        const nova_word_t *words;             /**< words to send */
        unsigned word_count;                  /**< number of words */
        unsigned item_count;                  /**< number of delegated items */
        nova_crd_t items[NOVA_MESSAGE_ITEMS]; /**< delegated ranges; the server chooses their
                                                 destination */
        nova_crd_t window;                    /**< receive window for the answer; 0: none. A service
                                                 may fill it even if the call fails */
        nova_word_t *answer;                  /**< buffer for the words of the answer */
        unsigned answer_max;        /**< size of the buffer in words; further words are dropped */
        unsigned answer_count;      /**< out: number of words in the answer */
        nova_crd_t received;        /**< out: the answer's first item, 0 for none */
        struct nova_cancel *cancel; /**< object for nova_cancel_calls(); NULL: not cancellable */
};

/**
 * Opens a session with a service.
 *
 * Waits for up to five seconds while the service is starting, while it frees the resources of
 * sessions that have ended, or, at a limit of sessions, while the program closes another session
 * with the service. If the service does not answer, this function blocks without limit.
 * @param[out] opened  the session, to be closed by nova_session_close()
 * @param service      its name in the system description
 * @param arguments    interpreted by the service; NULL: none
 * @retval 0            done
 * @retval ENOENT       there is no such service
 * @retval EACCES       the program may not use it, or the service requires a proof
 *                      (nova_session_open_trusting())
 * @retval EINVAL       the name or the arguments are too long, or the service refuses them
 * @retval EMFILE       the program has reached the service's limit of sessions per client, and is
 *                      closing none of them
 * @retval ENFILE       the service has reached its limit of sessions, and the program is closing
 *                      none of them
 * @retval EHOSTUNREACH the service and the program have no CPU in common
 * @retval ECONNRESET   the service died meanwhile
 * @retval EAGAIN       for at least five seconds, the service did not run, or was freeing resources
 * @retval ESRCH        the service has ended, and the parent does not start it again
 * @retval ENOMEM       no more memory, selectors or kernel memory in client or service
 */
int nova_session_open(struct nova_session **opened, const char *service, const char *arguments);

/**
 * Opens a session with a service that the program trusts, and proves who the client is.
 *
 * The server of any session gets a capability for the client's PD, with which it could pose as the
 * client. This function also gives the server the permission to create portals, which a service
 * with `proof` in its configuration requires. So if a program calls this function only for trusted
 * services, no other program can pose as it to a service with `proof`.
 * @param[out] opened the session, to be closed by nova_session_close()
 * @param service     its name in the system description
 * @param arguments   interpreted by the service; NULL: none
 * @return as nova_session_open()
 */
int nova_session_open_trusting(struct nova_session **opened, const char *service,
                               const char *arguments);

/**
 * Opens a session with a service that is not trusted to answer, at most until a deadline.
 *
 * A separate thread opens the session. After a timeout that thread remains; if the service answers
 * later, the thread closes the session.
 * @param[out] opened the session, to be closed by nova_session_close()
 * @param service     its name
 * @param arguments   interpreted by the service; NULL: none
 * @param deadline    TSC value; NOVA_FOREVER: as nova_session_open()
 * @retval ETIMEDOUT  no answer came in time
 * @retval …          as nova_session_open()
 */
int nova_session_open_until(struct nova_session **opened, const char *service,
                            const char *arguments, uint64_t deadline);

/**
 * Reopens a session whose service has died and been restarted, or in which a call was abandoned,
 * and shares its memory again. The service has no state of the new session; the old session is
 * closed as by nova_session_close(). Waits for up to five seconds while the service restarts. No
 * other thread may use the session meanwhile. After a failure, the caller may try again. Until
 * then, calls return ECONNRESET, or the session is open but lacks its notifications or its memory.
 * @code
 * extern struct nova_session *session;
 * extern struct nova_message message;
 *
 * int error = nova_session_call(session, &message);
 *
 * if (error == ECONNRESET && (error = nova_session_reopen(session)) == 0)
 *         error = nova_session_call(session, &message);
 * @endcode
 * @return as nova_session_open()
 */
int nova_session_reopen(struct nova_session *session);

/**
 * Reopens a session, at most until a deadline, like nova_session_open_until().
 *
 * @param session  the session
 * @param deadline TSC value
 * @return as nova_session_open_until()
 */
int nova_session_reopen_until(struct nova_session *session, uint64_t deadline);

/**
 * Closes a session. No thread may be using it, and @p session is invalid afterwards.
 *
 * Revokes shared memory and the notification semaphore from the service and from all programs that
 * got them from this one. Then calls the service; this call may block without limit. If an earlier
 * call was abandoned or the session was opened with a deadline, a thread of the lowest priority
 * makes this call, and the caller does not wait.
 */
void nova_session_close(struct nova_session *session);

/**
 * Calls the service.
 *
 * Uses the portal of the caller's CPU. If the service does not serve that CPU, the runtime creates
 * a thread for the call on another CPU, which is slow.
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
 * @retval 0          the service returned success
 * @retval ECONNRESET the service died, or ended the session: nova_session_reopen() may help
 * @retval ECANCELED  the call was cancelled, see nova_session_call_until(); only if the message has
 *                    a @c cancel
 * @retval EDEADLK    the service waits for the caller, directly or indirectly
 * @retval EINVAL     too many words or items, a message with @c cancel and a window, or the service
 *                    returned EINVAL
 * @retval EBADF      the service has ended the session, but not yet revoked its portals
 * @retval EPROTO     the answer has no words
 * @retval ENOMEM     no memory, selectors or kernel memory for a thread on another CPU, or for the
 *                    kernel's mappings during the call
 * @retval …          any error that the service returns
 */
int nova_session_call(struct nova_session *session, struct nova_message *message);

/**
 * Calls the service with two words. The answer is only an errno value.
 *
 * @param session   the session
 * @param operation number of the operation in the protocol
 * @param word1     the first word
 * @param word2     the second word
 * @return as nova_session_call()
 */
int nova_session_invoke(struct nova_session *session, nova_word_t operation, nova_word_t word1,
                        nova_word_t word2);

/**
 * Calls a service that is not trusted to answer, until a deadline or until another thread cancels
 * the call.
 *
 * A separate thread makes the call. After a timeout or cancellation that thread and the call end:
 * no later answer or delegation arrives. The caller does not know whether the service has executed
 * the call. The session remains usable if the service still works.
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
 *                 printf("another thread has cancelled it\n");
 *         else if (error == ETIMEDOUT)
 *                 printf("no answer within a second\n");
 *         nova_session_close(session);
 * }
 * @endcode
 * @param session  the session
 * @param message  as for nova_session_call(), but without a window
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time
 * @retval ECANCELED nova_cancel_calls() was called for the message's @c cancel, before or during
 *                   the call, and no answer had come
 * @retval EINVAL    the message has a window
 * @retval …         as nova_session_call()
 */
int nova_session_call_until(struct nova_session *session, struct nova_message *message,
                            uint64_t deadline);

/** Cancels all present and later calls whose message names @p cancel: they return ECANCELED. Any
 * thread may call this function, which does not wait for a service. The service may still complete
 * an operation that it has begun. */
void nova_cancel_calls(struct nova_cancel *cancel);

/**
 * Asks the service to notify this session, for nova_session_wait().
 *
 * @retval 0      notifications are enabled, by this or an earlier call
 * @retval ENOMEM no selector or no kernel memory in client or service
 * @retval …      as nova_session_call()
 */
int nova_session_enable_notify(struct nova_session *session);

/**
 * Enables notifications like nova_session_enable_notify(), but waits at most until a deadline. For
 * a service that is not trusted to answer.
 *
 * @param session  the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; the caller may try again
 * @retval …         as nova_session_enable_notify()
 */
int nova_session_enable_notify_until(struct nova_session *session, uint64_t deadline);

/**
 * Waits until the service notifies the session.
 *
 * If necessary, enables notifications first, as by nova_session_enable_notify_until(). In this case
 * earlier notifications are lost, so a caller that must not miss any enables them itself. Both
 * steps may return ETIMEDOUT.
 * @code
 * extern struct nova_session *session;
 *
 * nova_session_enable_notify(session);
 * while (nova_session_wait(session, NOVA_FOREVER) == 0)
 *         puts("notified");
 * @endcode
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval 0          the service notified the session, once or several times
 * @retval ETIMEDOUT  no notification came in time
 * @retval ECANCELED  nova_session_cancel() was called
 * @retval ECONNRESET the service died (noticed within a second)
 * @retval …          as nova_session_enable_notify_until()
 */
int nova_session_wait(struct nova_session *session, uint64_t deadline);

/** Makes nova_session_wait() return ECANCELED: the present wait, or the next one if no thread
 * waits. To cancel calls, use nova_cancel_calls(). */
void nova_session_cancel(struct nova_session *session);

/**
 * Shares memory of the caller with the service.
 *
 * Client and service need one CPU in common. On a CPU that the service does not serve, the call
 * needs a thread, as with nova_session_call(). Memory that was shared before is revoked first, and
 * stays revoked if the service then refuses the new memory. Two sessions must not share the same
 * page: if one of them is closed or unshares the page, all services lose it.
 * @code
 * extern struct nova_session *session;
 * char *pages = nova_page_alloc(1);
 *
 * if (pages && nova_session_share(session, pages, 2) == 0)
 *         strcpy(pages, "The service can read this.");
 * @endcode
 * @param memory page-aligned; still belongs to the caller, which may write to it at any time
 * @param pages  number of pages
 * @retval 0        done
 * @retval ENOTSUP  the service does not accept shared memory
 * @retval EINVAL   not aligned, or more pages than the service accepts
 * @retval EBUSY    a handler on another CPU is serving the session: try again; or the service keeps
 *                  the memory that was shared before until the session ends
 * @retval ENOMEM   no kernel memory, or the service has no addresses for it
 * @retval ECONNRESET the service died, or ended the session: nova_session_reopen() may help
 * @retval …        as nova_session_call()
 */
int nova_session_share(struct nova_session *session, void *memory, unsigned pages);

/**
 * Shares memory like nova_session_share(), but waits at most until a deadline. For a service that
 * is not trusted to answer.
 *
 * @param session  the session
 * @param memory   page-aligned
 * @param pages    number of pages
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; nothing is shared
 * @retval …         as nova_session_share()
 */
int nova_session_share_until(struct nova_session *session, void *memory, unsigned pages,
                             uint64_t deadline);

/**
 * Revokes shared memory from the service and from all other programs that got it from this one.
 *
 * @retval 0     done, even if the service has died; or nothing was shared
 * @retval EBUSY a handler on another CPU is serving the session, or the service keeps the memory
 * until the session ends: the memory is still shared
 * @retval …     as nova_session_call()
 */
int nova_session_unshare(struct nova_session *session);

/**
 * Revokes memory like nova_session_unshare(), but waits at most until a deadline. For a service
 * that is not trusted to answer.
 *
 * @param session  the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT no answer came in time; the memory is revoked nevertheless
 * @retval …         as nova_session_unshare()
 */
int nova_session_unshare_until(struct nova_session *session, uint64_t deadline);

/** Returns the name of the session's service. */
const char *nova_session_service(const struct nova_session *session);

/** Returns the selector of the session's portal for CPU 0. The portal for CPU n is at that selector
 * + n. */
nova_sel_t nova_session_portals(const struct nova_session *session);

#ifdef __cplusplus
}
#endif

#endif
