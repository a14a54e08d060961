// SPDX-License-Identifier: BSD-2-Clause
// 10,000 SCs that sleep with one thread, links of a chain of calls, helpers, and mails. The kernel
// handles a bounded number of them between two interrupt windows, and forgets none.
#include <gtest/gtest.h>

#include <algorithm>

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

constexpr unsigned MANY = 10000, FRAMES = 32768;

// Maximum numbers handled between two windows.
constexpr unsigned WOKEN = 16, HELPERS = 16, MAILS = 8, ENDS = 2, LINKS = 64;

unsigned length(const list *head)
{
        unsigned n = 0;
        for (const list *link = head->next; link != head; link = link->next)
                n++;
        return n;
}

void decide(ec *)
{
        sched_decide(cpu_self());
        resume_reschedule(cpu_self());
}

unsigned windows, most, last;

// Records the maximum number of entries that leave a list between two windows.
void count_woken()
{
        const unsigned now = length(&cpu_self()->woken);
        windows++;
        most = std::max(most, last - std::min(last, now));
        last = now;
}

void count_stranded()
{
        const unsigned now = length(&cpu_self()->stranded);
        windows++;
        most = std::max(most, last - std::min(last, now));
        last = now;
}

void count_windows()
{
        windows++;
}

struct Sleepers {
        World w{FRAMES};
        ec *self = w.thread("self", w.home, EC_GLOBAL), *with = w.thread("with", w.home, EC_GLOBAL);
        sc *on = w.context("self's", self);
        std::vector<sc *> scs;

        // Adds SCs that came into the queue, found the thread waiting, and sleep with it.
        void add(unsigned count, unsigned prio)
        {
                with->state = EC_BLOCKED;
                for (unsigned i = 0; i < count; i++) {
                        sc *made = w.context("sleeper", with, prio);
                        scs.push_back(made);
                        w.ready(made, false);
                }
                w.run(self, w.context("lowest", self, 1));
                EXPECT_EQ(fake_run_to_user(decide, self), self);
                cpu_self()->current_sc->place = SC_NOWHERE;
                w.run(self, on);
                EXPECT_EQ(length(&with->sleepers), scs.size());
        }

        void start_count()
        {
                windows = most = 0;
                last = length(&cpu_self()->woken);
                fake_window = count_woken;
        }
};

TEST(many, sleepers_come_into_the_queue_some_at_a_time)
{
        Sleepers s;
        s.add(MANY, PRIO + 1);
        sched_wake(s.with);
        EXPECT_TRUE(list_is_empty(&s.with->sleepers));
        EXPECT_EQ(length(&cpu_self()->woken), MANY);
        EXPECT_TRUE(cpu_self()->pending & CPU_PENDING_RESCHEDULE);
        s.start_count();
        EXPECT_EQ(fake_run_to_user(decide, s.self), s.with);
        EXPECT_LE(most, WOKEN);
        EXPECT_GE(windows, MANY / WOKEN);
        EXPECT_TRUE(list_is_empty(&cpu_self()->woken));
        for (const sc *one : s.scs)
                EXPECT_EQ(one->place, SC_READY);
}

TEST(many, sleepers_of_a_lower_priority_wait_until_it_is_due)
{
        Sleepers s;
        s.add(MANY, PRIO - 1);
        sched_wake(s.with);
        EXPECT_FALSE(cpu_self()->pending & CPU_PENDING_RESCHEDULE);
        s.start_count();
        EXPECT_EQ(fake_run_to_user(decide, s.self), s.self);
        EXPECT_EQ(most, 0u);
        EXPECT_EQ(length(&cpu_self()->woken), MANY);
        // One of the sleepers ends meanwhile.
        sc_end(s.scs[5000]);
        EXPECT_EQ(length(&cpu_self()->woken), MANY - 1);
        // No other EC can run.
        sc_end(s.on);
        EXPECT_EQ(fake_run_to_user(decide, s.self), s.with);
        EXPECT_LE(most, WOKEN);
        EXPECT_TRUE(list_is_empty(&cpu_self()->woken));
}

// The sleeper with the highest priority leaves; the recorded priority is then only an upper bound.
TEST(many, sleepers_have_the_highest_priority_of_all)
{
        for (const unsigned gone : {0u, 1u, 2u}) {
                Sleepers s;
                s.add(1, PRIO - 1);
                s.add(1, PRIO + 2);
                s.add(1, PRIO + 1);
                sc_end(s.scs[gone]);
                sched_wake(s.with);
                EXPECT_TRUE(cpu_self()->pending & CPU_PENDING_RESCHEDULE);
                EXPECT_EQ(fake_run_to_user(decide, s.self), s.with);
                EXPECT_EQ(cpu_self()->current_sc, s.scs[gone == 1 ? 2 : 1]);
        }
}

// The first SC of the queue is known; sleepers of higher priority come before it, others do not.
TEST(many, sleepers_come_before_the_first_if_their_priority_is_higher)
{
        for (const unsigned above : {0u, 1u, 2u}) {
                Sleepers s;
                s.add(20, PRIO + above);
                ec *other = s.w.thread("other", s.w.home, EC_GLOBAL);
                sc *others = s.w.context("other's", other, PRIO + 1);
                other->state = EC_BLOCKED;
                others->place = SC_SLEEPING;
                list_set(&other->sleepers, &others->link);
                sched_wake(other);
                EXPECT_EQ(cpu_self()->run_queue.first, others);
                sched_wake(s.with);
                EXPECT_EQ(fake_run_to_user([](ec *) { resume_reschedule(cpu_self()); }, s.self),
                          above == 2 ? s.with : other);
        }
}

struct Chain {
        World w{FRAMES};
        ec *top = w.thread("top", w.home, EC_GLOBAL);
        sc *tops = w.context("top's", top);
        std::vector<ec *> links;

        // Makes a chain of links, each of which has called the next one. The last link waits, with
        // the SC of the first.
        explicit Chain(unsigned count)
        {
                ec *caller = top;
                for (unsigned i = 0; i < count; i++) {
                        ec *callee = w.thread("link", w.home, EC_LOCAL);
                        set_caller(callee, caller);
                        links.push_back(callee);
                        caller = callee;
                }
                cpu_self()->current_sc = tops;
                tops->place = SC_READY;
                cpu_self()->current = caller;
                caller->state = EC_READY;
                fake_run(
                        [](ec *self) {
                                self->state = EC_BLOCKED;
                                block_current(self);
                        },
                        caller);
                EXPECT_EQ(tops->ec, caller);
                EXPECT_EQ(caller->donated, tops);
                windows = 0;
                fake_window = count_windows;
        }

        void expect_top_runs()
        {
                EXPECT_EQ(fake_run(decide, cpu_self()->current), top);
                EXPECT_EQ(cpu_self()->current_sc, tops);
                EXPECT_EQ(tops->ec, top);
                EXPECT_EQ(links.back()->donated, nullptr);
                EXPECT_FALSE(cpu_has_cuts(cpu_self()));
        }
};

TEST(many, links_are_gone_through_some_at_a_time)
{
        Chain c(MANY);
        ec_end(c.links[0]);
        EXPECT_EQ(c.tops->place, SC_SLEEPING);
        EXPECT_TRUE(cpu_has_cuts(cpu_self()));
        EXPECT_TRUE(cpu_self()->pending & CPU_PENDING_RESCHEDULE);
        c.expect_top_runs();
        EXPECT_GE(windows, MANY / LINKS);
}

// As long as a walk holds the links, nothing is freed that waits for a grace period.
TEST(many, links_are_not_freed_before_the_walk_has_ended)
{
        Chain c(200);
        ec_end(c.links[0]);
        reclaim_frame(frame_alloc());
        const Taken before = taken_now();
        EXPECT_FALSE(fake_free());
        EXPECT_EQ(taken_now(), before);
        c.expect_top_runs();
        fake_settle();
        EXPECT_EQ(taken_now().frames, before.frames - 1);
}

// Several links end before a decision can be made.
TEST(many, links_end_together)
{
        for (const std::vector<unsigned> &order : std::vector<std::vector<unsigned>>{{0, 1},
                                                                                     {1, 0},
                                                                                     {0, 70},
                                                                                     {70, 0},
                                                                                     {0, 150},
                                                                                     {150, 0},
                                                                                     {150, 70, 0},
                                                                                     {0, 70, 150},
                                                                                     {70, 0, 150},
                                                                                     {0, 299},
                                                                                     {299, 0},
                                                                                     {0, 298}}) {
                Chain c(300);
                for (const unsigned i : order)
                        ec_end(c.links[i]);
                EXPECT_EQ(fake_run(decide, cpu_self()->current), c.top);
                EXPECT_EQ(cpu_self()->current_sc, c.tops);
                EXPECT_EQ(c.tops->ec, c.top);
                EXPECT_FALSE(cpu_has_cuts(cpu_self()));
                EXPECT_FALSE(cpu_self()->mail_waits);
        }
}

// The owner ends, too: then no EC runs on its SC.
TEST(many, links_end_with_their_callers)
{
        for (const bool first : {false, true}) {
                Chain c(300);
                if (first)
                        ec_end(c.top);
                ec_end(c.links[0]);
                if (!first)
                        ec_end(c.top);
                EXPECT_EQ(fake_run(decide, cpu_self()->current), cpu_self()->idle_ec);
                EXPECT_EQ(c.tops->place, SC_NOWHERE);
                EXPECT_FALSE(cpu_has_cuts(cpu_self()));
        }
}

// Mail could end more links, and has to wait; then the interrupt is requested again.
ec *victim;

TEST(many, links_do_not_change_while_they_are_gone_through)
{
        Chain c(300);
        victim = c.links[200];
        ec_end(c.links[0]);
        fake_ipis = 0;
        fake_window = [] {
                if (!cpu_self()->mail_waits || !victim)
                        return;
                mail_send(cpu_self(), &victim->mail, MAIL_END);
                victim = nullptr;
                mail_interrupt(cpu_self());
        };
        c.expect_top_runs();
        EXPECT_EQ(victim, nullptr);
        EXPECT_NE(c.links[200]->state, EC_DEAD);
        EXPECT_EQ(fake_ipis, 2u);
        mail_interrupt(cpu_self());
        EXPECT_EQ(c.links[200]->state, EC_DEAD);
}

TEST(many, links_below_the_one_that_has_the_sc_work_for_its_owner_too)
{
        Chain chain(4);
        cpu *here = cpu_self();
        ec *helper = chain.w.thread("helper", chain.w.home, EC_GLOBAL);
        sc *helps = chain.w.context("helper's", helper), *tops = chain.tops;
        // The first link has the SC of the chain. The last link runs with the SC of the helper.
        ec_return_sc(chain.links.back(), chain.links.front());
        EXPECT_EQ(chain.links.front()->donated, tops);
        here->current = chain.links.back();
        here->current_sc = helps;
        here->special |= SPECIAL_LENT;
        sc_note_drop(tops);
        EXPECT_TRUE(tops->stays);
        here->current = helper;
        sc_note_drop(tops);
        EXPECT_FALSE(tops->stays);
        // Restores the state that the destructors need.
        ec_return_sc(chain.links.front(), chain.links.back());
        here->special &= static_cast<uint8_t>(~SPECIAL_LENT);
}

TEST(many, an_sc_that_ends_leaves_the_ec_to_which_it_is_bound)
{
        World w{FRAMES};
        ec *link = w.thread("link", w.home, EC_GLOBAL);
        sc *bound = nullptr;
        EXPECT_EQ(sc_create(&account_root, w.thread("owner", w.home, EC_GLOBAL), 1, 1000, &bound),
                  NOVA_SUCCESS);
        sc_bind(bound, link);
        EXPECT_EQ(link->donated, bound);
        object_put(&bound->object); // the owner waits for no reply: the SC ends
        fake_settle();
        EXPECT_EQ(link->donated, nullptr);
}

TEST(many, helpers_stop_some_at_a_time)
{
        World w(FRAMES);
        ec *self = w.thread("self", w.home, EC_GLOBAL),
           *callee = w.thread("callee", w.home, EC_LOCAL);
        std::vector<ec *> helpers;
        w.run(self, w.context("self's", self));
        callee->state = EC_BLOCKED;
        for (unsigned i = 0; i < MANY; i++) {
                helpers.push_back(w.thread("helper", w.home, EC_GLOBAL));
                ec_help(helpers.back(), callee);
        }
        ec_end(callee);
        EXPECT_EQ(length(&cpu_self()->stranded), MANY - HELPERS);
        // Some helpers end before they learn of the callee's end.
        ec_end(helpers[5000]);
        ec_stop_helping(helpers[6000]);
        EXPECT_EQ(length(&cpu_self()->stranded), MANY - HELPERS - 2);
        windows = most = 0;
        last = length(&cpu_self()->stranded);
        fake_window = count_stranded;
        EXPECT_EQ(fake_run(decide, self), self);
        EXPECT_LE(most, HELPERS);
        EXPECT_GE(windows, MANY / HELPERS - 1);
        for (const ec *one : helpers)
                EXPECT_EQ(one->helping, nullptr);
        EXPECT_FALSE(cpu_has_cuts(cpu_self()));
}

struct Mails {
        World w{FRAMES};
        std::vector<ec *> ecs;
        std::vector<sc *> scs;

        Mails()
        {
                ec *self = w.thread("self", w.home, EC_GLOBAL);
                w.run(self, w.context("self's", self));
                for (unsigned i = 0; i < MANY; i++) {
                        ecs.push_back(w.thread("blocked", w.home, EC_GLOBAL));
                        ecs.back()->state = EC_BLOCKED;
                        mail_send(cpu_self(), &ecs.back()->mail, MAIL_WAKE);
                }
                fake_ipis = 0;
        }

        ~Mails()
        {
                while (received() < MANY - 1)
                        mail_interrupt(cpu_self());
                mail_interrupt(cpu_self());
        }

        unsigned received() const
        {
                return unsigned(std::count_if(ecs.begin(), ecs.end(),
                                              [](ec *one) { return one->state != EC_BLOCKED; }));
        }
};

TEST(many, mails_are_received_some_at_a_time)
{
        Mails m;
        for (unsigned done = 0; done < MANY;) {
                const unsigned ipis = fake_ipis;
                mail_interrupt(cpu_self());
                const unsigned now = m.received();
                ASSERT_GT(now, done);
                ASSERT_LE(now, done + MAILS);
                // One more interrupt comes as long as mails are left.
                ASSERT_EQ(fake_ipis - ipis, now < MANY ? 1u : 0u);
                done = now;
        }
        for (const ec *one : m.ecs)
                EXPECT_EQ(one->mail.work, 0u);
}

// New work for an EC that has left the mailbox, but whose mail has not been received, is merged.
TEST(many, mails_that_wait_take_further_work)
{
        Mails m;
        mail_interrupt(cpu_self());
        mail_send(cpu_self(), &m.ecs[17]->mail, MAIL_END);
        while (m.ecs[17]->mail.work)
                mail_interrupt(cpu_self());
        EXPECT_EQ(m.ecs[17]->state, EC_DEAD);
}

TEST(many, mails_are_received_while_a_cpu_waits_but_not_without_end)
{
        Mails m;
        unsigned mails = MAIL_STEP;
        for (unsigned i = 0; i < 10; i++)
                cpu_wait(&mails);
        EXPECT_EQ(m.received(), MAILS);
        EXPECT_EQ(fake_ipis, 1u);
        // With windows, mails are received without a limit.
        for (unsigned i = 0; i < 10; i++)
                cpu_wait_openly();
        EXPECT_EQ(m.received(), 11 * MAILS);
}

// Threads whose ends take the most work: a chain below, helpers, SCs without capabilities.
struct Ends {
        static constexpr unsigned COUNT = 8, BELOW = 70, HELPING = 40, KEPT = 40;
        World w{FRAMES};
        std::vector<ec *> ecs;

        Ends()
        {
                for (unsigned i = 0; i < COUNT; i++)
                        add();
                ec *self = w.thread("self", w.home, EC_GLOBAL);
                w.run(self, w.context("self's", self));
        }

        void add()
        {
                ec *one = w.thread("one", w.home, EC_GLOBAL), *caller = one;
                for (unsigned i = 0; i < BELOW; i++) {
                        ec *callee = w.thread("link", w.home, EC_LOCAL);
                        set_caller(callee, caller);
                        caller = callee;
                }
                caller->state = EC_BLOCKED;
                for (unsigned i = 0; i < HELPING; i++)
                        ec_help(w.thread("helper", w.home, EC_GLOBAL), one);
                for (unsigned i = 0; i < KEPT; i++) {
                        sc *kept = nullptr;
                        EXPECT_EQ(sc_create(&account_root, one, PRIO, 1000, &kept), NOVA_SUCCESS);
                        kept->stays = true;
                        w.ready(kept, false);
                        cpu_self()->in_mail = true; // keeps the value of stays
                        object_put(&kept->object);
                        cpu_self()->in_mail = false;
                }
                while (cpu_self()->dying)
                        object_reap();
                ecs.push_back(one);
        }

        // Requests the end of each thread, as another CPU does, which waits for each step.
        void request()
        {
                for (ec *one : ecs)
                        if (!one->object.dead && !one->mail.work)
                                mail_send(cpu_self(), &one->mail, MAIL_END);
        }

        unsigned waiting() const
        {
                return unsigned(std::count_if(ecs.begin(), ecs.end(),
                                              [](ec *one) { return one->mail.work != 0; }));
        }

        bool all_ended() const
        {
                return std::all_of(ecs.begin(), ecs.end(),
                                   [](ec *one) { return one->object.dead; });
        }
};

TEST(many, mails_that_end_threads_are_received_two_at_a_time)
{
        Ends e;
        e.request();
        EXPECT_EQ(e.waiting(), Ends::COUNT);
        for (unsigned rounds = 0; !e.all_ended(); rounds++) {
                ASSERT_LT(rounds, 10 * Ends::COUNT);
                const unsigned before = e.waiting(), ipis = fake_ipis;
                mail_interrupt(cpu_self());
                ASSERT_LE(before - e.waiting(), ENDS);
                ASSERT_GT(before, e.waiting());
                EXPECT_TRUE(!e.waiting() || fake_ipis > ipis);
                e.request();
        }
        EXPECT_EQ(e.waiting(), 0u);
        while (cpu_has_cuts(cpu_self()))
                ec_cut_step(cpu_self());
}

// Mails that wake threads do not raise the bound for mails that end threads.
TEST(many, mails_of_both_kinds_are_received_within_the_same_bound)
{
        Ends e;
        std::vector<ec *> woken;
        for (unsigned i = 0; i < 4 * MAILS; i++) {
                woken.push_back(e.w.thread("woken", e.w.home, EC_GLOBAL));
                woken.back()->state = EC_BLOCKED;
                mail_send(cpu_self(), &woken.back()->mail, MAIL_WAKE);
                if (i < Ends::COUNT)
                        mail_send(cpu_self(), &e.ecs[i]->mail, MAIL_END);
        }
        const auto left = [&] {
                return unsigned(std::count_if(woken.begin(), woken.end(),
                                              [](ec *one) { return one->state == EC_BLOCKED; }));
        };
        while (e.waiting() || left()) {
                const unsigned ends = e.waiting(), wakes = left();
                mail_interrupt(cpu_self());
                ASSERT_LE(ends - e.waiting(), ENDS);
                ASSERT_LE(ends - e.waiting() + wakes - left(), MAILS);
                ASSERT_GT(ends + wakes, e.waiting() + left());
        }
        while (!e.all_ended()) {
                e.request();
                mail_interrupt(cpu_self());
        }
        while (cpu_has_cuts(cpu_self()))
                ec_cut_step(cpu_self());
}

} // namespace
