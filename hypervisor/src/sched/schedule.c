/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling decisions (see schedule.h). */
#include "sched/schedule.h"

#include "arch/x86/insn.h"
#include "arch/x86/interrupt.h"
#include "arch/x86/ipi.h"
#include "arch/x86/resume.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "object/ec.h"
#include "object/object.h"
#include "object/reclaim.h"
#include "object/report.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "sched/pending.h"
#include "sched/timeout.h"

/* Maximum number of links of a chain that a walk follows between two interrupt windows. */
#define CHAIN_STEP 64

/* Number of links that a walk follows even if an SC of higher priority is ready. So the walk always
 * finds the end of a shorter chain, even if such SCs wake often. */
#define CHAIN_SURE 1024

/* Maximum number of SCs of cpu->woken that are put into the run queue between two interrupt
 * windows. */
#define WOKEN_STEP 16

void sched_insert(struct sc *sc, bool head)
{
        struct cpu *cpu = sc->cpu;

        assert(cpu == cpu_self() && sc->place == SC_READY && !sc->object.dead);
        run_queue_insert(&cpu->run_queue, sc, head);
        if (sc->prio > cpu->current_sc->prio)
                sched_decide(cpu);
}

/* Forgets the known first SC: the next decision looks it up in the rings. */
static cold_path void sched_forget_first(struct cpu *cpu)
{
        struct sc *first = cpu->run_queue.first;

        cpu->run_queue.first = NULL;
        if (first)
                sched_insert(first, true);
}

void sched_insert_later(struct cpu *cpu, struct list *sleepers, unsigned top)
{
        const struct sc *first = cpu->run_queue.first;

        if (list_is_empty(&cpu->woken) || top > cpu->woken_top)
                cpu->woken_top = (uint8_t)top;
        list_append_all(&cpu->woken, sleepers);
        if (first && top > first->prio)
                sched_forget_first(cpu);
        cpu->behind = true;
        if (top > cpu->current_sc->prio)
                sched_decide(cpu);
}

void sched_fall_behind(struct cpu *cpu)
{
        sched_forget_first(cpu);
        cpu->behind = true;
        sched_decide(cpu);
}

void sched_start(struct sc *sc)
{
        assert(sc->place == SC_NOWHERE);
        sc->place = SC_READY;
        sched_insert(sc, false);
}

void sched_remove(struct sc *sc)
{
        struct cpu *cpu = sc->cpu;

        assert(cpu == cpu_self() && sc->place == SC_READY);
        run_queue_remove(&cpu->run_queue, sc);
        cpu->pending &= (uint8_t)~CPU_PENDING_HAND_OVER; /* it may be meant for sc */
}

/* Binds sc, the current SC, to the current EC, unless sc has ended. */
static __attribute__((noinline)) void sched_bind_other(struct cpu *cpu, struct sc *sc)
{
        if (!sc->object.dead)
                sc_bind(sc, cpu->current);
}

static always_inline void sched_bind(struct cpu *cpu, struct sc *sc)
{
        if (unlikely(sc->ec != cpu->current))
                sched_bind_other(cpu, sc);
}

/* Binds sc, the current SC, to the current EC before sc leaves the CPU, unless it is bound. */
static always_inline void sched_bind_leaving(struct cpu *cpu, struct sc *sc)
{
        if (likely(!(cpu->special & SPECIAL_LENT)))
                sched_bind(cpu, sc);
        else
                cpu->special &= (uint8_t)~SPECIAL_LENT;
}

void sched_bind_current(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;

        if (cpu->special & SPECIAL_LENT || sc->object.dead)
                return;
        sched_bind(cpu, sc);
        cpu->special |= SPECIAL_LENT;
}

/* Returns sc to its owner, because ec, the EC to which sc is bound, runs now. From now on, sc runs
 * the EC at the end of its owner's chain of calls. */
static always_inline void sched_unbind(struct sc *sc, struct ec *ec)
{
        if (likely(ec == sc->owner))
                return;
        sc->ec = sc->owner;
        ec->donated = NULL;
}

/* Counts a charge. Other CPUs see the new count after all earlier stores and before all later
 * stores. */
static always_inline void sched_count_charge(struct cpu *cpu)
{
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        cpu->charges++;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Charges the slice to sc, the current SC, and begins the slice of next. */
static always_inline void sched_charge(struct cpu *cpu, struct sc *sc, struct sc *next)
{
        const uint64_t now = rdtsc();

        sched_count_charge(cpu);
        sc->used += now - cpu->slice_start;
        cpu->slice_start = now;
        cpu->current_sc = next;
        sched_count_charge(cpu);
}

/* Puts an SC that leaves the CPU into the run queue, unless it has ended or is the idle SC. */
static __attribute__((noinline)) void sched_requeue(struct cpu *cpu, struct sc *sc)
{
        assert(sc->object.dead || sc == cpu->idle_sc || sc->place == SC_READY);
        if (!sc->object.dead && sc != cpu->idle_sc)
                run_queue_insert(&cpu->run_queue, sc, !sc_refill(sc));
}

/* Returns true if a decision would choose an SC of a higher priority. */
static bool sched_has_higher(const struct cpu *cpu, unsigned prio)
{
        return run_queue_top(&cpu->run_queue) > prio ||
               (!list_is_empty(&cpu->woken) && cpu->woken_top > prio);
}

/* Lets interrupts in during a walk along a chain. Returns false if the walk must not continue: an
 * EC that it has passed has ended, or the next decision has to process ends of ECs. */
static bool sched_walk_window(struct cpu *cpu, uint32_t walk)
{
        interrupt_window(cpu);
        return cpu->walk == walk && !cpu_has_cuts(cpu);
}

struct ec *chain_end(struct ec *ec, const struct ec *self, unsigned prio)
{
        struct cpu *cpu = cpu_self();
        const uint32_t walk = ++cpu->walk;

        for (unsigned links = 0; ec != self; links++) {
                ec->walk = walk;
                if (links && links % CHAIN_STEP == 0 &&
                    (!sched_walk_window(cpu, walk) ||
                     (links >= CHAIN_SURE && sched_has_higher(cpu, prio))))
                        return NULL;
                struct ec *next = ec_callee(ec);
                if (!next) {
                        /* a helper whose callee became free has work of its own */
                        next = ec->helping;
                        if (!next || next->state == EC_REQUEST || next->state == EC_DEAD)
                                return ec;
                }
                ec = next;
        }
        return ec;
}

/* Adds sc to the SCs that sleep with ec. */
static void sched_sleep_with(struct ec *ec, struct sc *sc)
{
        const struct list *first = ec->sleepers.next;

        if (first != &ec->sleepers) {
                if (first->next == &ec->sleepers)
                        ec->sleepers_top = container_of(first, struct sc, link)->prio;
                if (sc->prio > ec->sleepers_top)
                        ec->sleepers_top = sc->prio;
        }
        sc->place = SC_SLEEPING;
        list_append(&ec->sleepers, &sc->link);
}

/* Returns the EC that an SC, just taken out of the run queue, can run. If the SC is bound to
 * another EC, it is lent to the returned EC. Returns NULL if the SC now sleeps with an EC, or has
 * ended. Also returns NULL if the walk along the chain was abandoned: in this case sc stays ready,
 * and its walk begins again later. */
static __attribute__((noinline)) struct ec *sched_runnable(struct cpu *cpu, struct sc *sc)
{
        assert(sc->cpu == cpu && sc->place == SC_READY);
        sc->place = SC_NOWHERE;
        if (sc->ec->state == EC_DEAD)
                sc->ec = sc->owner;

        struct ec *ec = sc->ec, *end = ec;
        if (ec->state == EC_REPLY)
                end = chain_end(ec, NULL, sc->prio);
        if (sc->object.dead)
                return NULL;
        if (!end) {
                sc->place = SC_READY;
                return NULL;
        }
        assert(sc->ec == ec); /* if an EC above ec had ended in a window, end would be NULL */
        if (end->state == EC_DEAD)
                return NULL;
        if (end->state == EC_READY) {
                sc->place = SC_READY;
                if (end != ec)
                        cpu->special |= SPECIAL_LENT;
                else
                        sched_unbind(sc, ec);
                return end;
        }
        sched_sleep_with(end, sc);
        return NULL;
}

/* Runs ec with the timer set to an earlier time, the end of the slice. */
static __attribute__((noinline)) _Noreturn void sched_dispatch_shorter(struct cpu *cpu,
                                                                       struct ec *ec, uint64_t end)
{
        timeout_advance(cpu, end);
        resume_ec(cpu, ec);
}

/* Runs ec on sc, the current SC, whose slice begins now. */
static always_inline _Noreturn void sched_dispatch(struct cpu *cpu, const struct sc *sc,
                                                   struct ec *ec)
{
        const uint64_t end = sc_slice_end(sc, cpu->slice_start);

        if (unlikely(timeout_is_late(cpu, end)))
                sched_dispatch_shorter(cpu, ec, end);
        resume_ec(cpu, ec);
}

/* Lets interrupts in before each decision, because the chosen EC may end at once. The next decision
 * then follows without user mode between the two. */
static always_inline void sched_begin_decision(struct cpu *cpu)
{
        interrupt_let_in();
        cpu->pending &= (uint8_t) ~(CPU_PENDING_RESCHEDULE | CPU_PENDING_HAND_OVER);
}

/* Receives mail again after all ends of ECs are processed: the CPU sends itself an interrupt if
 * mail came meanwhile. */
static void sched_let_mail_in(struct cpu *cpu)
{
        cpu->mail_waits = false;
        if (!cpu->mail_came)
                return;
        cpu->mail_came = false;
        ipi_send(cpu);
}

/* Does a step of processing ends of ECs. Calls do not change meanwhile, because no EC runs and mail
 * waits. */
static cold_path void sched_catch_up_with_ends(struct cpu *cpu)
{
        ec_cut_step(cpu);
        cpu->mail_waits = true;
        if (!cpu_has_cuts(cpu))
                sched_let_mail_in(cpu);
}

/* Puts up to WOKEN_STEP SCs of cpu->woken into the run queue. */
static void sched_catch_up_with_woken(struct cpu *cpu)
{
        for (unsigned i = 0; i < WOKEN_STEP && !list_is_empty(&cpu->woken); i++) {
                struct sc *sc = container_of(list_take(&cpu->woken), struct sc, link);
                sc->place = SC_READY;
                sched_requeue(cpu, sc);
        }
}

/* Does a step of the work that must precede the choice of the first SC in the queue. Returns false
 * if there was no such work. */
static cold_path bool sched_catch_up(struct cpu *cpu)
{
        const bool cuts = cpu_has_cuts(cpu), woken = !list_is_empty(&cpu->woken);

        cpu->behind = cuts || woken;
        if (cuts)
                sched_catch_up_with_ends(cpu);
        else if (woken && cpu->woken_top >= run_queue_top(&cpu->run_queue))
                sched_catch_up_with_woken(cpu);
        else
                return false;
        sched_begin_decision(cpu);
        return true;
}

/* Charges the time of a choice to sc, which was taken out of the run queue but runs no EC. Puts sc
 * back if it is ready. sc may have ended, but it is not freed before the next window. */
static cold_path void sched_put_back(struct cpu *cpu, struct sc *sc)
{
        sched_charge(cpu, sc, cpu->idle_sc);
        if (sc->place == SC_READY)
                sched_requeue(cpu, sc);
}

/* Runs the idle thread. A request for a grace period that came during this decision is answered
 * now: nothing wakes a halted CPU for it. */
static _Noreturn void sched_idle(struct cpu *cpu)
{
        answer_grace(cpu);
        resume_ec(cpu, cpu->idle_ec);
}

/* Runs the first SC of the queue that has an EC to run. */
static __attribute__((noinline)) _Noreturn void sched_resume_any(struct cpu *cpu)
{
        for (;;) {
                while (unlikely(cpu->behind) && sched_catch_up(cpu))
                        ;
                struct sc *sc = run_queue_take(&cpu->run_queue);
                if (unlikely(!sc))
                        sched_idle(cpu);
                struct ec *ec = sched_runnable(cpu, sc);
                if (likely(ec)) {
                        store_once(cpu->current_sc, sc);
                        sched_dispatch(cpu, sc, ec);
                }
                sched_put_back(cpu, sc);
                sched_begin_decision(cpu);
        }
}

/* Runs the first SC of the queue that has an EC to run. Usually run_queue.first is this SC. */
static _Noreturn void sched_resume_first(struct cpu *cpu)
{
        sched_begin_decision(cpu);

        struct sc *sc = cpu->run_queue.first;
        if (unlikely(!sc || sc->ec->state != EC_READY))
                sched_resume_any(cpu);
        struct ec *ec = sc->ec;
        cpu->run_queue.first = NULL;
        store_once(cpu->current_sc, sc);
        sched_unbind(sc, ec);
        sched_dispatch(cpu, sc, ec);
}

static __attribute__((noinline)) _Noreturn void sched_resume_first_after_work(struct cpu *cpu)
{
        if (!cpu_has_cuts(cpu))
                answer_grace(cpu);
        if (cpu->dying)
                object_reap();
        sched_resume_first(cpu);
}

/* Runs another SC after the previous SC was charged and queued. After this, no field of the CPU
 * refers to the previous EC and SC, so they may be freed. */
static always_inline _Noreturn void sched_resume_other(struct cpu *cpu)
{
        cpu->current = cpu->idle_ec;
        cpu->current_ended = false;
        if (unlikely(cpu->pending & CPU_PENDING_GRACE || cpu->dying))
                sched_resume_first_after_work(cpu);
        sched_resume_first(cpu);
}

_Noreturn void resume_next(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;

        sched_bind_leaving(cpu, sc);
        sched_charge(cpu, sc, cpu->idle_sc);
        sched_resume_other(cpu);
}

/* Completes a hand-over if the preempted SC, sc, has used up its quantum. */
static __attribute__((noinline)) _Noreturn void sched_hand_over_spent(struct cpu *cpu,
                                                                      struct sc *sc)
{
        struct sc *next = cpu->current_sc;
        struct ec *ec = next->ec;

        cpu->run_queue.first = NULL;
        sched_requeue(cpu, sc);
        sched_unbind(next, ec);
        sched_dispatch(cpu, next, ec);
}

/* Lets the first SC of the queue preempt sc, the current SC. sc stays before all other SCs of its
 * priority. Returns if more than a switch is necessary. Ends no object of the dying list: the next
 * decision without a hand-over does so. */
static always_inline void sched_hand_over(struct cpu *cpu, struct sc *sc)
{
        struct sc *next = cpu->run_queue.first;
        struct ec *ec = next->ec;

        if (unlikely(ec->state != EC_READY || cpu->special & SPECIAL_LENT ||
                     sc->ec != cpu->current))
                return;
        cpu->pending = 0;
        sched_charge(cpu, sc, next);
        cpu->run_queue.first = sc;
        if (unlikely(sc_is_spent(sc)))
                sched_hand_over_spent(cpu, sc);
        sched_unbind(next, ec);
        sched_dispatch(cpu, next, ec);
}

_Noreturn void resume_reschedule(struct cpu *cpu)
{
        struct sc *sc = cpu->current_sc;

        if (cpu->pending == (CPU_PENDING_RESCHEDULE | CPU_PENDING_HAND_OVER))
                sched_hand_over(cpu, sc);
        sched_bind_leaving(cpu, sc);
        sched_charge(cpu, sc, cpu->idle_sc);
        sched_requeue(cpu, sc);
        sched_resume_other(cpu);
}

_Noreturn void resume_bound(struct cpu *cpu, struct ec *caller)
{
        struct sc *sc = cpu->current_sc;
        const bool bound = cpu->special & SPECIAL_LENT;
        struct ec *ec = bound ? sc->ec : caller;

        if (unlikely(!ec)) {
                cpu->special |= SPECIAL_LENT; /* sc is bound to its owner */
                resume_reschedule(cpu);
        }
        if (unlikely(ec->state != EC_READY || sc->object.dead))
                resume_reschedule(cpu);
        if (bound) {
                sched_unbind(sc, ec);
                cpu->special &= (uint8_t)~SPECIAL_LENT;
        }
        resume_ec(cpu, ec);
}

_Noreturn void block_current(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct sc *sc = cpu->current_sc;

        assert(self->state != EC_READY && self->state != EC_DEAD);
        sched_bind_leaving(cpu, sc);
        if (likely(sc->place == SC_READY)) { /* sc has not ended */
                sc->place = SC_SLEEPING;
                assert(list_is_empty(&self->sleepers)); /* no SC sleeps with an EC that runs */
                list_set(&self->sleepers, &sc->link);
        }
        sched_charge(cpu, sc, cpu->idle_sc);
        sched_resume_other(cpu);
}

_Noreturn void block_current_with(struct ec *end)
{
        struct cpu *cpu = end->cpu;
        struct sc *sc = cpu->current_sc;

        sched_bind_leaving(cpu, sc);
        if (sc->place == SC_READY)
                sched_sleep_with(end, sc);
        resume_next(cpu);
}

indirect_target _Noreturn void block_shut_down(struct ec *self)
{
        while (!ec_end_scs(self)) /* no EC would run on these SCs any more */
                preemption_point(self, block_shut_down);
        if (self->ends_later)
                ec_end(self);
        else
                ec_shut_down(self);
        resume_reschedule(self->cpu);
}

indirect_target _Noreturn void block_handler_ended(struct ec *self)
{
        report_shut_down(self, REPORT_HANDLER_ENDED);
        block_shut_down(self);
}

void interrupt_window(struct cpu *cpu)
{
        cpu->no_quiescence = true;
        interrupt_let_in();
        cpu->no_quiescence = false;
}

void leave_if_ended(struct ec *self)
{
        if (unlikely(self->state != EC_READY))
                resume_reschedule(self->cpu);
}

/* Answers a request for a grace period that came in an earlier window of a long operation, while
 * the CPU held pointers. The answer must not wait: the rest of the operation may take long, and a
 * CPU that idles afterwards halts. */
static cold_path void sched_answer_late(struct cpu *cpu)
{
        if (cpu->pending & CPU_PENDING_GRACE && !cpu_holds_pointers(cpu))
                answer_grace(cpu);
}

/* Out of line, so that preemption_point() saves no registers. */
static cold_path __attribute__((noinline)) void sched_preempt(struct ec *self, continuation_t cont)
{
        struct cpu *cpu = self->cpu;

        sched_answer_late(cpu);
        if (!(cpu->pending & CPU_PENDING_RESCHEDULE) && self->state == EC_READY)
                return;
        self->cont = cont;
        resume_reschedule(cpu);
}

void preemption_point(struct ec *self, continuation_t cont)
{
        const struct cpu *cpu = self->cpu;

        interrupt_let_in();
        if (unlikely(cpu->pending & (CPU_PENDING_RESCHEDULE | CPU_PENDING_GRACE) ||
                     self->state != EC_READY))
                sched_preempt(self, cont);
}

indirect_target _Noreturn void resume_idle(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        for (;;) {
                while (cpu->dying && !(cpu->pending & CPU_PENDING_RESCHEDULE)) {
                        object_reap();
                        interrupt_let_in();
                        sched_answer_late(cpu);
                }
                if (cpu->pending & CPU_PENDING_RESCHEDULE)
                        resume_next(cpu);
                sti_hlt();
        }
}
