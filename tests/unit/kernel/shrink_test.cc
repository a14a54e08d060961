// SPDX-License-Identifier: BSD-2-Clause
// Accounts of PDs that were destroyed or freed while other PDs keep objects for which they pay.
#include <gtest/gtest.h>

#include <thread>

#include "kernel.h"

namespace
{

// A PD was freed, and another PD still has objects for which the account of the freed PD pays.
TEST(shrink, of_a_freed_pds_account_gives_back_what_its_objects_used)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *a = account_create(&account_root, 10000), *b = account_create(a, 5000);
        EXPECT_TRUE(account_charge(b, 4000));
        account_leave(b);
        EXPECT_EQ(a->used, account_size() + 4000);
        account_return_freed(b, 3900);
        EXPECT_EQ(a->used, account_size() + 100);
        account_shrink(a);
        EXPECT_EQ(account_root.used, before.bytes + account_size() + 100);
        account_leave(a);
        EXPECT_EQ(account_root.used, before.bytes + 100);
        account_return_freed(b, 100);
        EXPECT_EQ(taken_now(), before);
}

// Each freed object lowers the limits of all accounts of a chain. So the kernel counts each of
// these accounts as work of the step (short_steps: close_few_chains_of_accounts).
TEST(shrink, of_a_chain_of_accounts_makes_a_step_of_the_grace_period_short)
{
        Kernel kernel;
        const Taken before = taken_now();
        std::vector<account *> chain = {&account_root};
        while (account *next = account_create(chain.back(), 100000 - 100 * chain.size()))
                chain.push_back(next);
        EXPECT_TRUE(account_charge(chain.back(), 200));
        for (size_t i = 1; i < chain.size(); i++)
                account_leave(chain[i]);
        EXPECT_EQ(account_root.used, before.bytes + 200);
        const uint32_t steps = account_steps[0];
        account_return_freed(chain.back(), 100);
        EXPECT_EQ(account_steps[0] - steps, uint32_t{ACCOUNT_DEPTH_MAX});
        EXPECT_EQ(account_root.used, before.bytes + 100);
        account_return_freed(chain.back(), 100);
        EXPECT_EQ(taken_now(), before);
}

// Another CPU returns bytes: it has read that the account does not shrink, just before the account
// begins to shrink.
TEST(shrink, of_an_account_includes_what_an_earlier_return_left)
{
        Kernel kernel;
        const Taken before = taken_now();
        account *one = account_create(&account_root, 10000);
        EXPECT_TRUE(account_charge(one, 3000));
        account_shrink(one);
        account_return(one, 1000); // of the other CPU
        EXPECT_EQ(account_root.used, before.bytes + account_size() + 3000);
        account_return_freed(one, 500);
        EXPECT_EQ(account_root.used, before.bytes + account_size() + 1500);
        account_leave(one);
        account_return_freed(one, 1500);
        EXPECT_EQ(taken_now(), before);
}

TEST(shrink, of_an_account_while_other_cpus_return_bytes_loses_none)
{
        constexpr word_t BYTES = 64, COUNT = 20000, LEFT = 7 * BYTES;
        Kernel kernel;
        const Taken before = taken_now();
        for (unsigned round = 0; round < 40; round++) {
                account *one = account_create(&account_root, 4 * COUNT * BYTES);
                EXPECT_TRUE(account_charge(one, 2 * COUNT * BYTES + LEFT + BYTES));
                const auto give_back = [=] {
                        for (word_t i = 0; i < COUNT; i++)
                                account_return_freed(one, BYTES);
                };
                std::thread a(give_back), b(give_back);
                while (load_once(one->used) > COUNT * BYTES)
                        ;
                account_shrink(one);
                a.join();
                b.join();
                account_return_freed(one, BYTES);
                EXPECT_EQ(one->used, account_size() + LEFT);
                EXPECT_EQ(one->limit, one->used);
                EXPECT_EQ(account_root.used, before.bytes + one->used);
                account_leave(one);
                account_return_freed(one, LEFT);
                ASSERT_EQ(taken_now(), before);
        }
}

// A PD lives on with the account of a freed PD. The bytes of its freed mappings and tables are
// returned together with its next freed object, which here is the PD itself: a step frees many
// mappings and tables, and must not climb through a chain of accounts for each.
TEST(shrink, of_a_freed_pds_account_includes_mappings_and_tables_at_the_next_object)
{
        constexpr word_t FAR = 2 * RADIX_FIRST;
        Kernel kernel;
        pd *owner = nullptr, *user = nullptr, *source = kernel.make_pd();
        kernel.make_sm(source, 0);
        fake_settle();
        const Taken before = taken_now();
        ASSERT_EQ(pd_create(&kernel_pd, &account_root, 0x100000, &owner), NOVA_SUCCESS);
        ASSERT_EQ(pd_create(&kernel_pd, owner->account, 0, &user), NOVA_SUCCESS);
        kernel.pds.push_back(user);
        const account *const shared = user->account;
        kernel.delegate(source, 0, user, FAR, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        kernel.delegate(&kernel_pd, 0x200, user, 0x200, 0x400, NOVA_CRD_MEM, NOVA_MEM_RWX);
        kernel.delegate(&kernel_pd, 0x60, user, 0x60, 8, NOVA_CRD_IO, NOVA_IO_A);
        object_put(&owner->object);
        fake_settle();
        EXPECT_EQ(shared->limit, shared->used);
        kernel.revoke(user, FAR, FAR, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
        kernel.revoke(user, 0x200, 0x600, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        kernel.revoke(user, 0x60, 0x67, NOVA_CRD_IO, NOVA_PERM_ALL, true);
        EXPECT_GT(shared->limit, shared->used);
        EXPECT_EQ(account_root.used, before.bytes + shared->limit);
        kernel.destroy(user);
        EXPECT_EQ(taken_now(), before);
}

} // namespace
