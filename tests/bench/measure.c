/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds of timed operations, their median or mean, and the lines that report them. */
#include "bench.h"

#define OPERATIONS_MAX 256

word_t bench_recall, bench_wait;
volatile uint64_t bench_deadline;
volatile word_t bench_deadlines;
static uint32_t overhead;

/* Names an operation to a plugin of the emulator. The plugin looks for the NOP. The store after the
 * NOP gives the number of the operation between the next readings of the TSC. */
static void trace(unsigned number)
{
        static volatile uint8_t at[OPERATIONS_MAX] __attribute__((aligned(OPERATIONS_MAX)));

        __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x4d4b8000; movb $0, %0"
                         : "=m"(at[number]));
}

static unsigned operations;

static void name_number(unsigned number, const char *key)
{
        console_string("operation ");
        console_dec(number);
        console_char(' ');
        console_string(key);
        console_char('\n');
}

void trace_begin(const char *key)
{
        EXPECT(++operations < OPERATIONS_MAX);
        name_number(operations, key);
        trace(operations);
}

void trace_end(void)
{
        trace(0);
}

void trace_operation(struct timed *op)
{
        if (op->key && !op->number)
                op->number = ++operations;
        trace(op->number % OPERATIONS_MAX);
}

/* Prints the name of an operation that has a number in the trace. */
static void name_operation(const struct timed *op)
{
        EXPECT(op->number < OPERATIONS_MAX);
        if (op->number)
                name_number(op->number, op->key);
}

static uint32_t run_op(struct timed *op, struct nova_utcb *utcb)
{
        struct args args = op->args;

        trace_operation(op);
        utcb->items = op->items;
        const uint32_t ticks = op->fn(&args);
        op->failed += (args.a1 & 0xff) != op->expected;
        return ticks;
}

void run_rounds(struct timed *ops, unsigned count, struct nova_utcb *utcb)
{
        for (unsigned round = 0; round < WARM + ROUNDS; round++) {
                for (unsigned i = 0; i < count; i++) {
                        if (ops[i].before)
                                ops[i].before(&ops[i], round);
                        const uint32_t ticks = run_op(&ops[i], utcb);
                        if (round >= WARM)
                                ops[i].sample[round - WARM] = ticks;
                }
        }
}

static uint32_t median(uint32_t *sample)
{
        for (unsigned i = 1; i < ROUNDS; i++) {
                const uint32_t value = sample[i];
                unsigned at = i;
                for (; at > 0 && sample[at - 1] > value; at--)
                        sample[at] = sample[at - 1];
                sample[at] = value;
        }
        return sample[ROUNDS / 2];
}

static uint32_t mean(const uint32_t *sample)
{
        uint32_t sum = 0;

        for (unsigned i = 0; i < ROUNDS; i++)
                sum += sample[i];
        return sum / ROUNDS;
}

void move_on(struct timed *op, unsigned round)
{
        (void)op;
        (void)round;
        semaphore(0);
}

static uint32_t timing_overhead(void)
{
        static struct timed nothing = {.fn = timed_nothing};

        if (!overhead) {
                run_rounds(&nothing, 1, self->utcb);
                overhead = median(nothing.sample);
        }
        return overhead;
}

/* Reports that a figure is a mean, not a median, so that the table can show it. */
static void name_mean(const char *key)
{
        console_string("mean ");
        console_string(key);
        console_char('\n');
}

uint32_t figure(struct timed *op)
{
        trace(0);
        EXPECT_EQ(op->failed, 0);
        name_operation(op);
        if (op->key && op->mean)
                name_mean(op->key);
        return (op->mean ? mean(op->sample) : median(op->sample)) - timing_overhead();
}

void report(const char *key, uint32_t value)
{
        console_string("bench ");
        console_string(key);
        console_char(' ');
        console_dec(value);
        console_char('\n');
}

void report_hundredths(const char *key, uint32_t value)
{
        console_string("bench ");
        console_string(key);
        console_char(' ');
        console_dec(value / 100);
        console_char('.');
        console_dec(value / 10 % 10);
        console_dec(value % 10);
        console_char('\n');
}

void measure(struct timed *ops, unsigned count)
{
        run_rounds(ops, count, self->utcb);
        for (unsigned i = 0; i < count; i++) {
                const uint32_t value = figure(&ops[i]);
                if (ops[i].key)
                        report(ops[i].key, value);
        }
}

static uint32_t cycles_time(struct timed *ops, unsigned count)
{
        const uint64_t start = tsc();

        for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
                for (unsigned i = 0; i < count; i++)
                        run_op(&ops[i], self->utcb);
        }
        return (uint32_t)(tsc() - start);
}

void measure_cycle(const char *key, struct timed *ops, unsigned count)
{
        static struct timed nothing[4];

        EXPECT(count <= 4);
        for (unsigned i = 0; i < count; i++)
                nothing[i] = (struct timed){.fn = timed_nothing};
        const uint32_t empty = cycles_time(nothing, count);
        const uint32_t full = cycles_time(ops, count);
        for (unsigned i = 0; i < count; i++)
                EXPECT_EQ(ops[i].failed, 0);
        report(key, (full - empty) / CYCLES);
}

void thread_stop(struct thread *t)
{
        hc_revoke(obj(t->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        hc_revoke(obj(t->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

nova_sel_t portal_at(struct thread *t, nova_mtd_t mtd, const char *entry)
{
        const nova_sel_t pt = sel_alloc(0);

        EXPECT_EQ(hc_create_pt(pt, ROOT_PD, t->ec, mtd, (word_t)entry), NOVA_SUCCESS);
        return pt;
}
