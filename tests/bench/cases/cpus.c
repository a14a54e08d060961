/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of several CPUs at the same time, or of one CPU on the others. A plugin of the
 * emulator counts each CPU's instructions in the kernel between two markers, and the cache lines
 * that the CPUs share. */
#include "bench.h"

#define TIMES      1000    /* repetitions: enough to make an interrupt negligible in the mean */
#define LONG       1000000 /* a quantum that lasts longer than the measurement, in microseconds */
#define SETTLE     20      /* time in microseconds until a woken thread waits again */
#define CPUS_MAX   16
#define FIRST_PAGE 0x70000 /* addresses with no other use */

/* ---- One operation on all CPUs --------------------------------------------------------------- */

static struct worker {
        nova_sel_t sel;
        word_t id; /* hypercall of the worker; alternates with other_id, unless other_id is 0 */
        word_t other_id;
        volatile word_t ready, done;
} workers[CPUS_MAX];

static volatile word_t go;

static void make_hypercalls(const struct worker *w, unsigned times)
{
        for (unsigned i = 0; i < times; i++) {
                struct args args = {.a1 = w->id};
                hypercall(&args);
                if (w->other_id) {
                        args = (struct args){.a1 = w->other_id};
                        hypercall(&args);
                }
        }
}

static void work(struct thread *t)
{
        struct worker *w = t->arg;

        make_hypercalls(w, WARM);
        w->ready = 1;
        while (!go)
                __asm__ volatile("pause");
        make_hypercalls(w, TIMES);
        w->done = 1;
        while (go)
                __asm__ volatile("pause");
}

static unsigned workers_count(void)
{
        return cpu_count < CPUS_MAX ? cpu_count : CPUS_MAX;
}

/* Gives this thread a new quantum, so that no quantum ends during a count: starts another thread of
 * the same priority and waits until it has run, which happens when the old quantum is used up. */
static void begin_quantum(void)
{
        struct thread *t = global(boot_cpu, thread_exit_fn, NULL);

        thread_start(t, PRIO_CASE, LONG);
        EXPECT(wait_for(&t->done, 1));
}

/* Measures the operation on all CPUs at once. This thread is the boot CPU's worker. */
static void all_at_once(const char *key)
{
        go = 0;
        for (unsigned i = 1; i < workers_count(); i++) {
                workers[i].ready = workers[i].done = 0;
                struct thread *t = global(cpu_numbers[i], work, &workers[i]);
                thread_start(t, PRIO_CASE, LONG);
                EXPECT(wait_for(&workers[i].ready, 1));
        }
        begin_quantum();
        make_hypercalls(&workers[0], WARM);
        trace_begin(key);
        go = 1;
        make_hypercalls(&workers[0], TIMES);
        for (unsigned i = 1; i < workers_count(); i++)
                EXPECT(wait_for(&workers[i].done, 1));
        trace_end();
        go = 0;
        spin_us(SETTLE);
}

static word_t call_id(nova_sel_t pt)
{
        return nova_hypercall_id(NOVA_CALL, 0, pt);
}

static word_t semaphore_id(nova_sel_t sm, word_t flags)
{
        return nova_hypercall_id(NOVA_SM_CTRL, flags, sm);
}

CASE(cpus, call_same_pd, "")
{
        for (unsigned i = 0; i < workers_count(); i++)
                workers[i] = (struct worker){
                        .id = call_id(portal_at(server(cpu_numbers[i]), 0, portal_echo))};
        all_at_once("cpus_call_same_pd");
}

CASE(cpus, call_other_pd, "")
{
        for (unsigned i = 0; i < workers_count(); i++) {
                struct thread *t = child_server(child_new(cpu_numbers[i]));
                workers[i] = (struct worker){.id = call_id(portal_at(t, 0, portal_echo))};
        }
        all_at_once("cpus_call_other_pd");
}

CASE(cpus, own_semaphore, "")
{
        for (unsigned i = 0; i < workers_count(); i++) {
                const nova_sel_t sm = semaphore(0);
                workers[i] = (struct worker){.id = semaphore_id(sm, NOVA_SM_UP_OP),
                                             .other_id = semaphore_id(sm, NOVA_SM_DN_OP)};
        }
        all_at_once("cpus_own_semaphore");
}

/* Tests the plugin itself: here the CPUs share a cache line. */
CASE(cpus, one_semaphore, "")
{
        const nova_sel_t sm = semaphore(CPUS_MAX);

        for (unsigned i = 0; i < workers_count(); i++)
                workers[i] = (struct worker){.id = semaphore_id(sm, NOVA_SM_UP_OP),
                                             .other_id = semaphore_id(sm, NOVA_SM_DN_OP)};
        all_at_once("cpus_one_semaphore");
}

/* ---- One CPU acts on the others -------------------------------------------------------------- */

static volatile word_t woken;

static void wait_again(struct thread *t)
{
        const nova_sel_t sm = (nova_sel_t)(word_t)t->arg;

        for (;;) {
                hc_sm_ctrl(sm, NOVA_SM_DN_OP);
                woken++;
        }
}

/* Wakes a thread on each of the other CPUs in turn. If there is only one CPU, wakes a thread of
 * higher priority on this CPU. */
CASE(cpus, wake, "")
{
        const unsigned first = cpu_count > 1;
        nova_sel_t sm[CPUS_MAX] = {0};
        struct thread *waiter[CPUS_MAX] = {0};

        for (unsigned i = first; i < workers_count(); i++) {
                sm[i] = semaphore(0);
                waiter[i] = global(cpu_numbers[i], wait_again, (void *)(word_t)sm[i]);
                thread_start(waiter[i], PRIO_HIGH, LONG);
        }
        spin_us(1000);
        begin_quantum();
        trace_begin("cpus_wake");
        for (unsigned n = 0; n < TIMES; n++)
                for (unsigned i = first; i < workers_count(); i++) {
                        const word_t before = woken;
                        hc_sm_ctrl(sm[i], NOVA_SM_UP_OP);
                        EXPECT(wait_for(&woken, before + 1));
                        spin_us(SETTLE);
                }
        trace_end();
        for (unsigned i = first; i < workers_count(); i++)
                thread_stop(waiter[i]);
}

static void stay(struct thread *t)
{
        (void)t;
        while (!go)
                __asm__ volatile("pause");
}

/* All CPUs run threads of the PD from which a page is revoked. */
CASE(cpus, shoot_down, "")
{
        const word_t page = page_of(memory(0));

        go = 0;
        for (unsigned i = 1; i < workers_count(); i++) {
                struct thread *t = global(cpu_numbers[i], stay, NULL);
                thread_start(t, PRIO_CASE, LONG);
                EXPECT(wait_for(&t->started, 1));
        }
        for (unsigned n = 0; n < WARM + TIMES; n++)
                EXPECT(give_self(mem(page, 0, NOVA_MEM_RWX), FIRST_PAGE + n) != 0);
        for (unsigned n = 0; n < WARM; n++)
                hc_revoke(mem(FIRST_PAGE + n, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
        begin_quantum();
        trace_begin("cpus_shoot_down");
        for (unsigned n = WARM; n < WARM + TIMES; n++) {
                hc_revoke(mem(FIRST_PAGE + n, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
                spin_us(SETTLE);
        }
        trace_end();
        go = 1;
        spin_us(SETTLE);
}
