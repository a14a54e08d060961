// SPDX-License-Identifier: BSD-2-Clause
// Semaphores, wake-ups and the switch to a woken thread: the fast paths do exactly what the general
// ones do.
#include <gtest/gtest.h>

#include "ways.h"

namespace
{

constexpr word_t SEL_SM = 0x30;

enum Operation { UP, DOWN, ZERO, PAST, FUTURE, OPERATIONS };

struct Input {
        unsigned operation, waiters, count;
        int above; // the waiters' priority above that of the running thread
        bool first, spent, slept_spent;
        bool lent; // the waiters run on the SCs of their callers
        bool due;  // a decision is pending, for an SC of a higher priority than all
};

std::ostream &operator<<(std::ostream &out, const Input &one)
{
        return out << "operation " << one.operation << ", waiters " << one.waiters << ", count "
                   << one.count << ", above " << one.above << ", first " << one.first << ", spent "
                   << one.spent << one.slept_spent << ", lent " << one.lent << ", due " << one.due;
}

void set_call(ec *self, unsigned operation)
{
        const unsigned flags[OPERATIONS] = {
                NOVA_SM_UP_OP, NOVA_SM_DN_OP, NOVA_SM_DN_OP | NOVA_SM_ZC,
                NOVA_SM_DN_OP | NOVA_SM_TIMEOUT, NOVA_SM_DN_OP | NOVA_SM_TIMEOUT};
        REG_P1(self) = nova_hypercall_id(NOVA_SM_CTRL, flags[operation], SEL_SM);
        REG_P2(self) = operation == FUTURE ? 0xffff : 0;
        REG_P3(self) = 0;
}

// Adds the SC of an ended thread to the SCs that sleep with an EC. The added SC runs no EC, but
// there is then more than one sleeper.
void add_dead_sleeper(ec *with, sc *dead)
{
        dead->place = SC_SLEEPING;
        with->sleepers_top = container_of(with->sleepers.next, sc, link)->prio;
        list_append(&with->sleepers, &dead->link);
}

std::string after(const Input &one, bool general)
{
        World w;
        sm *semaphore = w.make_sm(w.home, SEL_SM);
        ec *self = w.thread("self", w.home, EC_GLOBAL);
        ec *same = w.thread("same", w.home, EC_GLOBAL), *dead = w.thread("dead", w.home, EC_GLOBAL);
        ec *waiter[2] = {w.thread("one", w.home, EC_GLOBAL), w.thread("two", w.away, EC_GLOBAL)};
        sc *selfs = w.context("self's", self), *sames = w.context("same's", same);
        sc *deads = w.context("dead's", dead, 0);
        w.delegate(w.home, SEL_SM, w.away, SEL_SM, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);

        for (unsigned i = 0; i < one.waiters; i++) {
                ec *owner = one.lent ? w.thread("owner", w.home, EC_GLOBAL) : waiter[i];
                if (one.lent)
                        set_caller(waiter[i], owner);
                sc *on = w.context(i ? "two's" : "one's", owner, PRIO + unsigned(one.above));
                w.run(waiter[i], on);
                set_call(waiter[i], i ? FUTURE : DOWN);
                w.enter(waiter[i], true);
                if (one.slept_spent)
                        on->used = on->round_end;
        }
        w.ready(sames, false);
        if (one.first) {
                ec *other = w.thread("other", w.home, EC_GLOBAL);
                sc *others = w.context("other's", other);
                others->place = SC_READY;
                cpu_self()->run_queue.first = others;
        }
        ec_shut_down(dead);
        w.run(self, selfs);
        semaphore->count = one.count;
        if (general) {
                /* A preempted SC is queued after those that woke together. */
                if (one.waiters && !one.due)
                        add_dead_sleeper(waiter[0], deads);
                semaphore->turn = semaphore->next ^ SM_SPECIAL;
        }
        if (one.due) {
                w.ready(w.context("higher's", w.thread("higher", w.home, EC_GLOBAL), PRIO + 2),
                        false);
                sched_decide(cpu_self());
        }
        fake_tsc += one.spent ? uint64_t{1} << 40 : 7;
        set_call(self, one.operation);
        w.enter(self, general);
        std::string state = w.state() + "count " + std::to_string(semaphore->count) + ", lock " +
                            std::to_string(semaphore->next ^ semaphore->turn);
        return state;
}

TEST(ways, of_semaphores_are_the_same)
{
        for (unsigned i = 0; i < OPERATIONS * 3 * 3 * 32; i++) {
                Input one = {};
                const unsigned bits = i % 32;
                one.operation = i / 32 % OPERATIONS;
                one.waiters = i / 32 / OPERATIONS % 3;
                one.above = int(i / 32 / OPERATIONS / 3) - 1;
                one.first = bits & 1;
                one.spent = bits & 2;
                one.slept_spent = bits & 4;
                one.lent = bits & 8;
                one.due = bits & 16;
                one.count = one.waiters ? 0 : bits % 4;
                SCOPED_TRACE(testing::Message() << one);
                ASSERT_EQ(after(one, false), after(one, true));
        }
}

TEST(ways, of_semaphores_count_from_the_largest_value_to_0)
{
        for (const bool general : {false, true}) {
                World w;
                sm *semaphore = w.make_sm(w.home, SEL_SM);
                ec *self = w.thread("self", w.home, EC_GLOBAL);

                w.run(self, w.context("self's", self));
                semaphore->count = ~word_t{0};
                if (general)
                        semaphore->turn = semaphore->next ^ SM_SPECIAL;
                set_call(self, UP);
                w.enter(self, general);
                EXPECT_EQ(semaphore->count, 0u);
                EXPECT_EQ(REG_P1(self), word_t{NOVA_SUCCESS});
        }
}

// ECs that the first SC of the queue can run.
enum First { OWN, LENT, BOUND, BLOCKED, DEAD_OWNER, NO_EC, FIRSTS };

struct Switch {
        unsigned first;
        int above; // the first SC's priority above that of the next one
        bool blocks, spent, grace, behind, dying;
};

std::ostream &operator<<(std::ostream &out, const Switch &one)
{
        return out << "first " << one.first << ", above " << one.above << ", blocks " << one.blocks
                   << ", spent " << one.spent << ", grace " << one.grace << ", behind "
                   << one.behind << ", dying " << one.dying;
}

// Makes a semaphore without references, which waits for its end.
void let_semaphore_die()
{
        sm *made = nullptr;
        ASSERT_EQ(sm_create(&account_root, 0, &made), NOVA_SUCCESS);
        object_put(&made->object);
}

void make_first(sc *first, ec *owner, ec *other, unsigned kind)
{
        switch (kind) {
        case LENT:
                set_caller(other, owner);
                break;
        case BOUND:
                first->ec = other;
                other->donated = first;
                break;
        case BLOCKED:
                owner->state = EC_BLOCKED;
                break;
        case DEAD_OWNER:
                ec_shut_down(owner);
                break;
        default:
                break;
        }
}

// Returns the state after the current EC has blocked, or after a pending decision. The queue knows
// its first SC, or finds it in the rings.
std::string after_switch(const Switch &one, bool known)
{
        World w;
        w.make_sm(w.home, SEL_SM);
        ec *self = w.thread("self", w.home, EC_GLOBAL),
           *owner = w.thread("owner", w.away, EC_GLOBAL);
        ec *other = w.thread("other", w.home, EC_LOCAL),
           *last = w.thread("last", w.home, EC_GLOBAL);
        sc *selfs = w.context("self's", self, PRIO - 1);
        sc *first = w.context("first", owner, PRIO + unsigned(one.above));
        sc *lasts = w.context("last's", last);

        owner->state = other->state = last->state = EC_READY;
        if (one.behind)
                w.ready(lasts, false);
        if (one.first != NO_EC)
                w.ready(first, true);
        if (known)
                cpu_self()->run_queue.first = run_queue_take_from_rings(&cpu_self()->run_queue);
        w.run(self, selfs);
        make_first(first, owner, other, one.first);
        fake_tsc += one.spent ? uint64_t{1} << 40 : 7;
        if (one.grace)
                cpu_self()->pending |= CPU_PENDING_GRACE;
        for (unsigned i = 0; one.dying && i < 2; i++)
                let_semaphore_die();
        if (!one.blocks)
                sched_decide(cpu_self());
        set_call(self, one.blocks ? DOWN : UP);
        w.enter(self, false);
        /* A decision ends one of the dying semaphores. */
        EXPECT_EQ(cpu_self()->dying_count, one.dying ? 1u : 0u);
        return w.state();
}

TEST(ways, of_the_choice_of_the_next_thread_are_the_same)
{
        for (unsigned i = 0; i < FIRSTS * 2 * 32; i++) {
                const Switch one = {i / 64,         int(i / 32 % 2), i % 2 != 0,     i / 2 % 2 != 0,
                                    i / 4 % 2 != 0, i / 8 % 2 != 0,  i / 16 % 2 != 0};
                SCOPED_TRACE(testing::Message() << one);
                ASSERT_EQ(after_switch(one, true), after_switch(one, false));
        }
}

} // namespace
