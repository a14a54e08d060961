// SPDX-License-Identifier: BSD-2-Clause
// Who pays: objects are charged to the PD that the hypercall names as owner, whoever calls.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "nova/abi/utcb.h"
#include "thread.h"
}

namespace
{

constexpr word_t SEL_HOME = 1, SEL_OTHER = 2, SEL_LOCAL = 3, SEL_GLOBAL = 4, SEL_NEW = 0x40;

// A caller in one PD, and another PD with an account of its own.
struct Owners : Kernel {
        account purse = {0, ~word_t{0}, nullptr, 0};
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
                REG_P1(self) = nova_hypercall_id(number, 0, SEL_NEW);
                REG_P2(self) = owner;
                REG_P3(self) = 0;
                REG_P4(self) = 0;
                REG_P5(self) = 0;
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

TEST(account, an_owner_that_has_no_more_is_refused_and_others_are_not)
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

TEST(account, a_space_pays_for_what_is_delegated_into_it)
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
        EXPECT_GT(owners.purse.used, 7u * PAGE_SIZE); // three tables each, and the root
        owners.revoke(owners.other, 0x100, 0x10f, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_EQ(owners.purse.used, PAGE_SIZE);
        second_level_fini(owners.other);
        EXPECT_EQ(owners.purse.used, 0u);
}

TEST(account, ports_are_not_given_beyond_the_limit)
{
        Owners owners;
        owners.purse.limit = 1024;
        delegation d = {};
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
        EXPECT_EQ(account_root.used, before.bytes + 1000 + account_size());
        account_return(child, 1000);
        EXPECT_EQ(taken_now(), before);
}

TEST(account, moves_what_is_unused_and_no_more)
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

} // namespace
