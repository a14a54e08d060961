/* SPDX-License-Identifier: BSD-2-Clause */
/* Waking and mail (see wake.h, mail.h). */
#include "sched/wake.h"

#include "arch/x86/insn.h"
#include "arch/x86/ipi.h"
#include "arch/x86/tlb.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "object/ec.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "sched/timeout.h"

/* Makes a sleeping SC of this CPU ready. */
static __attribute__((noinline)) void wake_sc(struct sc *sc)
{
        const bool spent = sc_refill(sc);

        assert(sc->place == SC_SLEEPING);
        sc->place = SC_READY;
        sched_insert(sc, !spent);
}

/* Returns true if the woken SC runs before all SCs in the queue. A comparison with the current SC
 * is enough: no SC in the queue has a higher priority than the current SC, unless a decision is
 * pending, or is being made with the idle SC as the current SC. */
static always_inline bool wake_comes_first(const struct cpu *cpu, const struct sc *sc,
                                           unsigned current)
{
        const bool not_below = sc->prio > current - 1; /* false for 0, which the idle SC has */

        return not_below && !sc_is_spent(sc) && !cpu->run_queue.first &&
               !(cpu->pending & CPU_PENDING_RESCHEDULE);
}

/* Wakes the sleepers of ec in the unusual cases: no sleeper, one sleeper that does not run first,
 * or several sleepers. Several sleepers enter the queue at the first decision that could choose one
 * of them. */
static __attribute__((noinline)) void wake_slowly(struct ec *ec)
{
        struct list *first = ec->sleepers.next;

        if (first == &ec->sleepers)
                return;
        if (first->next == &ec->sleepers) {
                list_init(&ec->sleepers);
                wake_sc(container_of(first, struct sc, link));
        } else {
                sched_insert_later(ec->cpu, &ec->sleepers, ec->sleepers_top);
        }
}

void sched_wake_sleepers(struct ec *ec)
{
        struct list *first = ec->sleepers.next;
        struct sc *sc = container_of(first, struct sc, link);
        struct cpu *cpu = ec->cpu;
        const unsigned current = cpu->current_sc->prio;

        /* Usually exactly one SC sleeps with ec. */
        if (unlikely(first->next != &ec->sleepers || first == &ec->sleepers ||
                     !wake_comes_first(cpu, sc, current))) {
                wake_slowly(ec);
                return;
        }
        assert(sc->place == SC_SLEEPING);
        list_init(&ec->sleepers);
        sc->place = SC_READY;
        cpu->run_queue.first = sc;
        if (sc->prio > current)
                cpu->pending |= CPU_PENDING_RESCHEDULE | CPU_PENDING_HAND_OVER;
}

/* Makes an EC of this CPU ready, unless it has ended meanwhile. */
static void wake_here(struct ec *ec)
{
        assert(ec->cpu == cpu_self());
        if (ec->state != EC_BLOCKED)
                return;
        if (unlikely(ec->timeout.key))
                timeout_stop(ec);
        ec->state = EC_READY;
        sched_wake_sleepers(ec);
}

void sched_wake(struct ec *ec)
{
        if (ec->cpu == cpu_self())
                wake_here(ec);
        else
                mail_send(ec->cpu, &ec->mail, MAIL_WAKE);
}

void mail_send(struct cpu *cpu, struct mail *mail, uint32_t work)
{
        if (atomic_fetch_or_u32(&mail->work, work))
                return; /* sent already */

        struct mail *first = load_once(cpu->mail);
        do
                mail->next = first;
        while (!__atomic_compare_exchange_n(&cpu->mail, &first, mail, false, __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST));
        ipi_send(cpu);
}

static void wake_ec_mail(struct ec *ec, uint32_t work)
{
        if (work & MAIL_WAKE)
                wake_here(ec);
        if (work & MAIL_DROP)
                ec_drop(ec);
        if (work & MAIL_END)
                ec_end(ec);
        /* A recall needs nothing here: the IPI has brought the EC into the kernel. */
}

static void wake_sc_mail(struct sc *sc, uint32_t work)
{
        if (work & MAIL_WAKE && !sc->object.dead)
                sched_start(sc);
        if (work & MAIL_DROP)
                sc_drop(sc);
}

/* Does the work of a mail. Returns the cost of this work, as a number of mails. */
static unsigned wake_receive_one(struct mail *mail)
{
        uint32_t work = atomic_load_u32(&mail->work), done = 0;

        assert(work);
        do {
                if (mail->about == OBJECT_EC)
                        wake_ec_mail(container_of(mail, struct ec, mail), work & ~done);
                else
                        wake_sc_mail(container_of(mail, struct sc, mail), work & ~done);
                done |= work;
                /* Until work is 0, no CPU frees the object or sends the mail again. */
        } while (!__atomic_compare_exchange_n(&mail->work, &work, 0, false, __ATOMIC_SEQ_CST,
                                              __ATOMIC_SEQ_CST));
        return done & (MAIL_END | MAIL_DROP) ? MAIL_END_COUNT : 1;
}

static bool wake_has_mail(const struct cpu *cpu)
{
        return cpu->mail_rest || load_once(cpu->mail);
}

unsigned mail_receive(struct cpu *cpu, unsigned most)
{
        assert(!cpu->in_mail && cpu == cpu_self());
        cpu->in_mail = true;
        while (most && wake_has_mail(cpu)) {
                if (!cpu->mail_rest)
                        cpu->mail_rest = __atomic_exchange_n(&cpu->mail, NULL, __ATOMIC_SEQ_CST);
                struct mail *const first = cpu->mail_rest;
                cpu->mail_rest = first->next;
                most -= (unsigned)min_word(most, wake_receive_one(first));
        }
        cpu->in_mail = false;
        if (!most && wake_has_mail(cpu))
                ipi_send(cpu);
        return most;
}

void mail_interrupt(struct cpu *cpu)
{
        if (unlikely(cpu->mail_waits))
                cpu->mail_came = true;
        else
                mail_receive(cpu, MAIL_STEP);
}

void cpu_current_ended(struct cpu *cpu)
{
        cpu->current_ended = true;
        sched_decide(cpu);
}

void cpu_wait(unsigned *mails)
{
        struct cpu *cpu = cpu_self();

        assert_no_lock();
        flush_answer(cpu);
        if (*mails && wake_has_mail(cpu) && !cpu->in_mail) /* another CPU may be waiting for this
                                                            * one */
                *mails = mail_receive(cpu, *mails);
        pause();
}

cold_path void cpu_wait_openly(void)
{
        unsigned mails = MAIL_STEP;

        cpu_wait(&mails);
        interrupt_window(cpu_self());
}
