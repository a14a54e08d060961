/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads with stack, UTCB and thread-local storage: global ones, which run on scheduling contexts
 * of their own, and handlers, which are local and serve portals. */
#ifndef NOVART_THREAD_H
#define NOVART_THREAD_H

#include "nova/abi/mtd.h"
#include "nova/portal.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The CPU of whoever asks. */
#define NOVA_CPU_SELF ((nova_word_t)-1)

/** Sizes in bytes and microseconds that stand for 0 in struct nova_thread_attr. */
#define NOVA_THREAD_STACK   0x10000
#define NOVA_THREAD_QUANTUM 10000

/** The smallest stack of a thread, and the stack of a handler. */
#define NOVA_THREAD_STACK_MIN 0x2000
#define NOVA_HANDLER_STACK    0x4000

struct nova_thread;
struct nova_handler;

/** What a new thread is to be like. */
struct nova_thread_attr {
        const char *name;    /**< copied; NULL: "thread". The kernel keeps its first 8 bytes */
        nova_word_t cpu;     /**< number of the CPU that it runs on for life, or NOVA_CPU_SELF */
        unsigned priority;   /**< 1 to 255; 0: that of the creator; cut to the program's limit */
        unsigned quantum_us; /**< time slice in microseconds; 0: NOVA_THREAD_QUANTUM. Cut to
                                  NOVA_QPD_QUANTUM_MAX, on x86-32 about one second, and in a child
                                  to what its parent allows */
        size_t stack_bytes;  /**< 0: NOVA_THREAD_STACK. Its pages come when they are touched */
};

/** Attributes of a thread like its creator. */
#define NOVA_THREAD_ATTR_INITIALIZER         \
        {                                    \
                NULL, NOVA_CPU_SELF, 0, 0, 0 \
        }

/**
 * Create a thread and let it run.
 *
 * Everything that it has comes back when it is joined, or when it ends and is detached.
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
 * @param[out] thread   names it until it is joined or detached; NULL with EAGAIN
 * @param attr          NULL: as NOVA_THREAD_ATTR_INITIALIZER
 * @param function      what it does; a return ends the thread with that result
 * @param argument      what @p function is given
 * @retval 0      it exists, and may have ended already
 * @retval EINVAL the program has no such CPU, or an attribute is out of its range
 * @retval EAGAIN no more memory, addresses, selectors or kernel memory
 */
int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument);

/**
 * Wait until a thread has ended, and take back what it had.
 *
 * @param thread      neither joined nor detached yet
 * @param[out] result what its function returned or nova_thread_exit_with() got; may be NULL
 * @retval 0       @p thread names nothing any more
 * @retval EDEADLK it is the caller
 * @retval EINVAL  it is detached, or somebody else joins it
 */
int nova_thread_join(struct nova_thread *thread, void **result);

/**
 * Wait for the end of a thread until a moment only.
 *
 * @param result   as for nova_thread_join()
 * @param deadline TSC value
 * @retval ETIMEDOUT it goes on; else as for nova_thread_join()
 */
int nova_thread_join_until(struct nova_thread *thread, void **result, uint64_t deadline);

/**
 * Let a thread go: what it has comes back when it ends.
 *
 * @retval 0      @p thread must not be used any more
 * @retval EINVAL it is detached already, or somebody joins it
 */
int nova_thread_detach(struct nova_thread *thread);

/** End the calling thread. The main thread's end lets the others go on. */
__attribute__((noreturn)) void nova_thread_exit_with(void *result);

/** The calling thread; in a handler what stands for it. */
struct nova_thread *nova_thread_self(void);

/** A thread's name. */
const char *nova_thread_name(const struct nova_thread *thread);

/**
 * Have a thread do something when an event ends it that nobody handles, after the report, before it
 * is gone: for locks that it holds, and who waits for it. In a root; a child ends as a whole.
 *
 * @param thread   the calling one, or one that does not run yet
 * @param function called once, by @p thread, on its stack begun again; NULL: nothing
 * @param argument what @p function is given
 */
void nova_thread_on_fault(struct nova_thread *thread, void (*function)(void *argument),
                          void *argument);

/** The caller's UTCB. */
struct nova_utcb *nova_thread_utcb(void);

/** The caller's CPU. */
nova_word_t nova_thread_cpu(void);

/** Selector of a thread's EC. */
nova_sel_t nova_thread_ec(const struct nova_thread *thread);

/** Selector of a thread's SC, NOVA_SEL_NONE for a handler. */
nova_sel_t nova_thread_sc(const struct nova_thread *thread);

/** A thread's priority. */
unsigned nova_thread_priority(const struct nova_thread *thread);

/** @param[out] begin lowest address of the caller's stack, the guard page not included
 *  @param[out] end   first address above it */
void nova_thread_stack_bounds(nova_word_t *begin, nova_word_t *end);

/**
 * Create a local thread that serves portals with @p function, on the time of its callers.
 *
 * errno, stdio and thread-local variables work in it.
 * @param[out] handler for nova_handler_portal() and nova_handler_destroy()
 * @param cpu          its callers' CPU, or NOVA_CPU_SELF
 * @param name         copied
 * @param function     serves one request; the reply is sent when it returns
 * @param argument     what @p function is given
 * @retval 0      done
 * @retval EINVAL the program has no such CPU
 * @retval EAGAIN no more memory, addresses, selectors or kernel memory
 */
int nova_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                        nova_portal_handler *function, void *argument);

/**
 * Create a portal to a handler.
 *
 * @param portal selector that is free; the handler's function gets this number
 * @param mtd    state that an event message through this portal carries; 0 for calls
 * @return 0, or nova_errno_of() what the kernel answers
 */
int nova_handler_portal(struct nova_handler *handler, nova_sel_t portal, nova_mtd_t mtd);

/** The handler's UTCB, for the windows that receive what callers delegate. */
struct nova_utcb *nova_handler_utcb(struct nova_handler *handler);

/** What stands for the handler among threads. */
struct nova_thread *nova_handler_thread(struct nova_handler *handler);

/** Selector of the handler's EC. */
nova_sel_t nova_handler_ec(struct nova_handler *handler);

/**
 * End a handler, when it has served the call that it serves. Later calls of its portals fail; the
 * portals themselves are the creator's to revoke. Not for the handler itself.
 *
 * For a handler of another CPU a thread is needed there for a moment.
 * @retval 0      everything that it had has come back
 * @retval EAGAIN there is not enough for that thread: the handler goes on
 */
int nova_handler_destroy(struct nova_handler *handler);

/**
 * Create a scheduling context for an EC that the program made itself, such as a virtual CPU. A root
 * creates it; a child's parent does. nova_thread_create() does this for threads.
 *
 * @code
 * const int error = nova_sc_create(sc, vcpu, 10, NOVA_THREAD_QUANTUM);
 * @endcode
 * In a child the EC may run for a moment even if that fails with EAGAIN: whether the capability
 * finds room is known no sooner.
 * @param sc         free selector
 * @param ec         EC capability with NOVA_EC_SC
 * @param priority   1 to 255, in a child cut to the program's limit
 * @param quantum_us time slice in microseconds, not 0; cut to NOVA_QPD_QUANTUM_MAX, and in a child
 *                   to what its parent allows
 * @retval 0      the EC runs
 * @retval EINVAL @p ec is not a global EC, or a number is out of its range
 * @retval EAGAIN in a child: too many threads, or no kernel memory
 * @return else nova_errno_of() the kernel's status
 */
int nova_sc_create(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us);

/**
 * Destroy a scheduling context that nova_sc_create() made. The EC no longer has it when this
 * returns; the selector is free and remains the caller's.
 */
void nova_sc_destroy(nova_sel_t sc);

/**
 * Selectors of the program's own event portals for threads on a CPU: + NOVA_EXC_….
 *
 * @return NOVA_SEL_NONE if they cannot be made
 */
nova_sel_t nova_event_base(nova_word_t cpu);

#ifdef __cplusplus
}
#endif

#endif
