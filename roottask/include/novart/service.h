/* SPDX-License-Identifier: BSD-2-Clause */
/* Services: functions that turn a table of handlers into a service with sessions, on every CPU of
 * the program.
 *
 * The runtime creates one local thread (handler) per CPU. Clients' calls run on it, on the clients'
 * time. The runtime checks messages against the table, identifies sessions by their portals, limits
 * their number, and detects the death of clients. */
#ifndef NOVART_SERVICE_H
#define NOVART_SERVICE_H

#include <stdbool.h>

#include "nova/abi/crd.h"
#include "nova/abi/hypercall.h"
#include "novart/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_service;

/** Maximum number of capability ranges in one answer. */
#define NOVA_REQUEST_GIVES 2

/**
 * One call of a client, and its answer. The runtime copies the call out of the UTCB, so a handler
 * may call other services and print. The object belongs to the handler until the handler returns.
 */
struct nova_request {
        struct nova_service *service; /**< service that received the call */
        void *state;                  /**< state of the session, state_bytes long */
        const char *client;           /**< name of the client from its parent, up to 8 bytes */
        nova_word_t cpu;              /**< number of the CPU */
        nova_word_t operation;        /**< NOVA_OPERATION_FIRST or more */
        nova_crd_t item;              /**< received capabilities, 0 for none */
        unsigned word_count;          /**< number of received words, without the operation */
        unsigned answer_count;        /**< number of words in the answer so far */
        unsigned give_count;          /**< number of items in the answer so far */
        bool taken;                   /**< nova_request_take() was called */
        nova_crd_t give[NOVA_REQUEST_GIVES];    /**< ranges that the answer delegates */
        nova_word_t word[NOVA_MESSAGE_WORDS];   /**< the words */
        nova_word_t answer[NOVA_MESSAGE_WORDS]; /**< words of the answer */
};

/** Serves one operation. @return 0 to send the answer, or a number of <errno.h>, which the client
 * gets instead of the answer */
typedef int nova_service_handler(struct nova_request *request);

/** A row of a service's table, for the operation NOVA_OPERATION_FIRST + index. */
struct nova_service_operation {
        nova_service_handler *handler; /**< function that serves it; NULL: no such operation */
        uint16_t words_min;            /**< minimum number of words; with fewer, EINVAL */
        uint16_t words_max; /**< maximum number of words, at least words_min; with more, EINVAL */
        bool item;          /**< a message may carry an item; it gets ENOMEM while the program's
                             * kernel memory is down to the reserve. Otherwise a message with an
                             * item gets EINVAL */
};

/** Configuration of a service. */
struct nova_service_config {
        const char *name;                                /**< name by which clients open it */
        const struct nova_service_operation *operations; /**< table of the operations */
        unsigned operation_count;                        /**< number of rows in operations */
        size_t state_bytes;       /**< size of each session's state in bytes; all zero when the
                                   * session opens */
        unsigned sessions;        /**< maximum number of sessions of all clients; 0: 64 */
        unsigned client_sessions; /**< maximum number of sessions of one client; 0: 16 */
        unsigned receive_order;   /**< order of the receive window: up to 2^order capabilities */
        unsigned share_pages;     /**< pages that a session may share with the service; 0: none. The
                                   * runtime reserves addresses for these pages for each CPU and
                                   * each session */
        size_t receive_bytes; /**< kernel memory in bytes that a message may charge to the program;
                                 0: 64 KiB plus 256 bytes per page that can be shared */
        bool parallel; /**< handlers of several CPUs may run at once; otherwise one handler runs
                        * at a time and needs no lock */
        bool proof;    /**< refuse clients that do not use nova_session_open_trusting(). Without the
                        * proof of that function, another server of the client could pose as the
                        * client */
        uint64_t cpus; /**< bit n: serve CPU n; 0: all CPUs of the program */
        unsigned priority; /**< priority of the service's own threads; 0: the program's limit */
        void *argument;    /**< result of nova_service_argument() */
        /** Called for a new session; may initialise its state. @return 0, or a number of <errno.h>
         * to refuse the session. nova_session_open() returns that number, but tries again after
         * EAGAIN */
        int (*open)(struct nova_request *request, const char *arguments);
        /** Called after a session has ended, for whatever reason; frees the resources of its state.
         * May be NULL. */
        void (*close)(struct nova_service *service, void *state);
};

/**
 * Starts a service on every CPU of the program and publishes its name. A child publishes it to its
 * parent. A root publishes it to nova_session_open() in the same program, and to its children.
 *
 * @code
 * int square(struct nova_request *request); // serves operation NOVA_OPERATION_FIRST
 *
 * static const struct nova_service_operation operations[] = {
 *         {.handler = square, .words_min = 1, .words_max = 1},
 * };
 * const struct nova_service_config config = {
 *         .name = "squares", .operations = operations, .operation_count = 1};
 *
 * if (nova_service_start(NULL, &config) == 0)
 *         nova_service_sleep();
 * @endcode
 * @param[out] started the service, for the functions below; may be NULL. Set before the first
 *                     client can open a session, so handlers may use it. Invalid after an error
 * @param config       its strings and table must stay valid
 * @retval 0      clients can open sessions
 * @retval EINVAL no name, a number is too large, or words_min of a row exceeds its words_max; a
 *                message on stderr names the row
 * @retval EEXIST a service of this name exists already
 * @retval EACCES the parent does not expect this service
 * @retval ENOSPC the program already has 16 services
 * @retval ENOMEM no more memory, selectors, threads or kernel memory; a message on stderr names the
 *                resource and the remedy, unless the heap is too small
 */
int nova_service_start(struct nova_service **started, const struct nova_service_config *config);

/**
 * Stops a service and closes all of its sessions; clients get ECONNRESET.
 *
 * Waits for calls in progress and for a thread that holds nova_service_lock(). From the start of
 * the call on, nova_service_lock() returns ECANCELED. Must not be called from a handler or with the
 * lock held. @p service is invalid afterwards.
 */
void nova_service_stop(struct nova_service *service);

/** For main(): sleeps while the handlers serve. */
__attribute__((noreturn)) void nova_service_sleep(void);

/** Returns the argument in the service's configuration. */
void *nova_service_argument(const struct nova_service *service);

/** Returns the number of open sessions. */
unsigned nova_service_sessions(struct nova_service *service);

/**
 * Takes the service's lock, which excludes handlers. For the service's own threads and for handlers
 * of parallel services.
 *
 * Handlers of services that are not parallel hold the lock already. The holder may be unable to
 * run, because the client that donated its time has died or has a low priority; then the waiter
 * donates its own time to the holder.
 * @retval 0         the caller holds the lock until nova_service_unlock()
 * @retval ECANCELED nova_service_stop() was called: the caller does not hold the lock and must not
 *                   use the service again
 */
__attribute__((warn_unused_result)) int nova_service_lock(struct nova_service *service);

/** Lets handlers run again. Does nothing if the caller does not hold the lock. */
void nova_service_unlock(struct nova_service *service);

/**
 * Notifies a session's client, which returns from nova_session_wait(). Does nothing unless the
 * client enabled notifications. The caller is a handler of the session or holds the lock.
 * @code
 * extern struct nova_service *service; // of nova_service_start()
 * extern void *state;                  // the session's, remembered by one of its handlers
 *
 * if (nova_service_lock(service) == 0) {
 *         nova_service_notify(service, state);
 *         nova_service_unlock(service);
 * }
 * @endcode
 */
void nova_service_notify(struct nova_service *service, const void *state);

/** Returns the name of the client whose session has @p state. Valid until the session is freed. */
const char *nova_service_client(const struct nova_service *service, const void *state);

/**
 * Returns the selector of the client's PD, for hypercalls such as nova_assign_pci(). The capability
 * was passed when the session was opened, and belongs to the session.
 */
nova_sel_t nova_service_client_pd(const struct nova_service *service, const void *state);

/** Closes the sessions of clients that have died. Without this call, the runtime closes them some
 * seconds later. The caller holds the lock. In a service that is not parallel, the open function
 * holds the lock already. */
void nova_service_sweep(struct nova_service *service);

/**
 * Visits every open session. The caller holds the lock. Handlers of services that are not parallel
 * hold it already; all other callers call nova_service_lock() first.
 * @code
 * extern struct nova_service *service;
 * extern unsigned sum;
 * bool add(void *state, void *sum); // adds a value of the state, and returns true
 *
 * if (nova_service_lock(service) == 0) {
 *         nova_service_each(service, add, &sum);
 *         nova_service_unlock(service);
 * }
 * @endcode
 * @param service  the service
 * @param visit    called with the state of each session; returns false to stop
 * @param argument passed to @p visit
 */
void nova_service_each(struct nova_service *service, bool (*visit)(void *state, void *argument),
                       void *argument);

/** An action that is deferred until no delegation of an answer is in flight. */
struct nova_later {
        void (*function)(struct nova_later *later); /**< performs the action */
        struct nova_later *next;                    /**< private to the runtime */
};

/**
 * Runs a function after all answers that handlers have prepared so far have been delivered.
 *
 * The kernel delegates the range of nova_request_give() when the answer is sent. That is after the
 * handler has returned, and other handlers may run in between. Before a service reuses selectors or
 * pages that it gave to clients, it revokes them and calls nova_service_later(). The deferred
 * function revokes them a second time, because an answer may have been in flight at the first
 * revocation.
 * @param service the service
 * @param later   the action; must stay valid until it is performed. If no delegation of an answer
 *                is in flight, it is performed before this function returns; otherwise a thread
 *                of the runtime performs it soon, with the service's lock held
 */
void nova_service_later(struct nova_service *service, struct nova_later *later);

/** Releases the capabilities of nova_request_take(), which returned @p sel. The runtime reuses
 * their selectors when no answer in flight can delegate them, as with nova_service_later(). */
void nova_service_drop(struct nova_service *service, nova_sel_t sel);

/**
 * Keeps the capabilities that came with a request. Without this call, the runtime revokes them when
 * the handler returns.
 * @code
 * extern struct nova_request *request;
 * const nova_sel_t sel = nova_request_take(request);
 *
 * if (sel != NOVA_SEL_NONE)
 *         nova_service_drop(request->service, sel); // when the session no longer needs it
 * @endcode
 * @return the first of 2^receive_order selectors, or NOVA_SEL_NONE if none came
 */
nova_sel_t nova_request_take(struct nova_request *request);

/**
 * Appends a word to the answer.
 * @code
 * extern struct nova_request *request; // the handler's argument
 *
 * nova_request_answer(request, request->word[0] * request->word[0]);
 * @endcode
 * @return false if the answer is full
 */
bool nova_request_answer(struct nova_request *request, nova_word_t word);

/**
 * Appends bytes to the answer, and fills up the last word with 0.
 * @code
 * extern struct nova_request *request;
 * static const char text[] = "pong";
 *
 * nova_request_answer(request, sizeof(text));
 * nova_request_answer_bytes(request, text, sizeof(text));
 * @endcode
 * @param request the request
 * @param bytes   the first byte
 * @param size    number of bytes
 * @return false, and nothing is appended, if there is no room
 */
bool nova_request_answer_bytes(struct nova_request *request, const void *bytes, size_t size);

/**
 * Adds a range of the server's capabilities to the answer. The first range goes to the start of
 * the client's window; a second one follows it, aligned to the size of the larger range.
 * @code
 * extern struct nova_request *request;
 * extern nova_sel_t sm; // a semaphore of the service
 *
 * nova_request_give(request, nova_crd_obj(sm, 0, NOVA_SM_DN));
 * @endcode
 * @return false if the answer has NOVA_REQUEST_GIVES ranges already
 */
bool nova_request_give(struct nova_request *request, nova_crd_t crd);

/** Returns the bytes of a request, beginning at word @p first. @return NULL if there are fewer than
 * @p size bytes */
const void *nova_request_bytes(const struct nova_request *request, unsigned first, size_t size);

/**
 * Copies a text from the words of a request. The text begins at word @p first, and ends before its
 * first 0 or at the end of the words.
 * @return false if it does not fit into @p size bytes with its terminating 0 */
bool nova_request_text(const struct nova_request *request, unsigned first, char *text, size_t size);

/** Returns the size in bytes of the memory that the client shares. */
size_t nova_request_share_bytes(const struct nova_request *request);

/**
 * Keeps the client's shared memory at the service's address until the session's close function has
 * returned. Until then the client cannot unshare the memory by a call; it can still revoke its
 * pages. For services that give the pages to other programs or to guests.
 *
 * @param request the request
 * @return the address, to be accessed with nova_copy_guarded() only; NULL: no memory is shared
 */
void *nova_request_share_hold(const struct nova_request *request);

/**
 * Copies from memory that the client shares.
 * @code
 * extern struct nova_request *request;
 * char text[64];
 *
 * // Copied first, then checked: the client may change its memory at any time.
 * if (nova_request_share_read(request, 0, text, sizeof(text)))
 *         puts("not shared");
 * @endcode
 * @param request the request
 * @param offset  offset in the shared memory in bytes
 * @param to      first byte to write
 * @param bytes   number of bytes
 * @retval 0      done
 * @retval EINVAL the range is not inside the shared memory
 * @retval EFAULT the client has revoked the range or never delegated it
 */
int nova_request_share_read(const struct nova_request *request, size_t offset, void *to,
                            size_t bytes);

/**
 * Copies to memory that the client shares.
 *
 * @param request the request
 * @param offset  offset in the shared memory in bytes
 * @param from    first byte to read
 * @param bytes   number of bytes
 * @return as nova_request_share_read()
 */
int nova_request_share_write(const struct nova_request *request, size_t offset, const void *from,
                             size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
