// SPDX-License-Identifier: BSD-2-Clause
// Semaphores, waking and the switch to who was woken: the short ways do what the general ones do.
#include <gtest/gtest.h>

#include "ways.h"

namespace
{

constexpr word_t SEL_SM = 0x30;

enum Operation { UP, DOWN, ZERO, PAST, FUTURE, OPERATIONS };

struct Input {
        unsigned operation, waiters, count;
        int above; // the waiters' priority above that of who is running
        bool first, spent, slept_spent;
};

std::ostream &operator<<(std::ostream &out, const Input &one)
{
        return out << "operation " << one.operation << ", waiters " << one.waiters << ", count "
                   << one.count << ", above " << one.above << ", first " << one.first << ", spent "
                   << one.spent << one.slept_spent;
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

// The SC of a thread that has ended waits with it, too: it runs nobody, but there is more than one.
void add_dead_sleeper(ec *with, sc *dead)
{
        dead->place = SC_SLEEPING;
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
                sc *on = w.context(i ? "two's" : "one's", waiter[i], PRIO + unsigned(one.above));
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
                if (one.waiters)
                        add_dead_sleeper(waiter[0], deads);
                semaphore->lock = SM_SPECIAL;
        }
        fake_tsc += one.spent ? uint64_t{1} << 40 : 7;
        set_call(self, one.operation);
        w.enter(self, general);
        std::string state = w.state() + "count " + std::to_string(semaphore->count) + ", lock " +
                            std::to_string(semaphore->lock);
        return state;
}

TEST(ways, of_semaphores_are_the_same)
{
        for (unsigned i = 0; i < OPERATIONS * 3 * 3 * 8; i++) {
                Input one = {};
                const unsigned bits = i % 8;
                one.operation = i / 8 % OPERATIONS;
                one.waiters = i / 8 / OPERATIONS % 3;
                one.above = int(i / 8 / OPERATIONS / 3) - 1;
                one.first = bits & 1;
                one.spent = bits & 2;
                one.slept_spent = bits & 4;
                one.count = one.waiters ? 0 : bits % 4;
                SCOPED_TRACE(testing::Message() << one);
                ASSERT_EQ(after(one, false), after(one, true));
        }
}

} // namespace
