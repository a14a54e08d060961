// SPDX-License-Identifier: BSD-2-Clause
// Walks along chains of calls, and what happens in their windows: a thread ends, or a thread of
// higher priority wakes.
#include <gtest/gtest.h>

#include <functional>

#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "memory/frame.h"
#include "object/reclaim.h"
#include "sched/mail.h"
#include "sched/wake.h"
}

namespace
{

// LINKS, LONG: numbers of links of a chain. SURE: number of links after which a walk gives way.
// STEP: number of links between two windows.
constexpr unsigned LINKS = 300, LONG = 1500, SURE = 1024, STEP = 64, FRAMES = 16384;
constexpr word_t SEL_PT = 0x20;
constexpr uint64_t WINDOW_TICKS = 1000;

// The number of windows of walks so far, the number of the window in which in_first_window is
// called, and the time that each window takes. (A call that finds its callee busy opens a window
// before its walk.)
unsigned windows, first_window;
std::function<void()> in_first_window;
uint64_t ticks;

void count_windows()
{
        if (!cpu_self()->no_quiescence)
                return;
        fake_tsc += ticks;
        if (++windows == first_window)
                in_first_window();
}

void choose(ec *)
{
        resume_next(cpu_self());
}

void enter_call(ec *self)
{
        REG_P1(self) = nova_hypercall_id(NOVA_CALL, 0, SEL_PT);
        self->utcb->items = 0;
        fake_enter(self);
}

// `top` has called the first link, each link has called the next one, and the last one waits.
struct Chain {
        World w{FRAMES};
        ec *top = w.thread("top", w.home, EC_GLOBAL);
        std::vector<ec *> links;
        cpu *here = cpu_self();

        explicit Chain(unsigned count = LINKS)
        {
                ec *caller = top;
                for (unsigned i = 0; i < count; i++) {
                        links.push_back(w.thread("link", w.home, EC_LOCAL));
                        set_caller(links[i], caller);
                        caller = links[i];
                }
                caller->state = EC_BLOCKED;
                windows = 0;
                first_window = 1;
                ticks = 0;
                in_first_window = [] {};
                fake_window = count_windows;
        }

        // Ends a link, as another CPU does by a mail.
        static void end(ec *link)
        {
                mail_send(cpu_self(), &link->mail, MAIL_END);
                mail_interrupt(cpu_self());
                EXPECT_EQ(link->state, EC_DEAD);
        }

        // Adds an SC of a thread that sleeps until it is woken.
        sc *sleeper(const char *name, unsigned prio)
        {
                ec *owner = w.thread(name, w.home, EC_GLOBAL);
                sc *made = w.context(name, owner, prio);
                owner->cont = resume_success;
                owner->state = EC_BLOCKED;
                made->place = SC_SLEEPING;
                list_set(&owner->sleepers, &made->link);
                return made;
        }

        // Adds an SC whose thread waits for a reply: it helps the end of the chain.
        sc *helping(ec *owner, unsigned prio = PRIO)
        {
                sc *made = w.context("helping", owner, prio);
                w.ready(made, false);
                return made;
        }

        // Adds a thread that is about to call the first link, and runs.
        ec *caller(unsigned prio = PRIO)
        {
                ec *made = w.thread("caller", w.home, EC_GLOBAL);
                w.portal(SEL_PT, links[0], 0x5000);
                w.run(made, w.context("caller's", made, prio));
                first_window = 2;
                return made;
        }

        // Makes decisions until a thread returns to user mode.
        ec *decide() const
        {
                here->current = here->idle_ec;
                here->current_sc = here->idle_sc;
                return fake_run_to_user(choose, here->idle_ec);
        }

        // Removes the functions of the test, so that no later window calls them.
        ~Chain()
        {
                fake_window = nullptr;
                in_first_window = nullptr;
        }
};

TEST(chain, an_sc_does_not_sleep_in_a_part_that_was_cut_off_during_its_walk)
{
        for (const unsigned i : {0u, 1u, 10u, 40u, 62u, 63u, 64u, 65u, 80u}) {
                // The rest of a chain of 100 is so short that no decision has to follow it.
                Chain c(i % 2 ? LINKS : 100);
                const sc *helps = c.helping(c.top);
                in_first_window = [&] { c.end(c.links[i]); };
                EXPECT_EQ(c.decide(), i ? c.links[i - 1] : c.top) << i;
                EXPECT_EQ(c.here->current_sc, helps);
        }
}

// The walk has reached a receiver when its sender ends: the receiver waits for requests again, and
// the thread that helps it has work of its own.
TEST(chain, an_sc_does_not_sleep_with_a_receiver_whose_sender_ends_during_its_walk)
{
        for (const unsigned i : {62u, 63u, 64u}) {
                Chain c(i + 1);
                ec *helper = c.links[i - 1], *receiver = c.links[i];
                ec *sender = c.w.thread("sender", c.w.home, EC_GLOBAL);
                helper->callee = nullptr;
                helper->state = EC_READY;
                helper->cont = resume_success;
                ec_forget_caller(receiver);
                helper->helping = receiver;
                list_append(&receiver->helpers, &helper->help_link);
                set_caller(receiver, sender);
                receiver->callee = sender;
                receiver->state = EC_REPLY;
                sender->transfer.aborted = false;
                sender->transfer.to = receiver;
                sender->state = EC_BLOCKED;
                sender->callee = nullptr;
                const sc *helps = c.helping(c.top);
                in_first_window = [&] { c.end(sender); };
                EXPECT_EQ(c.decide(), helper) << i;
                EXPECT_EQ(c.here->current_sc, helps);
        }
}

TEST(chain, a_caller_does_not_sleep_in_a_part_that_was_cut_off_during_its_walk)
{
        for (const unsigned i : {1u, 10u, 40u, 62u, 63u, 64u, 65u, 80u}) {
                Chain c(i % 2 ? LINKS : 100);
                ec *caller = c.caller();
                const sc *callers = c.here->current_sc;
                in_first_window = [&] { c.end(c.links[i]); };
                EXPECT_EQ(fake_run_to_user(enter_call, caller), c.links[i - 1]) << i;
                EXPECT_EQ(c.here->current_sc, callers);
                EXPECT_EQ(caller->helping, c.links[0]);
        }
}

// The walk begins at the EC to which the SC is bound. An EC above this one ends, so the caller of
// the EC that ended runs on the SC.
TEST(chain, an_sc_that_returns_to_a_caller_during_its_walk_runs_the_caller)
{
        Chain c;
        sc *tops = c.helping(c.top);
        sc_bind(tops, c.links[50]);
        in_first_window = [&] { c.end(c.links[40]); };
        EXPECT_EQ(c.decide(), c.links[39]);
        EXPECT_EQ(c.here->current_sc, tops);
        EXPECT_EQ(c.links[50]->donated, nullptr);
}

// The caller runs on the SC of a helper, and loses this SC during its walk.
TEST(chain, an_sc_that_is_lent_to_a_caller_returns_to_its_helper)
{
        Chain c;
        ec *caller = c.caller(), *server = c.w.thread("server", c.w.home, EC_LOCAL),
           *helper = c.w.thread("helper", c.w.home, EC_GLOBAL);
        sc *helpers = c.w.context("helper's", helper);
        set_caller(server, helper);
        set_caller(caller, server);
        ec *lends = c.w.thread("lends", c.w.home, EC_GLOBAL);
        sc *lent = c.w.context("lent", lends);
        ec_help(lends, server);
        c.here->current_sc->place = SC_NOWHERE;
        c.w.run(caller, lent);
        c.here->special |= SPECIAL_LENT;
        in_first_window = [&] { c.end(server); };
        EXPECT_EQ(fake_run_to_user(enter_call, caller), lends);
        EXPECT_EQ(c.here->current_sc, lent);
        EXPECT_EQ(helper->state, EC_READY);
        EXPECT_EQ(helpers->place, SC_NOWHERE);
}

TEST(chain, a_long_walk_gives_way_to_a_higher_priority)
{
        Chain c(LONG);
        sc *low = c.helping(c.top, 2), *high = c.sleeper("high", 100);
        in_first_window = [&] { sched_wake(high->owner); };
        EXPECT_EQ(c.decide(), high->owner);
        EXPECT_EQ(c.here->current_sc, high);
        EXPECT_EQ(windows, SURE / STEP);
        // When that SC has gone, the walk begins again.
        EXPECT_EQ(low->place, SC_READY);
        high->place = SC_NOWHERE;
        EXPECT_EQ(c.decide(), c.here->idle_ec);
        EXPECT_EQ(low->place, SC_SLEEPING);
        EXPECT_EQ(windows, SURE / STEP + LONG / STEP);
}

TEST(chain, a_long_walk_gives_way_to_several_of_a_higher_priority_that_wake_together)
{
        Chain c(LONG);
        c.helping(c.top, 2);
        sc *high = c.sleeper("high", 100), *more = c.w.context("more", high->owner, 101);
        more->place = SC_SLEEPING;
        list_append(&high->owner->sleepers, &more->link);
        high->owner->sleepers_top = 101;
        in_first_window = [&] { sched_wake(high->owner); };
        EXPECT_EQ(c.decide(), high->owner);
        EXPECT_EQ(c.here->current_sc, more);
        EXPECT_EQ(windows, SURE / STEP);
}

TEST(chain, a_long_walk_of_a_call_gives_way_to_a_higher_priority)
{
        Chain c(LONG);
        ec *caller = c.caller(2);
        const sc *callers = c.here->current_sc;
        sc *high = c.sleeper("high", 100);
        in_first_window = [&] { sched_wake(high->owner); };
        EXPECT_EQ(fake_run_to_user(enter_call, caller), high->owner);
        EXPECT_EQ(windows, 1 + SURE / STEP);
        EXPECT_EQ(callers->place, SC_READY);
        EXPECT_EQ(caller->state, EC_READY);
        EXPECT_EQ(caller->helping, nullptr);
}

// The end is found even if threads of higher priority wake often.
TEST(chain, a_walk_of_a_shorter_chain_reaches_its_end)
{
        Chain c(SURE - 1);
        const sc *low = c.helping(c.top, 2), *high = c.sleeper("high", 100);
        in_first_window = [&] { sched_wake(high->owner); };
        EXPECT_EQ(c.decide(), high->owner);
        EXPECT_EQ(low->place, SC_SLEEPING);
}

// An SC of the same priority waits for its turn, as for any other work.
TEST(chain, a_walk_does_not_give_way_to_its_own_priority)
{
        Chain c(LONG);
        c.links.back()->state = EC_READY;
        const sc *helps = c.helping(c.top);
        sc *equal = c.sleeper("equal", PRIO);
        in_first_window = [&] { sched_wake(equal->owner); };
        EXPECT_EQ(c.decide(), c.links.back());
        EXPECT_EQ(c.here->current_sc, helps);
        EXPECT_EQ(windows, LONG / STEP);
}

// An end elsewhere does not matter to a walk.
TEST(chain, a_walk_continues_after_the_end_of_a_thread_that_it_has_not_passed)
{
        Chain c;
        const sc *helps = c.helping(c.top);
        ec *other = c.w.thread("other", c.w.home, EC_LOCAL);
        set_caller(other, c.w.thread("others", c.w.home, EC_GLOBAL));
        in_first_window = [&] { c.end(other); };
        EXPECT_EQ(c.decide(), c.here->idle_ec);
        EXPECT_EQ(windows, LINKS / STEP);
        EXPECT_EQ(helps->place, SC_SLEEPING);
}

// The decision has to stop the helpers of the ended thread first.
TEST(chain, a_walk_begins_again_after_ends_that_a_decision_must_process)
{
        Chain c;
        const sc *helps = c.helping(c.top);
        ec *other = c.w.thread("other", c.w.home, EC_LOCAL);
        other->state = EC_BLOCKED;
        for (unsigned i = 0; i < STEP; i++)
                ec_help(c.w.thread("helper", c.w.home, EC_GLOBAL), other);
        in_first_window = [&] { c.end(other); };
        EXPECT_EQ(c.decide(), c.here->idle_ec);
        EXPECT_EQ(windows, 1 + LINKS / STEP);
        EXPECT_EQ(helps->place, SC_SLEEPING);
}

// ---- Requests to be quiescent that come while a decision holds pointers

uint32_t before; // the grace period before the one that a test begins

// Begins a grace period, and takes its interrupt in the window of a decision.
void begin_period()
{
        struct cpu *cpu = cpu_self();
        const unsigned ipis = fake_ipis;

        before = cpu->grace_seen;
        while (fake_ipis == ipis)
                reclaim_frame(frame_alloc());
        EXPECT_TRUE(cpu_holds_pointers(cpu));
        cpu->pending |= CPU_PENDING_GRACE; // as interrupt_ipi()
}

void expect_answered()
{
        EXPECT_EQ(cpu_self()->pending & CPU_PENDING_GRACE, 0);
        EXPECT_EQ(cpu_self()->grace_seen, before + 1);
}

TEST(chain, a_cpu_that_idles_after_a_walk_has_answered_a_grace_period)
{
        Chain c;
        reclaim_quiescent(c.here); // so that the CPU has answered the periods of earlier tests
        c.helping(c.top);
        in_first_window = begin_period;
        EXPECT_EQ(c.decide(), c.here->idle_ec);
        EXPECT_EQ(windows, LINKS / STEP);
        expect_answered();
}

// The request comes with the mail that ends a thread, when the CPU idles. The decision that follows
// must first stop the helpers of that thread.
TEST(chain, a_cpu_that_idles_after_ends_has_answered_a_grace_period)
{
        Chain c;
        reclaim_quiescent(c.here); // so that the CPU has answered the periods of earlier tests
        ec *other = c.w.thread("other", c.w.home, EC_LOCAL);
        other->state = EC_BLOCKED;
        for (unsigned i = 0; i < STEP; i++)
                ec_help(c.w.thread("helper", c.w.home, EC_GLOBAL), other);
        c.end(other);
        begin_period();
        EXPECT_EQ(c.decide(), c.here->idle_ec);
        expect_answered();
}

// A thread that runs answers when it leaves the kernel.
TEST(chain, a_thread_that_runs_after_a_walk_answers_a_grace_period)
{
        Chain c;
        reclaim_quiescent(c.here); // so that the CPU has answered the periods of earlier tests
        c.links.back()->state = EC_READY;
        c.helping(c.top);
        in_first_window = begin_period;
        EXPECT_EQ(c.decide(), c.links.back());
        expect_answered();
}

// The request comes while the CPU holds pointers, in a step of a long operation or of an end that
// the idle thread does.
void begin_period_in_step()
{
        struct cpu *cpu = cpu_self();

        reclaim_quiescent(cpu); // has seen the periods of earlier tests
        cpu->no_quiescence = true;
        begin_period();
        cpu->no_quiescence = false;
}

TEST(chain, a_long_operation_answers_a_grace_period_at_its_next_preemption_point)
{
        Chain c;
        ec *self = c.w.thread("self", c.w.home, EC_GLOBAL);
        c.w.run(self, c.w.context("self's", self));
        begin_period_in_step();
        c.here->current_ended = true;
        preemption_point(self, nullptr);
        EXPECT_EQ(c.here->grace_seen, before);
        c.here->current_ended = false;
        preemption_point(self, nullptr);
        expect_answered();
}

TEST(chain, the_idle_thread_answers_a_grace_period_before_it_halts)
{
        Chain c;
        sm *one = nullptr;
        EXPECT_EQ(sm_create(&account_root, 0, &one), NOVA_SUCCESS);
        begin_period_in_step();
        object_put(&one->object);
        EXPECT_EQ(fake_run_to_user(resume_idle, c.here->idle_ec), c.here->idle_ec);
        EXPECT_EQ(c.here->dying, nullptr);
        expect_answered();
}

// ---- Time

TEST(chain, an_sc_pays_for_its_walk_also_if_it_then_sleeps)
{
        Chain c;
        const sc *helps = c.helping(c.top);
        ec *other = c.w.thread("other", c.w.home, EC_GLOBAL);
        const sc *others = c.helping(other, PRIO - 1);
        ticks = WINDOW_TICKS;
        EXPECT_EQ(c.decide(), other);
        EXPECT_EQ(helps->place, SC_SLEEPING);
        EXPECT_EQ(helps->used, LINKS / STEP * WINDOW_TICKS);
        EXPECT_EQ(others->used, 0u);
        EXPECT_EQ(c.here->slice_start, fake_tsc);
}

// The time of a walk that is stopped counts, too. Its SC keeps its place until its quantum is used
// up.
TEST(chain, an_sc_whose_quantum_ends_in_a_stopped_walk_comes_after_its_equals)
{
        for (const bool spent : {false, true}) {
                Chain c(LONG);
                c.links.back()->state = EC_READY;
                sc *helps = c.helping(c.top), *high = c.sleeper("high", PRIO + 1);
                ec *equal = c.w.thread("equal", c.w.home, EC_GLOBAL);
                sc *equals = c.helping(equal);
                ticks = spent ? helps->quantum : WINDOW_TICKS;
                in_first_window = [&] {
                        sched_wake(high->owner);
                        ticks = 0;
                };
                EXPECT_EQ(c.decide(), high->owner);
                EXPECT_EQ(helps->used, spent ? helps->quantum : WINDOW_TICKS);
                high->place = SC_NOWHERE;
                EXPECT_EQ(c.decide(), spent ? equal : c.links.back());
                EXPECT_EQ(c.here->current_sc, spent ? equals : helps);
        }
}

} // namespace
