/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads with stack, UTCB and thread-local storage: global ones, which run on scheduling contexts
 * of their own, and handlers, which are local and serve portals. */
#ifndef NOVART_THREAD_H
#define NOVART_THREAD_H

#include <stdbool.h>

#include "nova/abi/mtd.h"
#include "nova/portal.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The caller's CPU. */
#define NOVA_CPU_SELF ((nova_word_t)-1)

/** Defaults, which 0 selects in struct nova_thread_attr: stack in bytes, quantum in
 * microseconds. */
#define NOVA_THREAD_STACK   0x10000
#define NOVA_THREAD_QUANTUM 10000

/** The smallest stack of a thread, and the stack of a handler. */
#define NOVA_THREAD_STACK_MIN 0x2000
#define NOVA_HANDLER_STACK    0x4000

struct nova_thread;
struct nova_handler;

/** Attributes of a new thread. */
struct nova_thread_attr {
        const char *name;    /**< name, which is copied; NULL: "thread". The kernel uses its first 8
                                bytes */
        nova_word_t cpu;     /**< number of the CPU on which it always runs, or NOVA_CPU_SELF */
        unsigned priority;   /**< 1 to 255; 0: the creator's; clamped to the program's limit */
        unsigned quantum_us; /**< quantum in microseconds; 0: NOVA_THREAD_QUANTUM. Clamped to
                                  NOVA_QPD_QUANTUM_MAX (on x86-32 about one second), and in a child
                                  to its parent's limit */
        size_t stack_bytes;  /**< size of the stack in bytes; 0: NOVA_THREAD_STACK. Pages are
                              * allocated on first touch, or by nova_thread_commit_stacks() */
        bool daemon;         /**< the program may end before the thread: the thread does not count
                              * for nova_thread_exit_with() */
};

/** Attributes of a thread with its creator's CPU and priority. */
#define NOVA_THREAD_ATTR_INITIALIZER                \
        {                                           \
                NULL, NOVA_CPU_SELF, 0, 0, 0, false \
        }

/**
 * Creates a thread and starts it.
 *
 * Its resources are freed when it is joined, or when it ends after it was detached.
 * @code
 * void *work(void *argument);
 *
 * const struct nova_thread_attr attr = {.name = "worker", .cpu = 1};
 * struct nova_thread *thread;
 * void *result;
 *
 * if (nova_thread_create(&thread, &attr, work, NULL) == 0)
 *         nova_thread_join(thread, &result);
 * @endcode
 * @param[out] thread   the thread, valid until it is joined or detached; NULL with EAGAIN
 * @param attr          NULL: as NOVA_THREAD_ATTR_INITIALIZER
 * @param function      body of the thread; its return value is the thread's result
 * @param argument      passed to @p function
 * @retval 0      the thread exists, and may have ended already
 * @retval EINVAL the program has no such CPU, or an attribute is out of range
 * @retval EAGAIN no more memory, addresses, selectors or kernel memory
 */
int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument);

/**
 * Waits until a thread has ended, and frees its resources.
 *
 * @param thread      a thread that is neither joined nor detached
 * @param[out] result return value of its function or argument of nova_thread_exit_with(); may be
 *                    NULL
 * @retval 0       @p thread is now invalid
 * @retval EDEADLK @p thread is the caller
 * @retval EINVAL  it is detached, or another thread joins it
 */
int nova_thread_join(struct nova_thread *thread, void **result);

/**
 * Waits for the end of a thread, at most until a deadline.
 * @code
 * extern struct nova_thread *thread;
 * void *result;
 *
 * if (nova_thread_join_until(thread, &result, nova_deadline_in(1000000000)) == ETIMEDOUT)
 *         puts("it still runs after a second");
 * @endcode
 * @param result   as for nova_thread_join()
 * @param deadline TSC value
 * @retval ETIMEDOUT the thread still runs; other values as for nova_thread_join()
 */
int nova_thread_join_until(struct nova_thread *thread, void **result, uint64_t deadline);

/**
 * Detaches a thread: its resources are freed when it ends.
 *
 * @retval 0      @p thread is now invalid
 * @retval EINVAL it is detached already, or another thread joins it
 */
int nova_thread_detach(struct nova_thread *thread);

/**
 * Ends the calling thread. After the main thread ends, the others continue; the end of the last one
 * is exit(0). Handlers and threads with `daemon` do not count: the program ends even if it has
 * some. The runtime's own threads for children, for calls and for novanet are such threads. Those
 * of a service (nova_service_start()) and of a guest's devices count, so a server goes on.
 */
__attribute__((noreturn)) void nova_thread_exit_with(void *result);

/** Returns the calling thread; in a handler, the thread that represents the handler. */
struct nova_thread *nova_thread_self(void);

/** Returns a thread's name. */
const char *nova_thread_name(const struct nova_thread *thread);

/**
 * Sets a function that a thread runs when an unhandled event ends it. The thread runs it after the
 * report and before it is freed, to release its locks and wake threads that wait for it. Works in
 * roots only: in a child, such an event ends the whole program.
 * @code
 * static struct nova_semaphore ended;
 * void release(void *argument); // does an up on the semaphore
 *
 * nova_thread_on_fault(nova_thread_self(), release, &ended);
 * @endcode
 * @param thread   the calling thread, or a thread that does not run yet
 * @param function called once by @p thread, whose stack is empty then; NULL: none
 * @param argument passed to @p function
 */
void nova_thread_on_fault(struct nova_thread *thread, void (*function)(void *argument),
                          void *argument);

/** Returns the caller's UTCB. */
struct nova_utcb *nova_thread_utcb(void);

/** Returns the caller's CPU. */
nova_word_t nova_thread_cpu(void);

/** Returns the selector of a thread's EC. */
nova_sel_t nova_thread_ec(const struct nova_thread *thread);

/** Returns the selector of a thread's SC, NOVA_SEL_NONE for a handler. */
nova_sel_t nova_thread_sc(const struct nova_thread *thread);

/** Returns a thread's priority. */
unsigned nova_thread_priority(const struct nova_thread *thread);

/** Gets the addresses of the caller's stack.
 *  @param[out] begin lowest address, without the guard page
 *  @param[out] end   first address above it */
void nova_thread_stack_bounds(nova_word_t *begin, nova_word_t *end);

/**
 * From now on, commits the whole stack of each new thread and handler. So a first touch of a stack
 * cannot fail for lack of the program's memory, or of kernel memory for a mapping. Call it before
 * other threads exist.
 * @code
 * nova_thread_commit_stacks(); // the handlers of a service that must not end
 * @endcode
 */
void nova_thread_commit_stacks(void);

/**
 * Creates a handler: a local thread that serves portals with @p function on the time of its
 * callers.
 *
 * errno, stdio and thread-local variables work in it.
 * @code
 * void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument);
 *
 * struct nova_handler *handler;
 * const nova_sel_t portal = nova_sel_alloc(0);
 *
 * if (portal != NOVA_SEL_NONE &&
 *     nova_handler_create(&handler, NOVA_CPU_SELF, "doubler", serve, NULL) == 0)
 *         nova_handler_portal(handler, portal, 0);
 * @endcode
 * @param[out] handler for nova_handler_portal() and nova_handler_destroy()
 * @param cpu          its callers' CPU, or NOVA_CPU_SELF
 * @param name         copied
 * @param function     serves one request; the reply is sent when it returns
 * @param argument     passed to @p function
 * @retval 0      done
 * @retval EINVAL the program has no such CPU
 * @retval EAGAIN no more memory, addresses, selectors or kernel memory
 */
int nova_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                        nova_portal_handler *function, void *argument);

/**
 * Creates a portal to a handler.
 *
 * @param portal free selector; the handler's function receives this number
 * @param mtd    state that an event message through this portal carries; 0 for calls
 * @return 0, or nova_errno_of() the kernel's status
 */
int nova_handler_portal(struct nova_handler *handler, nova_sel_t portal, nova_mtd_t mtd);

/** Returns the handler's UTCB, in which to set the receive windows. */
struct nova_utcb *nova_handler_utcb(struct nova_handler *handler);

/** Returns the thread that represents the handler. */
struct nova_thread *nova_handler_thread(struct nova_handler *handler);

/** Returns the selector of the handler's EC. */
nova_sel_t nova_handler_ec(struct nova_handler *handler);

/**
 * Destroys a handler after it has completed its current call. Later calls through its portals fail.
 * The creator of the portals revokes them. The handler itself must not call this function.
 *
 * For a handler on another CPU the runtime creates a temporary thread there.
 * @retval 0      its resources are freed
 * @retval EAGAIN no resources for that thread; the handler still runs
 */
int nova_handler_destroy(struct nova_handler *handler);

/**
 * Destroys a handler at once, even in the middle of its own call to another program.
 *
 * All portals of the handler must have been revoked from all programs, so that the program's own
 * capability for the handler's EC is the last reference to it. No thread may be calling the
 * handler. The handler must hold no lock and must not be changing data. Unlike
 * nova_handler_destroy(), this function needs no resources and cannot fail, so callers that have
 * run out of memory can use it. The handler itself must not call it.
 */
void nova_handler_discard(struct nova_handler *handler);

/**
 * Creates a scheduling context for an EC that the program created itself, such as a virtual CPU. In
 * a child, the parent creates the SC. Threads of nova_thread_create() have one already.
 *
 * @code
 * const nova_sel_t ec = nova_sel_alloc(1); // for nova_create_ec(), and next to it the SC
 *
 * if (nova_sc_create(ec + 1, ec, 10, NOVA_THREAD_QUANTUM) == 0)
 *         puts("the virtual CPU runs");
 * @endcode
 * In a child, the EC may have run briefly even if the result is EAGAIN: the parent creates the SC
 * before it knows whether the SC's capability can be delegated.
 * @param sc         free selector
 * @param ec         EC capability with NOVA_EC_SC
 * @param priority   1 to 255, in a child clamped to the program's limit
 * @param quantum_us quantum in microseconds, not 0; clamped to NOVA_QPD_QUANTUM_MAX, and in a child
 *                   to its parent's limit
 * @retval 0      the EC runs
 * @retval EINVAL in a child: @p ec is not a global EC, or a number is out of range
 * @retval EAGAIN in a child: too many threads, or no kernel memory
 * @return else nova_errno_of() the kernel's status; in a root, EBADF if @p ec is not a global EC
 */
int nova_sc_create(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us);

/**
 * Destroys a scheduling context of nova_sc_create(). When it returns, the EC no longer has the SC.
 * The selector is null and still belongs to the caller.
 */
void nova_sc_destroy(nova_sel_t sc);

/**
 * Returns the base of the program's event portals for threads on a CPU: the portal of an event is
 * at this base + NOVA_EXC_….
 *
 * @return NOVA_SEL_NONE if they cannot be created
 */
nova_sel_t nova_event_base(nova_word_t cpu);

#ifdef __cplusplus
}
#endif

#endif
