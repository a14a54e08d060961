/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface for measurements: timed operations, rounds, the line that reports a figure. */
#ifndef BENCH_H
#define BENCH_H

#include "harness.h"

#define CYCLES 1000
#define ROUNDS 401 /* samples of an operation; odd, so that one of them is the median */
#define WARM   16  /* earlier rounds, which do not count */

/* Runs one operation between two readings of the TSC. Returns the ticks between them; the status is
 * in a1. In assembly, so that every compiler counts the same instructions. */
typedef uint32_t timed_fn(struct args *args);
timed_fn timed_nothing; /* the cost of the readings themselves */
timed_fn timed_trap_1, timed_trap_2, timed_trap_3, timed_trap_4, timed_trap_5;
timed_fn timed_pair; /* two hypercalls: identifiers a1 and a2 */
timed_fn timed_read; /* a load from address a1 */
timed_fn timed_ud;   /* an undefined instruction of two bytes */

/* Portals. None needs more than its thread's stack, whose top holds the address of the thread's
 * UTCB. */
extern char portal_echo[];  /* replies at once, with the message unchanged */
extern char portal_empty[]; /* replies with no items */
extern char portal_pager[]; /* replies with one typed item, which is prepared in its UTCB */
extern char portal_skip[];  /* replies to an event with IP after the two bytes */
/* Both reply to a guest's event with IP after the two bytes. portal_inject also injects interrupt
 * 0x80. portal_recall first makes the hypercall bench_recall. */
extern char portal_inject[], portal_recall[];
extern word_t bench_recall;

/* Threads that never end. loop_down repeats a down. loop_pong alternates a down and an up.
 * loop_deadlines makes the hypercall bench_wait with the deadline bench_deadline, then repeats it
 * bench_deadlines times; it has nothing on its stack. */
_Noreturn void loop_down(word_t down);
_Noreturn void loop_pong(word_t down, word_t up);
_Noreturn void loop_deadlines(void);
extern word_t bench_wait;
extern volatile uint64_t bench_deadline;
extern volatile word_t bench_deadlines;

struct timed;
/* Function that runs before an operation in each round. */
typedef void before_fn(struct timed *op, unsigned round);

/* One operation of a round and, after the rounds, its samples. If the cost depends on where the
 * kernel happens to keep an object, each round uses another place, and the figure is the mean. The
 * mean also serves for operations that sometimes do deferred work. */
struct timed {
        const char *key; /* name of the figure; NULL: it is not reported */
        timed_fn *fn;
        struct args args;
        word_t items; /* the items word of the caller's UTCB before the operation */
        before_fn *before;
        struct thread *thread; /* argument of before, if it needs one */
        bool mean;
        uint32_t sample[ROUNDS];
        volatile word_t failed; /* rounds whose status was not the expected one */
        word_t expected;
        unsigned number; /* number of the row in the trace */
};

/* Runs WARM + ROUNDS rounds, each with all operations one after the other. Any thread may call
 * it. */
void run_rounds(struct timed *ops, unsigned count, struct nova_utcb *utcb);
/* Creates one more semaphore, so that the operation's memory lies at another place. */
before_fn move_on;
/* Marks in a trace the operation that is timed next. run_rounds() calls it. */
void trace_operation(struct timed *op);
/* Tells the plugin that all CPUs execute this operation until trace_end(). */
void trace_begin(const char *key);
void trace_end(void);
/* A NOP that the plugin runs.c looks for, with the number of the operation that follows. */
#define MARKER(n) \
        __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x4d4b0000 + %c0" : : "i"(n) : "memory")
/* Returns the median or the mean of the samples, without the cost of timing. Fails the case if an
 * operation failed. */
uint32_t figure(struct timed *op);
void report(const char *key, uint32_t value);
/* Reports a median or mean in hundredths. */
void report_hundredths(const char *key, uint32_t value);
/* Runs rounds in the case's own thread, and reports each operation. */
void measure(struct timed *ops, unsigned count);
/* Reports the mean of CYCLES rounds, including all work that the kernel deferred meanwhile. */
void measure_cycle(const char *key, struct timed *ops, unsigned count);
/* Ends a thread made by global(), its SC first. */
void thread_stop(struct thread *t);
/* Makes a portal to t that enters at one of the portals above. */
nova_sel_t portal_at(struct thread *t, nova_mtd_t mtd, const char *entry);

#endif
