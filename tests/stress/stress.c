/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers on all CPUs, events of their threads, and the measurement of the kernel's memory. */
#include "stress.h"
#include "internal.h"

#define UTCB_BASE    0x70000000
#define GRACE_MS     30000
#define MEASURE_BITS 15
#define PRIO_WATCH   2
#define SLACK        300 /* permitted loss, in semaphores, because caches keep a few frames */

struct worker workers[WORKERS];
nova_sel_t group;
bool stress_tolerant;
unsigned worker_count;
static uint64_t end;        /* TSC value at which the run ends */
static volatile bool begun; /* all workers exist */
static struct thread *threads[WORKERS];
static nova_sel_t finished;   /* counts the workers that ended */
static uint64_t ticks_per_us; /* copied here, because child PDs do not see the HIP */

word_t random_next(uint64_t *seed)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return (word_t)(*seed * 0x2545f4914f6cdd1dull >> 16) ^ (word_t)(*seed << 40);
}

word_t random_below(struct worker *w, word_t n)
{
        return (uint32_t)random_next(&w->seed) % (uint32_t)n;
}

word_t utcb_of(const struct worker *w, unsigned slot)
{
        return UTCB_BASE + (w->index * SLOTS + slot) * NOVA_PAGE_SIZE;
}

word_t slot_prepare(struct worker *w, unsigned slot, thread_fn *fn)
{
        struct slot *s = &w->slot[slot];
        const word_t sp = (word_t)s->stack + sizeof(s->stack) - 64;

        s->thread.utcb = (struct nova_utcb *)utcb_of(w, slot);
        s->thread.fn = fn;
        s->thread.sp = sp;
        *(struct thread **)sp = &s->thread;
        return sp;
}

void delay_us(unsigned us)
{
        const uint64_t until = tsc() + ticks_per_us * us;
        while (tsc() < until)
                __asm__ volatile("pause");
}

bool check_equal(struct worker *w, const char *file, int line, const char *text, word_t actual,
                 word_t expected)
{
        if (actual == expected)
                return true;
        if (!w->failed) {
                w->file = file;
                w->line = line;
                w->text = text;
                w->actual = actual;
                w->expected = expected;
                w->failed = true;
        }
        return false;
}

static bool on_event(struct thread *t, unsigned n, struct nova_utcb *u)
{
        const word_t address = (word_t)u->state.qual[1];

        (void)t;
        if (n == NOVA_EXC_PF && event_answer_image(u, address))
                return true;
        if (!stress_tolerant || n == NOVA_EXC_STARTUP || n == NOVA_EXC_RECALL)
                return false;
        u->state.ip = (word_t)reply_now;
        u->state.mtd = NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

void stress_begin(void)
{
        static const uint8_t numbers[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x0b, 0x0c,
                                          0x0d, 0x0e, 0x10, 0x11, 0x13, 0x1e, 0x1f};

        worker_count = cpu_count < WORKERS ? cpu_count : WORKERS;
        group = sel_alloc(GROUP_ORDER);
        stress_tolerant = false;
        ticks_per_us = tsc_per_ms() / 1000;
        for (unsigned i = 0; i < worker_count; i++) {
                struct thread *t = thread_blank(cpu_numbers[i]);
                t->events = events_of(group, i);
                t->on_event = on_event;
                for (unsigned n = 0; n < sizeof(numbers); n++)
                        event_portal(t, numbers[n], NOVA_MTD_EXCEPTION);
                workers[i].index = i;
                workers[i].cpu = cpu_numbers[i];
                workers[i].seed = 0x9e3779b97f4a7c15ull * (i + 1);
                workers[i].sel = sel_alloc(6);
        }
        console_string("# seeds 0x9e3779b97f4a7c15 * (1..");
        console_dec(worker_count);
        console_string(")\n");
}

bool stress_over(void)
{
        return tsc() >= end;
}

static void worker_main(struct thread *t)
{
        struct worker *w = t->arg;
        w->self = t;
        while (!begun)
                __asm__ volatile("pause");
        while (!stress_over() && !w->failed) {
                w->work(w);
                w->rounds++;
        }
        w->done = 1;
        hc_sm_ctrl(finished, NOVA_SM_UP_OP);
}

/* Runs only when no other thread runs, and ends the wait for workers that hang. */
static void watch(struct thread *t)
{
        while (!begun || tsc() < end + GRACE_MS * tsc_per_ms())
                __asm__ volatile("pause");
        (void)t;
        for (unsigned i = 0; i < worker_count; i++)
                hc_sm_ctrl(finished, NOVA_SM_UP_OP);
}

static void print_worker(const struct worker *w)
{
        console_string("# CPU ");
        console_dec(w->cpu);
        console_string(": ");
        console_dec(w->rounds);
        console_string(" rounds");
        if (!w->done) {
                console_string(", did not end, phase ");
                console_dec(w->phase);
        }
        if (w->failed) {
                console_string(", line ");
                console_dec((word_t)w->line);
                console_string(" ");
                console_string(w->text);
                console_string(": expected ");
                console_hex(w->expected);
                console_string(" got ");
                console_hex(w->actual);
                console_string(" in phase ");
                console_dec(w->phase);
        }
        console_string("\n");
}

static void drop_thread(const struct thread *t)
{
        hc_revoke(obj(t->sc, ALL), NOVA_REVOKE_SR);
        hc_revoke(obj(t->ec, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, t->events, 5, ALL), NOVA_REVOKE_SR);
}

void stress_run(work_fn *work)
{
        const nova_sel_t mark = sel_mark(); /* a case may have many runs */

        case_seconds(stress_ms / 1000 + GRACE_MS / 1000 * 2);
        finished = semaphore(0);
        begun = false;
        end = UINT64_MAX;
        for (unsigned i = 0; i < worker_count; i++) {
                struct worker *w = &workers[i];
                w->work = work;
                w->rounds = w->phase = w->done = 0;
                w->failed = false;
                threads[i] = run_thread(w->cpu, PRIO_CASE, worker_main, w);
        }
        struct thread *watcher = run_thread(boot_cpu, PRIO_WATCH, watch, NULL);
        end = tsc() + stress_ms * tsc_per_ms();
        begun = true;
        for (unsigned i = 0; i < worker_count; i++)
                hc_sm_ctrl(finished, NOVA_SM_DN_OP);
        bool good = true;
        for (unsigned i = 0; i < worker_count; i++) {
                good &= workers[i].done && !workers[i].failed;
                print_worker(&workers[i]);
                drop_thread(threads[i]);
        }
        drop_thread(watcher);
        sel_release(mark);
        EXPECT(good);
}

void stress_clear(void)
{
        hc_revoke(nova_crd(NOVA_CRD_OBJ, group + GROUP_OBJECTS, GROUP_ORDER - 1, ALL),
                  NOVA_REVOKE_SR);
        for (unsigned i = 0; i < worker_count; i++)
                hc_revoke(nova_crd(NOVA_CRD_OBJ, workers[i].sel, 6, ALL), NOVA_REVOKE_SR);
}

word_t memory_left(void)
{
        static nova_sel_t base;
        if (!base)
                base = sel_far(MEASURE_BITS);
        word_t n = 0, status = NOVA_SUCCESS;
        while (n < (word_t)1 << MEASURE_BITS &&
               (status = hc_create_sm(base + n, ROOT_PD, 0)) == NOVA_SUCCESS)
                n++;
        EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, base, MEASURE_BITS, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
        return n;
}

void memory_check(word_t before)
{
        word_t after = memory_left();
        /* Other CPUs may still be ending the revoked objects. */
        for (unsigned i = 0; after + SLACK < before && i < 20; i++) {
                hc_sm_until(semaphore(0), NOVA_SM_DN_OP, tsc() + 100 * tsc_per_ms());
                after = memory_left();
        }
        console_string("# memory for ");
        console_dec(before);
        console_string(" semaphores before, ");
        console_dec(after);
        console_string(" after\n");
        EXPECT(after + SLACK >= before);
}
