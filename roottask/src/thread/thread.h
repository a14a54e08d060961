/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread in the runtime: a block at the top of its stack's region, to which the storage base
 * points, with its thread-local variables below. */
#ifndef NOVA_ROOTTASK_THREAD_H
#define NOVA_ROOTTASK_THREAD_H

#include <reent.h>

#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"

#define THREAD_NAME_SIZE 16

/* State of a thread: an OR of these values. Exactly one other thread frees the thread: the one that
 * joins it or, if it is detached, any other one after its end. */
enum thread_life {
        THREAD_ENDED = 1,
        THREAD_JOINED = 2,  /* another thread waits for its end */
        THREAD_DETACHED = 4 /* no thread will wait for its end */
};

struct nova_thread {
        struct nova_thread *self; /* first: the word at the storage base, for the ABI */
        struct _reent *reent;
        struct nova_utcb *utcb;
        void *stack;        /* the region of the stack */
        size_t stack_bytes; /* size in bytes up to the thread-local variables */
        nova_sel_t ec, sc, park;
        nova_word_t cpu;
        unsigned priority;
        uint32_t life; /* enum thread_life; changes by atomic operations */
        bool counted;  /* the program does not end before this thread */
        struct nova_semaphore ended;
        struct nova_thread *next; /* next in the list of threads that ended detached */
        void *(*function)(void *);
        void *argument;
        void *result;
        void (*on_fault)(void *argument);
        void *on_fault_argument;
        struct thread_value *values;   /* values of pthread keys, NULL before the first */
        struct thread_object *objects; /* objects of C++ to destroy, the last one first */
        char name[THREAD_NAME_SIZE];
        struct _reent own_reent;
};

/* A local thread. */
struct nova_handler {
        struct nova_thread thread;
        nova_portal_handler *function;
        void *argument;
        bool ready; /* the storage base is set */
};

/* Creates the main thread's block; @p stack: end of its stack.
 * @return 0 or an errno value */
int novart_thread_make_main(nova_word_t *stack);

/* Completes the main thread's initialisation; the first action on its stack.
 * @return 0 or an errno value */
int novart_thread_main_running(void);

/* Creates a stack, a UTCB and the semaphore `park`. Above the stack lie the thread-local variables
 * and a block of @p bytes, which begins with a struct nova_thread. Sets name and CPU. Returns NULL
 * if a resource is exhausted. */
struct nova_thread *novart_thread_block_create(size_t stack_bytes, size_t bytes, const char *name,
                                               nova_word_t cpu);

/* Returns the stack pointer for a thread that is terminating. It lies in the stack region below
 * address @p end, below the thread's block. THREAD_SPARE bytes below it are mapped already. */
#define THREAD_SPARE 1024
nova_word_t novart_thread_spare_stack(nova_word_t end);

/* Frees the resources of novart_thread_block_create(); no EC uses them any more. */
void novart_thread_block_destroy(struct nova_thread *thread);

/* Ends the calling thread like nova_thread_exit_with(). If it is the last one, calls end(status),
 * which ends the program. */
_Noreturn void novart_thread_exit(void *result, void (*end)(int status), int status);

/* Names a thread's EC for the kernel's messages. */
void novart_thread_tell_name(const struct nova_thread *thread);

/* Converts a CPU argument into a number.
 * @return 0, or EINVAL */
int novart_thread_cpu(nova_word_t *cpu);

/* Destroys the thread's objects (thread_local of C++); linked only in programs that have some. */
__attribute__((weak)) void novart_thread_objects_end(struct nova_thread *thread);

/* Destroys the values of pthread keys; linked only in programs that use keys. */
__attribute__((weak)) void novart_thread_keys_end(struct nova_thread *thread);

#endif
