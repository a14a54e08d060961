/* SPDX-License-Identifier: BSD-2-Clause */
/* What a thread is inside of the runtime: a block at the top of its stack's region, to which the
 * storage base points, with its thread-local variables below. */
#ifndef NOVA_ROOTTASK_THREAD_H
#define NOVA_ROOTTASK_THREAD_H

#include <reent.h>

#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"

#define THREAD_NAME_SIZE 16

/* A thread's life: an OR of these. What it had is taken back by exactly one: who joins it, or, when
 * it is detached, another thread after its end. */
enum thread_life {
        THREAD_ENDED = 1,
        THREAD_JOINED = 2,  /* a thread waits for its end */
        THREAD_DETACHED = 4 /* no thread will wait for its end */
};

struct nova_thread {
        struct nova_thread *self; /* first: the word at the storage base, as the ABI has it */
        struct _reent *reent;
        struct nova_utcb *utcb;
        void *stack;        /* the region */
        size_t stack_bytes; /* up to the thread-local variables */
        nova_sel_t ec, sc, park;
        nova_word_t cpu;
        unsigned priority;
        uint32_t life; /* enum thread_life; changes by atomic operations */
        struct nova_semaphore ended;
        struct nova_thread *next; /* of those that ended detached */
        void *(*function)(void *);
        void *argument;
        void *result;
        void (*on_fault)(void *argument);
        void *on_fault_argument;
        struct thread_value *values; /* of pthread keys, NULL before the first */
        char name[THREAD_NAME_SIZE];
        struct _reent own_reent;
};

/* A local thread; its function and whether its storage base is set yet. */
struct nova_handler {
        struct nova_thread thread;
        nova_portal_handler *function;
        void *argument;
        bool ready;
};

/* Makes the main thread's block; @p stack: where its stack ends. @return 0 or an errno value */
int novart_thread_make_main(nova_word_t *stack);

/* First thing on the main thread's stack. @return 0 or an errno value */
int novart_thread_main_running(void);

/* Makes a stack with a block of @p bytes (beginning with a struct nova_thread) and thread-local
 * variables above it, a UTCB and the semaphore; sets name and CPU. NULL: not enough of something */
struct nova_thread *novart_thread_block_create(size_t stack_bytes, size_t bytes, const char *name,
                                               nova_word_t cpu);

/* Where an ending thread's stack may begin again, its region's end being @p end: below its block,
 * with THREAD_SPARE bytes of memory that are there already. */
#define THREAD_SPARE 1024
nova_word_t novart_thread_spare_stack(nova_word_t end);

/* Gives back what novart_thread_block_create() made; no EC uses it any more. */
void novart_thread_block_destroy(struct nova_thread *thread);

/* Gives a thread's EC its name. */
void novart_thread_tell_name(const struct nova_thread *thread);

/* Turns a CPU argument into a number. @return 0, or EINVAL */
int novart_thread_cpu(nova_word_t *cpu);

/* Destroys the values of pthread keys; there only in programs that use keys. */
__attribute__((weak)) void novart_thread_keys_end(struct nova_thread *thread);

#endif
