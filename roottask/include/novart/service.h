/* SPDX-License-Identifier: BSD-2-Clause */
/* Being a server: a table of handlers becomes a service with sessions, on every CPU of the program.
 *
 * The runtime makes one local thread (handler) per CPU; clients' calls run on it with the clients'
 * time. It checks messages against the table, keeps sessions apart by the portals they come
 * through, limits how many there are, and notices when clients die. */
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

/** Ranges of capabilities that one answer can give. */
#define NOVA_REQUEST_GIVES 2

/**
 * One call of a client, and its answer. It is copied out of the UTCB, so a handler may call other
 * services and print; it belongs to the handler until that returns.
 */
struct nova_request {
        struct nova_service *service; /**< whose */
        void *state;                  /**< the session's own bytes */
        const char *client;           /**< name that the client's parent gave it, up to 8 bytes */
        nova_word_t cpu;              /**< number of the CPU */
        nova_word_t operation;        /**< NOVA_OPERATION_FIRST or more */
        nova_crd_t item;              /**< capabilities that came, 0 if none did */
        unsigned word_count;          /**< words that came, the operation not counted */
        unsigned answer_count;        /**< words of the answer so far */
        unsigned give_count;          /**< items of the answer so far */
        bool taken;                   /**< nova_request_take() was called */
        nova_crd_t give[NOVA_REQUEST_GIVES];    /**< what the answer delegates */
        nova_word_t word[NOVA_MESSAGE_WORDS];   /**< the words */
        nova_word_t answer[NOVA_MESSAGE_WORDS]; /**< words of the answer */
};

/** Serves one operation. @return 0, or what the client gets instead of the answer: any number of
 *  <errno.h>. Words and items of the answer are sent with 0 only */
typedef int nova_service_handler(struct nova_request *request);

/** A row of a service's table: the operation NOVA_OPERATION_FIRST + index. */
struct nova_service_operation {
        nova_service_handler *handler; /**< NULL: there is no such operation */
        uint16_t words_min;            /**< with fewer words the client gets EINVAL */
        uint16_t words_max;            /**< with more, too; at least words_min */
        bool item;                     /**< takes an item; a message with one otherwise: EINVAL */
};

/** What a service is. */
struct nova_service_config {
        const char *name; /**< under which clients open it */
        const struct nova_service_operation *operations;
        unsigned operation_count; /**< rows of it */
        size_t state_bytes;       /**< of each session, all 0 when it is opened */
        unsigned sessions;        /**< of all clients at most; 0: 64 */
        unsigned client_sessions; /**< of one client at most; 0: 16 */
        unsigned receive_order;   /**< an item may bring 2^order capabilities */
        unsigned share_pages;     /**< pages that a session may share; 0: none */
        size_t receive_bytes;     /**< of kernel memory that a message may cost the program; 0: 64
                                       KiB, and 256 bytes for each page that can be shared */
        bool parallel;            /**< handlers of several CPUs may run at the same time; else one
                                       at a time, and they need no locks */
        uint64_t cpus;            /**< bit n: serve CPU n; 0: all that the program has */
        unsigned priority;        /**< of the service's own threads; 0: the program's limit */
        void *argument;           /**< for nova_service_argument() */
        /** A session begins; may fill its state. @return 0, or any number of <errno.h> but EAGAIN
         * to refuse it: what nova_session_open() returns. With EAGAIN that tries again */
        int (*open)(struct nova_request *request, const char *arguments);
        /** A session has ended, by whatever cause: give back what it holds. May be NULL. */
        void (*close)(struct nova_service *service, void *state);
};

/**
 * Start a service on every CPU that the program has, and make its name known: to the parent, in a
 * root to nova_session_open() of the same program and to its children.
 *
 * @code
 * int square(struct nova_request *request); // the handler of operation NOVA_OPERATION_FIRST
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
 * @param[out] started its name for the functions below; may be NULL
 * @param config       its strings and table stay where they are
 * @retval 0      clients can come
 * @retval EINVAL no name, numbers that are too large, or a row whose words_min is above its
 *                words_max, which a sentence on stderr names
 * @retval EEXIST there is a service of this name already
 * @retval EACCES the parent does not expect this service
 * @retval ENOSPC the program has 16 services
 * @retval ENOMEM no more memory, selectors, threads or kernel memory; what to do about memory and
 *                kernel memory is written to stderr
 */
int nova_service_start(struct nova_service **started, const struct nova_service_config *config);

/**
 * End a service and all of its sessions; clients get ECONNRESET.
 *
 * Waits for the calls that are being served, and for a thread of the service's own that has
 * nova_service_lock(): those that want it get ECANCELED from now on. Not from a handler, and not
 * with the lock. @p service points to nothing afterwards.
 */
void nova_service_stop(struct nova_service *service);

/** For main(): sleep, while the handlers serve. */
__attribute__((noreturn)) void nova_service_sleep(void);

/** What the service's config says. */
void *nova_service_argument(const struct nova_service *service);

/** Number of open sessions. */
unsigned nova_service_sessions(struct nova_service *service);

/**
 * Keep handlers out: for the service's own threads, and for handlers of parallel services.
 *
 * Handlers of other services are inside already. A holder without time of its own, because the
 * client that lent it died or is of low priority, is lent the waiter's.
 * @retval 0         nobody else is inside until nova_service_unlock()
 * @retval ECANCELED nova_service_stop() was called: the caller does not have the lock, and should
 *                   not touch the service again
 */
__attribute__((warn_unused_result)) int nova_service_lock(struct nova_service *service);

/** Let handlers in again. Nothing, if the caller does not have the lock. */
void nova_service_unlock(struct nova_service *service);

/** Tell a session's client that something has happened: it returns from nova_session_wait(). Does
 *  nothing if it does not want to know. In the session's own handlers, or with the lock. */
void nova_service_notify(struct nova_service *service, const void *state);

/** Name of a session's client. */
const char *nova_service_client(const struct nova_service *service, const void *state);

/**
 * Visit every open session. With the lock: in handlers of services that are not parallel, else
 * between nova_service_lock() and nova_service_unlock().
 *
 * @param service  the service
 * @param visit    gets the state of a session; returns false to stop
 * @param argument for @p visit
 */
void nova_service_each(struct nova_service *service, bool (*visit)(void *state, void *argument),
                       void *argument);

/** Something that is to be done when nothing that was given is on its way any more. */
struct nova_later {
        void (*function)(struct nova_later *later); /**< does it */
        struct nova_later *next;                    /**< the runtime's */
};

/**
 * Do something when no answer is on its way that a handler has begun to give before.
 *
 * What nova_request_give() names is delegated when the answer is sent, and that is after the
 * handler has returned and others may have come in. Who uses selectors or pages again that clients
 * were given revokes them and leaves the rest to this, where they are revoked once more: an answer
 * could have been on its way meanwhile.
 * @param service the service
 * @param later   its function is called: at once, by the caller, if no handler has given anything
 *                since its last message, else soon, by a thread of the runtime with the service's
 *                lock; it stays until then
 */
void nova_service_later(struct nova_service *service, struct nova_later *later);

/** Release what nova_request_take() took. The selectors are used again as nova_service_later()
 *  allows. */
void nova_service_drop(struct nova_service *service, nova_sel_t sel);

/**
 * Keep the capabilities that came with a request; else they are revoked when the handler returns.
 * @return the first of 2^receive_order selectors, or NOVA_SEL_NONE if nothing came
 */
nova_sel_t nova_request_take(struct nova_request *request);

/** Append a word to the answer. @return false if it is full */
bool nova_request_answer(struct nova_request *request, nova_word_t word);

/**
 * Append bytes to the answer, the last word filled up with 0.
 *
 * @param request the request
 * @param bytes   the first of them
 * @param size    how many
 * @return false, and nothing is appended, if there is no room
 */
bool nova_request_answer_bytes(struct nova_request *request, const void *bytes, size_t size);

/** Let the answer delegate a range of the server's. The first range goes to the start of the
 *  client's window; a second one follows it, aligned to the larger of the two. @return false if it
 *  delegates NOVA_REQUEST_GIVES already */
bool nova_request_give(struct nova_request *request, nova_crd_t crd);

/** Bytes that came in words, from word @p first on. @return NULL if there are not @p size bytes */
const void *nova_request_bytes(const struct nova_request *request, unsigned first, size_t size);

/**
 * Copy a text that came in words, from word @p first to the last, up to its first 0.
 * @return false if it does not fit into @p size bytes with a 0 at its end
 */
bool nova_request_text(const struct nova_request *request, unsigned first, char *text, size_t size);

/** Size of the memory that the client shares, in bytes. */
size_t nova_request_share_bytes(const struct nova_request *request);

/**
 * Copy from memory that the client shares.
 *
 * @param request the request
 * @param offset  where to begin in the shared memory, in bytes
 * @param to      first byte to write
 * @param bytes   how many
 * @retval 0      done
 * @retval EINVAL the range is not inside of what is shared
 * @retval EFAULT the client has taken it away, or never gave it
 */
int nova_request_share_read(const struct nova_request *request, size_t offset, void *to,
                            size_t bytes);

/**
 * Copy to memory that the client shares.
 *
 * @param request the request
 * @param offset  where to begin in the shared memory, in bytes
 * @param from    first byte to read
 * @param bytes   how many
 * @return as nova_request_share_read()
 */
int nova_request_share_write(const struct nova_request *request, size_t offset, const void *from,
                             size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
