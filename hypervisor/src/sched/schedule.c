/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling decisions (see schedule.h). */
#include "sched/schedule.h"

#include "arch/x86/calibrate.h"
#include "arch/x86/cpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/resume.h"
#include "lib/atomic.h"
#include "object/ec.h"
#include "object/object.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "sched/timeout.h"

/* Links of a chain between two interrupt windows. */
#define CHAIN_STEP 64

void sched_start(struct sc *sc)
{
        struct cpu *cpu = sc->cpu;

        sc->place = SC_READY;
        run_queue_insert(&cpu->run_queue, sc, false);
        if (sc->prio > cpu->current_sc->prio)
                atomic_fetch_or_u32(&cpu->pending, CPU_PENDING_RESCHEDULE);
}

void sched_bind_current(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;

        if (sc->ec || sc->object.dead)
                return;
        sc_bind(sc, cpu->current);
        cpu->special |= SPECIAL_LENT;
}

/* The current SC runs ec from now on: who it is bound to, or who has to run before that can. */
static void run_on_current(struct cpu *cpu, struct ec *ec)
{
        struct sc *sc = cpu->current_sc;

        if (sc->ec && sc->ec != ec) {
                cpu->special |= SPECIAL_LENT;
                return;
        }
        sc->ec = NULL;
        ec->donated = NULL;
        cpu->special &= (uint8_t)~SPECIAL_LENT;
}

/* Charges the running slice to the current SC and begins the next. */
static void charge(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;
        const uint64_t now = rdtsc();
        const uint64_t slice = now - cpu->slice_start;

        store_once(cpu->charges, cpu->charges + 1);
        sc->used += slice;
        cpu->slice_start = now;
        store_once(cpu->charges, cpu->charges + 1);
        sc->left -= slice < sc->left ? slice : sc->left;
}

/* Puts the current SC, which leaves the CPU but is ready, into the run queue. */
static void requeue(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;
        const bool spent = !sc->left;

        if (sc->object.dead || sc == cpu->idle_sc)
                return;
        if (spent)
                sc->left = sc->quantum;
        sc->place = SC_READY;
        run_queue_insert(&cpu->run_queue, sc, !spent);
}

struct ec *chain_end(struct ec *ec, const struct ec *self)
{
        struct cpu *cpu = cpu_self();

        for (unsigned links = 1;; links++) {
                if (ec == self)
                        return NULL;
                struct ec *next = ec->callee;
                if (!next) {
                        /* A helper whose callee became free has something to do itself. */
                        next = ec->helping;
                        if (!next || next->state == EC_REQUEST || next->state == EC_DEAD)
                                return ec;
                }
                ec = next;
                if (links % CHAIN_STEP == 0)
                        interrupt_window(cpu);
        }
}

/* The EC that an SC can run; NULL: none, the SC sleeps with whom it waits for. */
static struct ec *runnable(struct sc *sc)
{
        struct ec *ec, *end;

        /* The end of a chain may die while the walk lets interrupts in: then the chain is another.
         */
        do {
                if (sc->ec->state == EC_DEAD)
                        sc->ec = sc->owner;
                ec = end = sc->ec;
                if (ec->state == EC_REPLY)
                        end = chain_end(ec->callee, NULL);
        } while (end->state == EC_DEAD && end != ec && !sc->object.dead);

        if (sc->object.dead || end->state == EC_DEAD)
                return NULL;
        if (end->state == EC_READY)
                return end;
        sc->place = SC_SLEEPING;
        list_append(&end->sleepers, &sc->link);
        return NULL;
}

static _Noreturn void dispatch(struct cpu *cpu, struct sc *sc, struct ec *ec)
{
        sc->place = SC_RUNNING;
        store_once(cpu->charges, cpu->charges + 1);
        cpu->current_sc = sc;
        store_once(cpu->charges, cpu->charges + 1);
        run_on_current(cpu, ec);
        if (unlikely(cpu->timeouts.first))
                timeout_arm(cpu, sc == cpu->idle_sc ? UINT64_MAX : sc->left);
        else if (sc != cpu->idle_sc)
                timer_arm(sc->left);
        resume_ec(ec);
}

/* From here on nothing refers to what ran last: it may be freed. */
static void abandon_current(struct cpu *cpu)
{
        cpu->current = cpu->idle_ec;
        cpu->current_sc = cpu->idle_sc;
        cpu->current_ended = false;
        if (cpu->pending & CPU_PENDING_GRACE) {
                atomic_fetch_and_u32(&cpu->pending, ~(uint32_t)CPU_PENDING_GRACE);
                reclaim_quiescent(cpu);
        }
}

/* The current SC was charged and put where it belongs: runs the first of the queue. */
static _Noreturn void resume_first(struct cpu *cpu)
{
        abandon_current(cpu);
        if (cpu->dying)
                object_reap();
        for (;;) {
                /* One that was chosen may have nothing to do but end: interrupts come in between.
                 */
                sti();
                nop();
                cli();
                atomic_fetch_and_u32(&cpu->pending, ~(uint32_t)CPU_PENDING_RESCHEDULE);
                struct sc *sc = run_queue_first(&cpu->run_queue);
                if (!sc)
                        dispatch(cpu, cpu->idle_sc, cpu->idle_ec);
                run_queue_remove(&cpu->run_queue, sc);
                sc->place = SC_NOWHERE;
                struct ec *ec = runnable(sc);
                if (ec)
                        dispatch(cpu, sc, ec);
        }
}

_Noreturn void resume_next(struct cpu *cpu)
{
        sched_bind_current(cpu);
        charge(cpu);
        resume_first(cpu);
}

_Noreturn void resume_reschedule(struct cpu *cpu)
{
        sched_bind_current(cpu);
        charge(cpu);
        requeue(cpu);
        resume_first(cpu);
}

_Noreturn void resume_bound(struct cpu *cpu, struct ec *caller)
{
        struct sc *sc = cpu->current_sc;
        struct ec *ec = sc->ec ? sc->ec : caller;

        if (unlikely(!ec))
                block_current(cpu->current);
        if (likely(ec->state == EC_READY && !sc->object.dead)) {
                run_on_current(cpu, ec);
                resume_ec(ec);
        }
        resume_reschedule(cpu);
}

_Noreturn void block_current(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct sc *sc = cpu->current_sc;

        if (!sc->object.dead) {
                sc->place = SC_SLEEPING;
                list_append(&self->sleepers, &sc->link);
        }
        resume_next(cpu);
}

_Noreturn void block_shut_down(struct ec *self)
{
        ec_shut_down(self);
        resume_reschedule(self->cpu);
}

void interrupt_window(struct cpu *cpu)
{
        cpu->no_quiescence = true;
        sti();
        nop();
        cli();
        cpu->no_quiescence = false;
}

void leave_if_ended(struct ec *self)
{
        if (unlikely(self->state != EC_READY))
                resume_reschedule(self->cpu);
}

void preemption_point(struct ec *self, void (*cont)(struct ec *self))
{
        struct cpu *cpu = self->cpu;

        sti();
        nop(); /* STI takes effect after it; after PAUSE, QEMU would go on to CLI at once */
        cli();
        if (likely(!(cpu->pending & CPU_PENDING_RESCHEDULE) && self->state == EC_READY))
                return;
        self->cont = cont;
        resume_reschedule(cpu);
}

_Noreturn void resume_idle(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        for (;;) {
                while (cpu->dying && !(cpu->pending & CPU_PENDING_RESCHEDULE)) {
                        object_reap();
                        sti();
                        nop();
                        cli();
                }
                if (cpu->pending & CPU_PENDING_RESCHEDULE)
                        resume_next(cpu);
                __asm__ volatile("sti; hlt; cli" : : : "memory");
        }
}
