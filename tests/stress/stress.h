/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface for stress cases: workers on all CPUs for a span of time, and a measurement of the
 * kernel's memory. Cases themselves are those of the conformance harness. */
#ifndef STRESS_H
#define STRESS_H

#include "harness.h"

/* Milliseconds that the workers of a case run. */
extern const unsigned stress_ms;

#define WORKERS 4
#define SLOTS   16 /* threads that a worker can have at a time */
#define ALL     NOVA_PERM_ALL

/* Selectors that the workers share: event portals of all CPUs, then objects. In a child PD the same
 * selectors begin at 0. */
#define GROUP_ORDER   8
#define GROUP_OBJECTS 128
#define OBJECTS       128

struct worker;
/* A round of a worker. It is repeated until the time is over or a check has failed. */
typedef void work_fn(struct worker *w);

struct slot {
        struct thread thread;
        char stack[4096] __attribute__((aligned(16)));
};

struct worker {
        unsigned index, cpu;
        struct thread *self;
        work_fn *work;
        uint64_t seed;
        nova_sel_t sel; /* first of 64 selectors of its own */
        volatile word_t rounds, phase, done;
        word_t value; /* for the case */
        volatile bool failed;
        const char *file, *text;
        int line;
        word_t actual, expected;
        struct slot slot[SLOTS];
};

extern struct worker workers[WORKERS];
extern unsigned worker_count;
extern nova_sel_t group;
/* If true, the harness ends a thread other than a worker when this thread raises an event.
 * Otherwise the event fails the case. */
extern bool stress_tolerant;

/* Makes the shared selectors and their event portals. Each case must call it first. */
void stress_begin(void);
/* Runs work on each CPU at the same time for stress_ms. The case fails when one worker fails. */
void stress_run(work_fn *work);
/* Returns whether the time is over. Rounds that take long use it to end early. */
bool stress_over(void);
/* Revokes all shared selectors and those of the workers. */
void stress_clear(void);
/* Returns the number of semaphores that fit into the rest of the kernel's pool. */
word_t memory_left(void);
/* Fails the case if less memory is left than before, except the frames that empty caches may
 * keep. */
void memory_check(word_t before);

word_t random_next(uint64_t *seed);
/* Returns a number below n. */
word_t random_below(struct worker *w, word_t n);

/* Spins. Threads of child PDs may call it, too. */
void delay_us(unsigned us);

/* Returns the first selector of the event portals of the CPU with an index, for create_ec. */
static inline word_t events_of(nova_sel_t base, unsigned index)
{
        return base + EVENTS * index;
}

/* Returns the page of a slot's UTCB, which has the same address in all PDs. */
word_t utcb_of(const struct worker *w, unsigned slot);
/* Prepares a slot for an EC. Returns the stack pointer. */
word_t slot_prepare(struct worker *w, unsigned slot, thread_fn *fn);

bool check_equal(struct worker *w, const char *file, int line, const char *text, word_t actual,
                 word_t expected);
/* Ends the worker's function as failed unless both are equal. */
#define CHECK_EQ(w, actual, expected)                                              \
        do {                                                                       \
                if (!check_equal(w, __FILE__, __LINE__, #actual, (word_t)(actual), \
                                 (word_t)(expected)))                              \
                        return;                                                    \
        } while (0)

/* Like CHECK_EQ(), for a function with a result: makes it return value unless both are equal. */
#define CHECK_VALUE(w, actual, expected, value)                                    \
        do {                                                                       \
                if (!check_equal(w, __FILE__, __LINE__, #actual, (word_t)(actual), \
                                 (word_t)(expected)))                              \
                        return value;                                              \
        } while (0)

#endif
