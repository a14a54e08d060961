// SPDX-License-Identifier: BSD-2-Clause
// Long operations in steps, with others between them.
#include <gtest/gtest.h>

#include "kernel.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10000; // never large pages

struct Step {
        revocation r;

        Step(pd *from, word_t first, word_t last, unsigned perms, bool self,
             unsigned type = NOVA_CRD_MEM)
        {
                revocation_begin(&r, pd_space(from, type), first, last, perms, self);
        }

        step_result once()
        {
                return revocation_step(&r);
        }

        unsigned finish()
        {
                unsigned steps = 1;
                while (once() == STEP_AGAIN)
                        steps++;
                return steps;
        }
};

TEST(step, ends_a_delegation_after_a_budget_of_entries)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 4096, NOVA_CRD_MEM, 7);
        unsigned steps = 1;
        while (delegation_step(&d) == STEP_AGAIN)
                steps++;
        EXPECT_GE(steps, 4096u / STEP_ENTRIES);
        check_pd(a);
        EXPECT_GE(Step(a, BASE, BASE + 4095, NOVA_MEM_W, true).finish(), 4096u / STEP_ENTRIES);
        check_pd(a);
        // A table goes as a whole.
        EXPECT_LE(Step(a, BASE, BASE + 4095, 7, true).finish(), 4u);
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        check_pd(a);
}

TEST(step, ends_after_a_budget_of_mappings)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        for (word_t i = 0; i < 500; i++)
                kernel.make_sm(a, i);
        delegation d = make_delegation(a, 0, b, 0, 512, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        unsigned steps = 1;
        while (delegation_step(&d) == STEP_AGAIN)
                steps++;
        EXPECT_GE(steps, 500u / STEP_MAPPINGS);
        EXPECT_EQ(caps_of(b, NOVA_CRD_OBJ).size(), 500u);
        EXPECT_GE(Step(a, 0, 511, NOVA_PERM_ALL, false, NOVA_CRD_OBJ).finish(),
                  500u / STEP_MAPPINGS);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_OBJ).empty());
        EXPECT_EQ(caps_of(a, NOVA_CRD_OBJ).size(), 500u);
}

TEST(step, lets_nothing_be_delegated_from_what_is_being_revoked)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        Step step(a, BASE, BASE + 1999, NOVA_MEM_W, true);
        EXPECT_EQ(step.once(), STEP_AGAIN);
        kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7);
        step.finish();
        check_pd(a);
        check_pd(b);
        for (const auto &[sel, cap] : caps_of(b, NOVA_CRD_MEM))
                ASSERT_EQ(cap.perms, 5u);
}

TEST(step, is_given_up_without_a_trace_in_the_database)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7);
        for (unsigned steps = 1; steps < 8; steps++) {
                Step step(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_PERM_ALL, false);
                for (unsigned i = 0; i < steps; i++)
                        step.once();
                revocation_cancel(&step.r);
                EXPECT_EQ(step.r.pin, nullptr);
        }
        Step(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_PERM_ALL, false).finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
        check_pd(b);
}

} // namespace
