// SPDX-License-Identifier: BSD-2-Clause
// Accounts of PDs that were destroyed or freed while other PDs keep objects of them.
#include <gtest/gtest.h>

#include "kernel.h"

namespace
{

// A PD was freed, and another PD still has objects for which its account pays.
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

// Each freed object lowers the limits of all accounts of a chain, so these count as work of the
// step (short_steps: close_few_chains_of_accounts).
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

} // namespace
