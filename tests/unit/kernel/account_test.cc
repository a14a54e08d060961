// SPDX-License-Identifier: BSD-2-Clause
// Accounts: objects are charged to the PD that the hypercall names as owner, not to the caller.
#include <set>

#include <gtest/gtest.h>

#include <thread>

#include "kernel.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "nova/abi/utcb.h"
#include "sched/cpu.h"
#include "sched/mail.h"
#include "thread.h"
}

namespace
{

constexpr word_t SEL_HOME = 1, SEL_OTHER = 2, SEL_LOCAL = 3, SEL_GLOBAL = 4, SEL_NEW = 0x40;

// A caller in one PD, and another PD with an account of its own.
struct Owners : Kernel {
        account purse = {0, ~word_t{0}, 0, nullptr, 0, false, 0};
        pd *home = make_pd(), *other = make_pd();
        ec *self = make_ec(home, 0x1000);
        ec *local = make_ec(home, 0x1001), *global = make_ec(home, 0x1002, EC_GLOBAL);

        Owners()
        {
                share(home, SEL_HOME, &home->object);
                share(home, SEL_OTHER, &other->object);
                share(home, SEL_LOCAL, &local->object);
                share(home, SEL_GLOBAL, &global->object);
                other->account = &purse;
        }

        ~Owners()
        {
                EXPECT_EQ(purse.used, 0u);
                other->account = &account_root;
        }

        nova_status create(nova_hypercall number, word_t owner)
        {
                set_arguments(self, nova_hypercall_id(number, 0, SEL_NEW), owner, 0, 0, 0);
                if (number == NOVA_CREATE_EC)
                        REG_P3(self) = 0x5000 << PAGE_BITS;
                if (number == NOVA_CREATE_SC) {
                        REG_P3(self) = SEL_GLOBAL;
                        REG_P4(self) = nova_qpd(1000, 1);
                }
                if (number == NOVA_CREATE_PT)
                        REG_P3(self) = SEL_LOCAL;
                return fake_hypercall(self);
        }

        void revoke_new()
        {
                revoke(home, SEL_NEW, SEL_NEW, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
                fake_settle();
        }
};

constexpr nova_hypercall kinds[] = {NOVA_CREATE_PD, NOVA_CREATE_EC, NOVA_CREATE_SC, NOVA_CREATE_PT,
                                    NOVA_CREATE_SM};

TEST(account, each_object_is_charged_to_the_owner_that_is_named)
{
        Owners owners;
        for (const nova_hypercall kind : kinds) {
                ASSERT_EQ(owners.create(kind, SEL_OTHER), NOVA_SUCCESS) << kind;
                EXPECT_GT(owners.purse.used, 0u) << kind;
                owners.revoke_new();
                EXPECT_EQ(owners.purse.used, 0u) << kind;
        }
}

TEST(account, the_caller_pays_when_it_names_itself)
{
        Owners owners;
        for (const nova_hypercall kind : kinds) {
                ASSERT_EQ(owners.create(kind, SEL_HOME), NOVA_SUCCESS) << kind;
                EXPECT_EQ(owners.purse.used, 0u) << kind;
                owners.revoke_new();
        }
}

TEST(account, an_exhausted_owner_is_refused_and_others_are_not)
{
        Owners owners;
        owners.purse.limit = 32;
        for (const nova_hypercall kind : kinds) {
                EXPECT_EQ(owners.create(kind, SEL_OTHER), NOVA_OUT_OF_MEMORY) << kind;
                EXPECT_EQ(owners.purse.used, 0u) << kind;
                EXPECT_EQ(owners.create(kind, SEL_HOME), NOVA_SUCCESS) << kind;
                owners.revoke_new();
        }
        owners.purse.limit = ~word_t{0};
}

TEST(account, a_new_pd_uses_its_owners_account)
{
        Owners owners;
        ASSERT_EQ(owners.create(NOVA_CREATE_PD, SEL_OTHER), NOVA_SUCCESS);
        const word_t capability = object_space_capability(&owners.home->object_space, SEL_NEW);
        const kobject *made = capability_object(capability, OBJECT_PD, 0);
        EXPECT_EQ(reinterpret_cast<const pd *>(made)->account, &owners.purse);
        owners.revoke_new();
}

TEST(account, a_space_pays_for_mappings_that_it_receives)
{
        Owners owners;
        owners.delegate(&kernel_pd, 0x100, owners.other, 0x100, 16, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
        EXPECT_GT(owners.purse.used, 0u);
        owners.revoke(owners.other, 0x100, 0x10f, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_EQ(owners.purse.used, 0u);
}

TEST(account, a_pd_pays_for_its_dma_table_until_it_ends)
{
        Owners owners;
        owners.delegate(&kernel_pd, 0x100, owners.other, 0x100, 16, NOVA_CRD_MEM, NOVA_MEM_RWX);
        EXPECT_GT(owners.purse.used, 7u * PAGE_SIZE); // three tables of each kind, and the DMA root
        owners.revoke(owners.other, 0x100, 0x10f, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_EQ(owners.purse.used, PAGE_SIZE);
        second_level_fini(owners.other);
        EXPECT_EQ(owners.purse.used, 0u);
}

TEST(account, ports_are_not_given_beyond_the_limit)
{
        Owners owners;
        owners.purse.limit = 1024;
        revocation r = {};
        delegation d = {};
        d.revocation = &r;
        d.source = &kernel_pd.io.space;
        d.target = &owners.other->io.space;
        d.from = d.to = 0x60;
        d.count = 8;
        d.perms = NOVA_IO_A;
        EXPECT_EQ(delegation_step(&d), STEP_FAILED);
        EXPECT_EQ(owners.purse.used, 0u);
        owners.purse.limit = ~word_t{0};
}

// ---- Accounts cut from others

TEST(account, of_a_child_is_taken_from_its_parent_as_a_whole)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *child = account_create(&account_root, 10000);
        ASSERT_NE(child, nullptr);
        EXPECT_EQ(account_root.used, before.bytes + 10000);
        EXPECT_TRUE(account_charge(child, 1000));
        EXPECT_EQ(account_root.used, before.bytes + 10000);
        account_return(child, 1000);
        account_leave(child);
        EXPECT_EQ(taken_now(), before);
}

TEST(account, outlives_its_pd_and_gives_the_unused_part_back_at_once)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *child = account_create(&account_root, 10000);
        EXPECT_TRUE(account_charge(child, 1000));
        account_leave(child);
        EXPECT_EQ(account_root.used, before.bytes + 1000);
        account_return(child, 1000);
        EXPECT_EQ(taken_now(), before);
}

TEST(account, of_a_destroyed_pd_gives_back_what_its_objects_used)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *child = account_create(&account_root, 10000);
        EXPECT_TRUE(account_charge(child, 3000));
        account_shrink(child);
        EXPECT_EQ(account_root.used, before.bytes + 3000 + account_size());
        account_return_freed(child, 1000);
        EXPECT_EQ(account_root.used, before.bytes + 2000 + account_size());
        EXPECT_FALSE(account_charge(child, 1));
        account_leave(child);
        account_return_freed(child, 2000);
        EXPECT_EQ(taken_now(), before);
}

TEST(account, below_that_of_a_destroyed_pd_gives_back_to_the_parent_above)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *a = account_create(&account_root, 10000), *b = account_create(a, 4000);
        account_shrink(a);
        EXPECT_EQ(account_root.used, before.bytes + account_size() + 4000);
        account_shrink(b);
        EXPECT_EQ(account_root.used, before.bytes + 2 * account_size());
        account_leave(b);
        EXPECT_EQ(account_root.used, before.bytes + account_size());
        account_leave(a);
        EXPECT_EQ(taken_now(), before);
}

// One thread may take bytes between another thread's look at the limit and its change of `used`.
TEST(account, is_taken_from_by_two_threads_only_as_far_as_it_reaches)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *child = account_create(&account_root, 10000);
        const word_t unused = 10000 - account_size();
        const auto take_and_give = [=] {
                for (unsigned i = 0; i < 4000000; i++)
                        if (account_take(child, unused) && !account_give(child, unused))
                                ADD_FAILURE();
        };
        std::thread other(take_and_give);
        take_and_give();
        other.join();
        EXPECT_EQ(child->limit, 10000u);
        EXPECT_EQ(child->used, account_size());
        EXPECT_EQ(account_root.used, before.bytes + 10000);
        account_leave(child);
        EXPECT_EQ(taken_now(), before);
}

TEST(account, moves_only_the_unused_part)
{
        Kernel kernel;
        account *a = account_create(&account_root, 10000), *b = account_create(a, 4000);
        ASSERT_NE(b, nullptr);
        EXPECT_EQ(account_create(a, 10000 - 4000 - account_size() + 1), nullptr);
        for (const word_t huge : {~word_t{0}, ~word_t{0} - 3999, word_t{1} << 63, word_t{10000}}) {
                EXPECT_FALSE(account_give(b, huge));
                EXPECT_FALSE(account_take(b, huge));
                EXPECT_EQ(account_create(b, huge), nullptr);
        }
        EXPECT_TRUE(account_give(b, 1000));
        EXPECT_EQ(b->limit, 5000u);
        EXPECT_EQ(a->used, account_size() + 5000);
        EXPECT_TRUE(account_take(b, 5000 - account_size()));
        EXPECT_FALSE(account_take(b, 1));
        EXPECT_EQ(a->used, 2 * account_size());
        account_leave(a);
        EXPECT_EQ(a->used, account_size());
        account_leave(b);
}

// The treatments of speculation flaws identify a domain by a number. So a new account in the memory
// of an ended account must not have the number of the ended account.
TEST(account, numbers_of_accounts_and_pds_do_not_return)
{
        Kernel kernel;
        std::set<uint32_t> accounts = {account_root.number}, pds = {kernel_pd.number};
        for (int i = 0; i < 20; i++) {
                account *one = account_create(&account_root, 10000);
                ASSERT_NE(one, nullptr);
                EXPECT_TRUE(accounts.insert(one->number).second);
                account_leave(one);
                pd *domain = kernel.make_pd();
                EXPECT_TRUE(pds.insert(domain->number).second);
                kernel.destroy(domain);
                fake_settle();
        }
}

TEST(account, a_chain_ends_with_its_last_link)
{
        Kernel kernel;
        const Taken before = taken_now();
        std::vector<account *> chain = {&account_root};
        while (account *next = account_create(chain.back(), 100000 - 100 * chain.size()))
                chain.push_back(next);
        EXPECT_EQ(chain.size(), size_t{ACCOUNT_DEPTH_MAX + 1});
        for (size_t i = 1; i < chain.size(); i++)
                account_leave(chain[i]);
        EXPECT_EQ(taken_now(), before);
}

struct Quotas : Owners {
        nova_status extension(word_t operation, word_t sel, word_t bytes, word_t payer)
        {
                REG_P1(self) = nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, sel);
                REG_P2(self) = operation;
                REG_P3(self) = bytes;
                REG_P4(self) = payer;
                return fake_hypercall(self);
        }

        nova_status create_pd(word_t sel, word_t owner, word_t bytes)
        {
                REG_P1(self) = nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, sel);
                REG_P2(self) = owner;
                REG_P3(self) = 0;
                REG_P4(self) = bytes;
                return fake_hypercall(self);
        }
};

TEST(account, of_a_new_pd_comes_with_the_flag)
{
        Quotas q;
        const word_t before = account_root.used;
        EXPECT_EQ(q.create_pd(SEL_NEW, SEL_HOME, account_size() - 1), NOVA_BAD_PAR);
        EXPECT_EQ(q.create_pd(SEL_NEW, SEL_HOME, 100000), NOVA_SUCCESS);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_QUERY, SEL_NEW, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(REG_P2(q.self), account_size());
        EXPECT_EQ(REG_P3(q.self), 100000u);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_GIVE, SEL_NEW, 50, SEL_HOME), NOVA_SUCCESS);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_GIVE, SEL_NEW, 50, SEL_OTHER), NOVA_BAD_CAP);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_GIVE, SEL_NEW, 50, SEL_NEW), NOVA_BAD_CAP);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_TAKE, SEL_NEW, 100, 0), NOVA_SUCCESS);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_TAKE, SEL_NEW, 100000, 0), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_TAKE, SEL_HOME, 1, 0), NOVA_BAD_PAR);
        EXPECT_EQ(q.extension(NOVA_EXT_QUOTA_QUERY + 1, SEL_NEW, 0, 0), NOVA_BAD_HYP);
        q.revoke_new();
        EXPECT_EQ(account_root.used, before);
}

// ---- Creates that wait for the grace period

// A clock that advances only while a thread waits.
struct Waits : Quotas {
        static constexpr uint64_t BEGIN = uint64_t{1} << 40;

        Waits()
        {
                fake_settle();
                fake_tsc = BEGIN;
        }

        ~Waits()
        {
                fake_tsc = 0;
        }

        nova_status create_sm()
        {
                return create(NOVA_CREATE_SM, SEL_OTHER);
        }

        void drop(word_t first = SEL_NEW, word_t count = 1)
        {
                revoke(home, first, first + count - 1, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
                while (cpu_self()->dying)
                        object_reap();
        }

        static uint64_t ms()
        {
                return (fake_tsc - BEGIN) / tsc_khz;
        }
};

TEST(account, a_create_beyond_its_account_interrupts_no_cpu)
{
        Waits w;
        w.purse.limit = 4096;
        for (unsigned i = 0; i < 20; i++) {
                ASSERT_EQ(w.create_sm(), NOVA_SUCCESS);
                w.drop();
                const unsigned before = fake_ipis;
                EXPECT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, ~word_t{0}), NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(w.create_pd(SEL_NEW, SEL_HOME, ~word_t{0}), NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 4096), NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(fake_ipis, before);
        }
        EXPECT_GT(w.purse.ended, 0u);
        w.purse.limit = ~word_t{0};
        fake_settle();
        EXPECT_EQ(w.purse.ended, 0u);
}

TEST(account, does_not_wait_for_objects_that_other_threads_have_ended)
{
        Waits w;
        ASSERT_EQ(w.create(NOVA_CREATE_SM, SEL_HOME), NOVA_SUCCESS);
        w.drop();
        w.purse.limit = 32;
        const unsigned before = fake_ipis;
        EXPECT_EQ(w.create_sm(), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(fake_ipis, before);
        w.purse.limit = ~word_t{0};
}

TEST(account, a_working_size_begins_one_period_a_millisecond)
{
        constexpr unsigned ROUNDS = 300;
        Waits w;
        ASSERT_EQ(w.create_sm(), NOVA_SUCCESS);
        w.purse.limit = w.purse.used;
        const unsigned before = fake_ipis;
        for (unsigned i = 0; i < ROUNDS; i++) {
                w.drop();
                ASSERT_EQ(w.create_sm(), NOVA_SUCCESS) << i;
        }
        EXPECT_LE(fake_ipis - before, Waits::ms() + 2);
        EXPECT_GE(Waits::ms(), ROUNDS - 2);
        EXPECT_LE(Waits::ms(), 2 * ROUNDS);
        w.purse.limit = ~word_t{0};
        w.drop();
        fake_settle();
}

TEST(account, a_working_size_is_enough_for_pds_with_accounts_and_objects_of_theirs)
{
        Waits w;
        ASSERT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x4000), NOVA_SUCCESS);
        w.purse.limit = w.purse.used;
        for (unsigned i = 0; i < 50; i++) {
                EXPECT_EQ(w.create(NOVA_CREATE_SM, SEL_NEW), NOVA_BAD_CAP); // taken
                w.drop();
                ASSERT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x4000), NOVA_SUCCESS) << i;
        }
        w.purse.limit = ~word_t{0};
        w.drop();
        fake_settle();
        EXPECT_EQ(w.purse.ended, 0u);
}

// A step has freed the PD, but not all objects that its account pays for.
TEST(account, is_full_again_when_a_pd_ends_whose_memory_returns_in_several_steps)
{
        constexpr word_t SMS = 0x200, COUNT = 40;
        Waits w;
        ASSERT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x4000), NOVA_SUCCESS);
        w.purse.limit = w.purse.used;
        for (word_t i = 0; i < COUNT; i++) {
                REG_P1(w.self) = nova_hypercall_id(NOVA_CREATE_SM, 0, SMS + i);
                REG_P2(w.self) = SEL_NEW;
                REG_P3(w.self) = 0;
                ASSERT_EQ(fake_hypercall(w.self), NOVA_SUCCESS);
        }
        w.drop(SMS, COUNT);
        w.drop();
        fake_tsc += uint64_t{5} * tsc_khz;
        reclaim_timer(cpu_self());
        reclaim_quiescent(cpu_self());
        EXPECT_LT(w.purse.ended, 0x4000u);
        EXPECT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x4000), NOVA_SUCCESS);
        w.purse.limit = ~word_t{0};
        w.drop();
        fake_settle();
}

// The PD is freed before its thread, because mail keeps the thread for another grace period. Until
// the thread is freed, the PD's account keeps a part of the bytes.
TEST(account, is_full_again_when_a_pd_ends_whose_thread_has_mail)
{
        constexpr word_t THREAD = 0x200;
        Waits w;
        ASSERT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x8000), NOVA_SUCCESS);
        w.purse.limit = w.purse.used;
        set_arguments(w.self, nova_hypercall_id(NOVA_CREATE_EC, 0, THREAD), SEL_NEW,
                      0x5000 << PAGE_BITS, 0, 0);
        ASSERT_EQ(fake_hypercall(w.self), NOVA_SUCCESS);
        const Cap cap = caps_of(w.home, NOVA_CRD_OBJ).at(THREAD);
        auto *const object = reinterpret_cast<kobject *>(cap.source);
        mail_send(cpu_self(), &container_of(object, ec, object)->mail, MAIL_RECALL);
        w.drop(THREAD);
        w.drop();
        fake_tsc += uint64_t{5} * tsc_khz;
        reclaim_timer(cpu_self());
        reclaim_quiescent(cpu_self());
        EXPECT_GT(w.purse.used, 0u);
        EXPECT_LT(w.purse.used, 0x8000u);
        EXPECT_EQ(w.create_pd(SEL_NEW, SEL_OTHER, 0x8000), NOVA_SUCCESS);
        w.purse.limit = ~word_t{0};
        w.drop();
        fake_settle();
}

TEST(account, a_single_ended_object_is_freed_when_the_timer_of_its_cpu_says_so)
{
        Waits w;
        cpu *cpu = cpu_self();
        cpu->timer_end = CPU_TIMER_OFF;
        ASSERT_EQ(w.create_sm(), NOVA_SUCCESS);
        const unsigned before = fake_ipis;
        w.drop();
        const word_t used = w.purse.used;
        EXPECT_EQ(fake_timer, uint64_t{5} * tsc_khz);
        reclaim_timer(cpu);
        EXPECT_EQ(fake_ipis, before);
        fake_tsc += uint64_t{5} * tsc_khz;
        fake_second_cpu(nullptr);
        reclaim_timer(cpu_by_id(1)); // this timer has nothing to do
        EXPECT_EQ(fake_ipis, before);
        fake_idle();
        reclaim_timer(cpu);
        EXPECT_EQ(fake_ipis, before + 1);
        reclaim_quiescent(cpu);
        EXPECT_LT(w.purse.used, used);
        EXPECT_EQ(w.purse.used, 0u);
        reclaim_timer(cpu);
        EXPECT_EQ(fake_ipis, before + 1);
}

// The other CPU is the last one that answers the period.
TEST(account, objects_are_freed_by_the_cpu_on_which_they_ended)
{
        Waits w;
        cpu *here = cpu_self(), *other = cpu_by_id(1);
        fake_second_cpu(nullptr);
        other->grace_seen = here->grace_seen;
        ASSERT_EQ(w.create_sm(), NOVA_SUCCESS);
        w.drop();
        fake_tsc += uint64_t{5} * tsc_khz;
        reclaim_timer(here);
        reclaim_quiescent(here);
        const word_t used = w.purse.used;
        const unsigned before = fake_ipis;
        reclaim_quiescent(other);
        EXPECT_EQ(w.purse.used, used);
        EXPECT_EQ(fake_ipis, before + 1); // one IPI, to this CPU
        reclaim_quiescent(other);
        EXPECT_EQ(w.purse.used, used);
        reclaim_quiescent(here);
        EXPECT_LT(w.purse.used, used);
        EXPECT_EQ(w.purse.used, 0u);
        fake_idle();
}

// ---- More ended objects than may wait

// Answers each period at once, like CPUs that run user code.
struct Cycles : Waits {
        cpu *here = cpu_self();

        void cycle()
        {
                ASSERT_EQ(create_sm(), NOVA_SUCCESS);
                drop();
                reclaim_quiescent(here);
        }
};

constexpr unsigned FULL = 1024;

// While the memory of earlier objects is not free yet, the thread that fills the queue waits, and
// lets interrupts in.
unsigned rounds_waited, windows_while_full;

TEST(account, of_a_pd_that_fills_the_queue_makes_this_pd_wait)
{
        Cycles w;
        w.cycle();
        fake_settle();
        const Taken before = taken_now();
        rounds_waited = windows_while_full = 0;
        fake_wait = [] { rounds_waited++; };
        fake_window = [] { windows_while_full += reclaim_is_full(cpu_self()); };
        for (unsigned i = 0; i < 8 * FULL; i++) {
                ASSERT_EQ(w.create_sm(), NOVA_SUCCESS);
                REG_P1(w.self) = nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0);
                REG_P2(w.self) = nova_crd(NOVA_CRD_OBJ, SEL_NEW, 0, NOVA_PERM_ALL);
                w.here->current = w.self;
                w.here->pending = 0;
                fake_run_to_user(fake_enter, w.self);
                ASSERT_FALSE(reclaim_is_full(cpu_self()));
                ASSERT_LE(taken_now().objects, before.objects + 2 * long(FULL) + 2);
        }
        EXPECT_GT(rounds_waited, 100u);
        EXPECT_GT(windows_while_full, 100u);
        fake_idle();
        fake_settle();
        EXPECT_EQ(taken_now(), before);
}

} // namespace
