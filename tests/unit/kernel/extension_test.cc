// SPDX-License-Identifier: BSD-2-Clause
// Extensions that fail, or that end threads in steps: none leaves an object, a frame or a charge.
#include <gtest/gtest.h>

#include <functional>

#include "ways.h"

extern "C" {
#include "hypercall/dispatch.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "object/reap.h"
}

namespace
{

constexpr word_t SEL_HOME = 1, SEL_CHILD = 2, SEL_SM = 3, SEL_WEAK = 4, SEL_SELF = 5, SEL_SC = 6,
                 SEL_NULL = 0x30, SEL_NEW = 0x40;
constexpr word_t QUOTA = 0x20000;

// A thread, and a PD with an account of its own in which objects, pages and ports are.
struct Extensions : World {
        ec *self = thread("self", home, EC_GLOBAL);
        sc *on = nullptr;
        pd *child = nullptr;

        Extensions()
        {
                EXPECT_EQ(sc_create(&account_root, self, PRIO, 1000, &on), NOVA_SUCCESS);
                EXPECT_EQ(object_space_insert(&home->object_space, SEL_SC, &on->object,
                                              NOVA_PERM_ALL),
                          NOVA_SUCCESS);
                run(self, on);
                share(home, SEL_HOME, &home->object);
                share(home, SEL_SELF, &self->object);
                make_sm(home, SEL_SM);
                make_sm(home, SEL_WEAK, NOVA_SM_UP);
        }

        void make_child()
        {
                EXPECT_EQ(pd_create(home, &account_root, QUOTA, &child), NOVA_SUCCESS);
                EXPECT_EQ(object_space_insert(&home->object_space, SEL_CHILD, &child->object,
                                              NOVA_PERM_ALL),
                          NOVA_SUCCESS);
        }

        nova_status extension(word_t group, word_t sel, word_t operation, word_t p3 = 0,
                              word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(self, nova_hypercall_id(NOVA_EXTENSION, group, sel), operation, p3,
                              p4, p5);
                run(self, on);
                fake_run_to_user(fake_enter, self);
                return nova_status(REG_P1(self));
        }
};

struct Failure {
        const char *name;
        nova_status status;
        word_t group, sel, operation, p3, p4;
};

const Failure failures[] = {
        {"an unknown group", NOVA_BAD_HYP, 0x50, SEL_CHILD, 0, 0, 0},
        {"an unknown operation on an object", NOVA_BAD_HYP, NOVA_EXT_OBJECT, SEL_CHILD, 5, 0, 0},
        {"an unknown operation on a quota", NOVA_BAD_HYP, NOVA_EXT_QUOTA, SEL_CHILD, 3, 0, 0},
        {"an unknown operation on a thread", NOVA_BAD_HYP, NOVA_EXT_THREAD, 0, 2, 0, 0},
        {"an unknown operation on the machine", NOVA_BAD_HYP, NOVA_EXT_MACHINE, 0, 2, 0, 0},
        {"a machine of another PD", NOVA_BAD_CAP, NOVA_EXT_MACHINE, 0, 0, 0, 0},
        {"no PD to destroy", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_NULL, NOVA_EXT_PD_DESTROY, 0, 0},
        {"a semaphore to destroy", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_SM, NOVA_EXT_PD_DESTROY, 0,
         0},
        {"a name for nothing", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_NULL, NOVA_EXT_NAME_SET, 1, 1},
        {"a name for an SC", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_SC, NOVA_EXT_NAME_SET, 1, 1},
        {"a name without the permissions", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_WEAK,
         NOVA_EXT_NAME_SET, 1, 1},
        {"a second name of a PD", NOVA_BAD_PAR, NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_NAME_SET, 2,
         2},
        {"the name of nothing", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_NULL, NOVA_EXT_NAME_GET, 0, 0},
        {"the name of an SC", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_SC, NOVA_EXT_NAME_GET, 0, 0},
        {"a limit of no PD", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_SM, NOVA_EXT_PD_LIMIT, 0, 0},
        {"a limit of messages to no EC", NOVA_BAD_CAP, NOVA_EXT_OBJECT, SEL_SM, NOVA_EXT_EC_RECEIVE,
         0, 0},
        {"a quota of no PD", NOVA_BAD_CAP, NOVA_EXT_QUOTA, SEL_SM, NOVA_EXT_QUOTA_QUERY, 0, 0},
        {"a quota without an account", NOVA_BAD_PAR, NOVA_EXT_QUOTA, SEL_HOME, NOVA_EXT_QUOTA_GIVE,
         1, SEL_HOME},
        {"a quota from another account", NOVA_BAD_CAP, NOVA_EXT_QUOTA, SEL_CHILD,
         NOVA_EXT_QUOTA_GIVE, 1, SEL_CHILD},
        {"a quota from no PD", NOVA_BAD_CAP, NOVA_EXT_QUOTA, SEL_CHILD, NOVA_EXT_QUOTA_GIVE, 1,
         SEL_SM},
        {"a quota beyond all memory", NOVA_OUT_OF_MEMORY, NOVA_EXT_QUOTA, SEL_CHILD,
         NOVA_EXT_QUOTA_GIVE, ~word_t{0}, SEL_HOME},
        {"more than a quota has", NOVA_OUT_OF_MEMORY, NOVA_EXT_QUOTA, SEL_CHILD,
         NOVA_EXT_QUOTA_TAKE, QUOTA, 0},
        {"a base of TLS in the kernel", NOVA_BAD_PAR, NOVA_EXT_THREAD, 0, NOVA_EXT_THREAD_TLS,
         ~word_t{0}, 0},
};

TEST(extension, that_fails_leaves_nothing_with_memory_and_without)
{
        Extensions w;
        w.make_child();
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_NAME_SET, 1, 1), NOVA_SUCCESS);
        fake_settle();
        for (const bool memory : {true, false})
                for (const Failure &one : failures) {
                        const Taken before = taken_now();
                        const word_t used = w.child->account->used, limit = w.child->account->limit;
                        if (!memory)
                                fake_fail_allocations_from(0);
                        EXPECT_EQ(w.extension(one.group, one.sel, one.operation, one.p3, one.p4),
                                  one.status)
                                << one.name;
                        EXPECT_EQ(fake_allocations(), 0) << one.name;
                        fake_fail_allocation(-1);
                        EXPECT_EQ(cpu_self()->dying, nullptr) << one.name;
                        EXPECT_EQ(w.self->reap_floor, EC_REAPS_NOTHING) << one.name;
                        fake_settle();
                        EXPECT_EQ(taken_now(), before) << one.name;
                        EXPECT_EQ(w.child->account->used, used) << one.name;
                        EXPECT_EQ(w.child->account->limit, limit) << one.name;
                }
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY), NOVA_SUCCESS);
}

// A child can name the first thread that its parent has named. The console still reports its end.
TEST(extension, a_thread_that_the_root_has_named_stays_reported_under_another_name)
{
        Extensions w;
        w.home->is_root = false;
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_SELF, NOVA_EXT_NAME_SET, 1, 1), NOVA_SUCCESS);
        EXPECT_FALSE(w.self->named_by_root);
        w.home->is_root = true;
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_SELF, NOVA_EXT_NAME_SET, 2, 2), NOVA_SUCCESS);
        EXPECT_TRUE(w.self->named_by_root);
        w.home->is_root = false;
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_SELF, NOVA_EXT_NAME_SET, 3, 3), NOVA_SUCCESS);
        EXPECT_TRUE(w.self->named_by_root);
}

// The first child leaves tables in the PD `away`, and the later children use them again.
TEST(extension, pd_destroy_needs_no_memory_and_returns_everything)
{
        Extensions w;
        Taken first = {};
        w.share(w.home, SEL_NEW, &w.away->object);
        for (unsigned round = 0; round < 4; round++) {
                w.make_child();
                w.make_sm(w.child, 7);
                w.delegate(&kernel_pd, 0x10000, w.child, 0x400000, 1024, NOVA_CRD_MEM, 7);
                w.delegate(w.child, 0x400100, w.away, 0x600003, 512, NOVA_CRD_MEM, 7);
                w.delegate(&kernel_pd, 0x3f8, w.child, 0x3f8, 8, NOVA_CRD_IO, NOVA_IO_A);
                ec *one = w.make_ec(w.child, 0x1000, EC_GLOBAL);
                fake_fail_allocations_from(0);
                EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY),
                          NOVA_SUCCESS);
                EXPECT_EQ(fake_allocations(), 0);
                EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY),
                          NOVA_BAD_CAP);
                fake_fail_allocation(-1);
                w.drop(one);
                w.revoke(w.home, SEL_CHILD, SEL_CHILD, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
                fake_settle();
                check_pd(w.away);
                if (!round)
                        first = taken_now();
                EXPECT_EQ(taken_now(), first) << round;
        }
}

// Makes a child with an object and a thread, and begins to destroy the child. Returns the thread.
ec *begin_destruction(Extensions &w)
{
        w.make_child();
        w.make_sm(w.child, 7);
        ec *one = w.make_ec(w.child, 0x1000, EC_GLOBAL);
        EXPECT_TRUE(pd_destroy_begin(w.child));
        return one;
}

// Another thread has begun to destroy the PD, but has done no step.
TEST(extension, a_second_pd_destroy_does_the_steps_of_the_first)
{
        Extensions w;
        ec *one = begin_destruction(w);

        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY), NOVA_SUCCESS);
        EXPECT_TRUE(pd_has_ended(w.child));
        EXPECT_TRUE(one->object.dead);
        EXPECT_TRUE(caps_of(w.child, NOVA_CRD_OBJ).empty());
        EXPECT_EQ(w.self->reap_floor, EC_REAPS_NOTHING);
        w.drop(one);
        while (cpu_self()->dying)
                object_reap();
        fake_settle();
}

Extensions *losing;

void lose_capability()
{
        fake_window = nullptr;
        losing->revoke(losing->home, SEL_CHILD, SEL_CHILD, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
}

TEST(extension, a_second_pd_destroy_gives_BAD_CAP_if_its_capability_is_revoked_meanwhile)
{
        Extensions w;
        ec *one = begin_destruction(w);

        losing = &w;
        fake_window = lose_capability;
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY), NOVA_BAD_CAP);
        EXPECT_EQ(w.self->reap_floor, EC_REAPS_NOTHING);
        w.drop(one);
        while (cpu_self()->dying)
                object_reap();
        fake_settle();
}

// The PD in the middle is dying, because no capability of it is left, but it has done no step of
// its end.
TEST(extension, pd_destroy_reaches_the_pds_that_a_dying_pd_created)
{
        Extensions w;
        pd *middle = nullptr, *lowest = nullptr;

        w.make_child();
        ASSERT_EQ(pd_create(w.child, &account_root, 0, &middle), NOVA_SUCCESS);
        ASSERT_EQ(pd_create(middle, &account_root, 0, &lowest), NOVA_SUCCESS);
        object_put(&middle->object);
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY), NOVA_SUCCESS);
        while (cpu_self()->dying)
                object_reap();
        EXPECT_TRUE(lowest->object.dead);
        object_put(&lowest->object);
        fake_settle();
}

// The dying list of this CPU, which the test hides as if it were another CPU's.
class Hidden
{
        kobject *const dying = cpu_self()->dying;
        const unsigned count = cpu_self()->dying_count;

      public:
        Hidden()
        {
                cpu_self()->dying = nullptr;
                cpu_self()->dying_count = 0;
        }

        ~Hidden()
        {
                EXPECT_EQ(cpu_self()->dying, nullptr);
                cpu_self()->dying = dying;
                cpu_self()->dying_count = count;
                while (cpu_self()->dying)
                        object_reap();
                fake_settle();
        }

        Hidden(const Hidden &) = delete;
        Hidden &operator=(const Hidden &) = delete;
};

pd *created_by(pd *creator)
{
        pd *made = nullptr;
        EXPECT_EQ(pd_create(creator, &account_root, 0, &made), NOVA_SUCCESS);
        return made;
}

// A decision of another CPU has begun the end of the PD that the child created. That CPU does no
// further step.
TEST(extension, a_second_pd_destroy_ends_the_pds_that_the_first_has_begun_to_end)
{
        Extensions w;

        w.make_child();
        pd *const lowest = created_by(w.child);
        ec *one = w.make_ec(lowest, 0x1000, EC_GLOBAL);
        w.make_sm(lowest, 7);
        ASSERT_TRUE(pd_destroy_begin(w.child));
        while (!lowest->object.dead)
                object_reap();
        {
                const Hidden others;
                EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY),
                          NOVA_SUCCESS);
                EXPECT_TRUE(pd_has_ended(w.child));
                EXPECT_TRUE(pd_has_ended(lowest));
                EXPECT_TRUE(one->object.dead);
        }
        EXPECT_EQ(lowest->object.references, 2u); // the thread's and the test's
        w.drop(one);
        object_put(&lowest->object);
        fake_settle();
}

// Other CPUs have begun to destroy the PDs in the middle, from the lowest one upwards.
TEST(extension, pd_destroy_ends_a_tree_of_pds_that_other_cpus_are_destroying)
{
        Extensions w;
        pd *tree[4], *side[4];

        w.make_child();
        for (unsigned i = 0; i < 4; i++) {
                tree[i] = created_by(i ? tree[i - 1] : w.child);
                side[i] = created_by(tree[i]);
        }
        for (unsigned i = 4; i--;) {
                ASSERT_TRUE(pd_destroy_begin(tree[i]));
                for (unsigned step = 0; step < i; step++)
                        object_reap();
        }
        {
                const Hidden others;
                EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY),
                          NOVA_SUCCESS);
                for (unsigned i = 0; i < 4; i++)
                        EXPECT_TRUE(pd_has_ended(tree[i]) && pd_has_ended(side[i])) << i;
        }
        for (unsigned i = 0; i < 4; i++) {
                object_put(&tree[i]->object);
                object_put(&side[i]->object);
        }
        fake_settle();
}

// Another CPU ends the PD in the middle, for lack of a capability, and does no step.
TEST(extension, pd_destroy_ends_the_pds_below_one_that_another_cpu_is_ending)
{
        Extensions w;

        w.make_child();
        pd *const middle = created_by(w.child), *const lower = created_by(middle);
        pd *const lowest = created_by(lower), *const sibling = created_by(middle);
        object_put(&middle->object);
        {
                const Hidden others;
                EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY),
                          NOVA_SUCCESS);
                for (const pd *one : {lower, lowest, sibling})
                        EXPECT_TRUE(pd_has_ended(one));
                EXPECT_FALSE(pd_has_ended(middle));
        }
        for (pd *one : {lower, lowest, sibling})
                object_put(&one->object);
        fake_settle();
}

unsigned ended_before, most_ended_at_once;
std::vector<pd *> generations;

void count_generations()
{
        unsigned ended = 0;
        for (const pd *one : generations)
                ended += pd_has_ended(one);
        most_ended_at_once = std::max(most_ended_at_once, ended - ended_before);
        ended_before = ended;
}

// Each PD has created the next one. The kernel's stack would not suffice for a recursion.
TEST(extension, pd_destroy_ends_many_generations_of_pds_one_by_one)
{
        Extensions w;

        w.make_child();
        for (unsigned i = 0; i < 1000; i++)
                generations.push_back(created_by(i ? generations.back() : w.child));
        ended_before = most_ended_at_once = 0;
        fake_window = count_generations;
        EXPECT_EQ(w.extension(NOVA_EXT_OBJECT, SEL_CHILD, NOVA_EXT_PD_DESTROY), NOVA_SUCCESS);
        fake_window = nullptr;
        EXPECT_EQ(most_ended_at_once, 1u);
        for (pd *one : generations) {
                EXPECT_TRUE(pd_has_ended(one));
                object_put(&one->object);
        }
        generations.clear();
        fake_settle();
}

// Without pd_destroy, a PD lives on when its creator ends.
TEST(extension, a_pd_outlives_a_creator_that_was_not_destroyed)
{
        Extensions w;
        pd *middle = nullptr, *lowest = nullptr;

        ASSERT_EQ(pd_create(w.home, &account_root, 0, &middle), NOVA_SUCCESS);
        ASSERT_EQ(pd_create(middle, &account_root, 0, &lowest), NOVA_SUCCESS);
        object_put(&middle->object);
        while (cpu_self()->dying)
                object_reap();
        fake_settle();
        EXPECT_FALSE(lowest->object.dead);
        EXPECT_EQ(lowest->creator, w.home);
        object_put(&lowest->object);
        fake_settle();
}

// ---- A thread that exits with more SCs than one step ends

struct Exit : World {
        static constexpr unsigned STEP = 16;
        ec *self = nullptr;
        std::vector<sc *> left;

        // Makes a thread with SCs that have no capability any more; the thread keeps them.
        Exit(unsigned count, bool with_current)
        {
                self = thread("self", home, EC_GLOBAL);
                for (unsigned i = 0; i < count; i++) {
                        sc *made = nullptr;
                        EXPECT_EQ(sc_create(&account_root, self, PRIO, 1000, &made), NOVA_SUCCESS);
                        made->stays = true;
                        left.push_back(made);
                }
                run(self, with_current ? left[count / 2] : context("self's", self));
                for (sc *one : left) {
                        if (one != cpu_self()->current_sc)
                                ready(one, false);
                        cpu_self()->in_mail = true; // so that no memory that stays is allocated now
                        object_put(&one->object);
                        cpu_self()->in_mail = false;
                }
                while (cpu_self()->dying)
                        object_reap();
                fake_settle();
                EXPECT_EQ(kept(), count);
        }

        unsigned kept() const
        {
                unsigned count = 0;
                for (const kobject *one = self->sc_stays; one; one = one->next)
                        count++;
                return count;
        }

        void exits()
        {
                REG_P1(self) = nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0);
                REG_P2(self) = NOVA_EXT_THREAD_EXIT;
                fake_run_to_user(fake_enter, self);
                EXPECT_EQ(cpu_self()->current, cpu_self()->idle_ec);
                EXPECT_EQ(self->state, EC_DEAD);
                EXPECT_EQ(kept(), 0u);
        }
};

const Exit *exiting;
unsigned kept_before, most_ended;

void preempt_each_window()
{
        const unsigned now = exiting->kept();
        most_ended = std::max(most_ended, kept_before - std::min(kept_before, now));
        kept_before = now;
        if (cpu_self()->current == exiting->self)
                sched_decide(cpu_self());
}

void check_exit(unsigned count, bool with_current, bool preempted)
{
        Taken before;
        {
                Exit w(count, with_current);
                before = taken_now();
                exiting = &w;
                kept_before = count;
                most_ended = 0;
                if (preempted)
                        fake_window = preempt_each_window;
                w.exits();
                fake_window = nullptr;
                EXPECT_LE(most_ended, Exit::STEP);
                w.drop(w.self);
                fake_settle();
                // The SCs and the mapping of the UTCB are gone. The thread is gone, too, unless one
                // of its SCs has a capability, because that SC refers to the thread.
                EXPECT_EQ(before.objects - taken_now().objects, long(count) + 1 + with_current);
        }
}

TEST(extension, thread_exit_ends_all_scs_that_the_thread_has_kept)
{
        for (const unsigned count : {1u, 15u, 16u, 17u, 32u, 33u, 40u, 100u})
                for (const bool with_current : {false, true})
                        for (const bool preempted : {false, true}) {
                                SCOPED_TRACE(describe({"SCs", "on one of them", "preempted"},
                                                      {count, with_current, preempted}));
                                check_exit(count, with_current, preempted);
                        }
}

// A handler that runs out of memory is called again from C. The handlers here do not run out of
// memory so far.
TEST(extension, every_handler_but_reply_can_be_called_again)
{
        Extensions w;
        const auto result = [&w](word_t number) {
                const word_t id = number | (SEL_NULL << NOVA_ID_SEL_SHIFT);
                set_arguments(w.self, id, 0, 0, 0, 0);
                return hypercall_handle(id, w.self);
        };

        for (const nova_hypercall number : {NOVA_EC_CTRL, NOVA_SC_CTRL, NOVA_SM_CTRL})
                EXPECT_EQ(result(number), hypercall_result_t(NOVA_BAD_CAP)) << number;
        for (const nova_hypercall number : {NOVA_REVOKE, NOVA_LOOKUP})
                EXPECT_EQ(result(number), hypercall_result_t(NOVA_SUCCESS)) << number;
        EXPECT_EQ(result(NOVA_HYPERCALL_COUNT - 1), hypercall_result_t(NOVA_BAD_HYP));
}

} // namespace
