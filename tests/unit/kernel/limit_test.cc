// SPDX-License-Identifier: BSD-2-Clause
// The state after a delegation that exceeds its limit, when other operations come between its
// steps: the sender ends, mappings are revoked or delegated further, or memory runs out.
#include <gtest/gtest.h>

#include <random>

#include "kernel.h"

extern "C" {
#include "space/mapping_tree.h"
}

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10000; // large pages never fit
constexpr word_t COUNT = 4096;
constexpr uint32_t LIMIT = 5 * PAGE_SIZE; // reached in the middle of the delegation

// Executes up to a number of steps; returns the last result.
step_result some_steps(delegation *d, unsigned count)
{
        step_result result = STEP_AGAIN;
        while (count-- && result == STEP_AGAIN)
                result = delegation_step(d);
        return result;
}

step_result all_steps(delegation *d)
{
        return some_steps(d, ~0u);
}

delegation make_limited(pd *from, word_t first, pd *to, word_t count, uint32_t limit)
{
        delegation d = make_delegation(from, first, to, BASE, count, NOVA_CRD_MEM, 7);
        d.left = limit + 1;
        return d;
}

// Ends the sender after any number of steps. The target pays no more than the limit, and its tables
// agree with the database.
void end_senders(Kernel &kernel, pd *from, word_t first, pd *to, word_t count, uint32_t every)
{
        kernel.delegate(from, first, to, 1, 1, NOVA_CRD_MEM, 7);
        kernel.revoke(to, 1, 1, NOVA_CRD_MEM, 7, true);
        step_result result = STEP_AGAIN;
        for (uint32_t limit = 0; result != STEP_DONE; limit += every) {
                result = STEP_AGAIN;
                for (unsigned steps = 1; result == STEP_AGAIN; steps++) {
                        SCOPED_TRACE(testing::Message() << limit << ' ' << steps);
                        fake_settle();
                        const Taken before = taken_now();
                        delegation d = make_limited(from, first, to, count, limit);
                        result = some_steps(&d, steps);
                        abandon(&d);
                        check_pd(to);
                        fake_settle();
                        EXPECT_LE(taken_now().bytes, before.bytes + limit);
                        kernel.revoke(to, BASE, BASE + count - 1, NOVA_CRD_MEM, 7, true);
                        fake_settle();
                        ASSERT_EQ(taken_now(), before);
                        ASSERT_FALSE(testing::Test::HasFailure());
                }
        }
}

TEST(limit, is_kept_for_memory_whose_sender_ends)
{
        Kernel kernel;
        end_senders(kernel, &kernel_pd, SOURCE, kernel.make_pd(), COUNT, 3000);
}

TEST(limit, is_kept_for_pieces_of_memory_whose_sender_ends)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        for (word_t i = 0; i < 4; i++)
                kernel.delegate(&kernel_pd, SOURCE + 1000 * i, a, BASE + 700 * i, 700, NOVA_CRD_MEM,
                                7);
        end_senders(kernel, a, BASE, kernel.make_pd(), 2800, 2000);
}

// A message under a limit does not create the second-level page tables that the target lacks.
TEST(limit, creates_no_root_of_a_second_level_page_table)
{
        Kernel kernel;
        pd *to = kernel.make_pd();
        const nova_crd_t crd = nova_crd(NOVA_CRD_MEM, SOURCE, 4, NOVA_MEM_RWX);
        const auto receive = [&](nova_crd_t window, uint32_t left, word_t flags) {
                delegation d = {};
                d.left = left;
                EXPECT_NE(delegation_begin(&kernel_pd, to, crd, flags, window, &d), 0u);
                EXPECT_EQ(all_steps(&d), STEP_DONE);
        };
        const word_t both = NOVA_ITEM_D | NOVA_ITEM_G;

        receive(nova_crd(NOVA_CRD_MEM, 0x400, 4, NOVA_MEM_RWX), 12 * PAGE_SIZE, both);
        EXPECT_EQ(to->dma.root, nullptr);
        EXPECT_EQ(to->guest.root, nullptr);
        EXPECT_EQ(mapping_find(&to->memory.space, 0x400, 0x400)->attr, MAPPING_WHOLE);
        check_pd(to);

        receive(nova_crd(NOVA_CRD_MEM, 0x410, 4, NOVA_MEM_RWX), 0, NOVA_ITEM_D);
        EXPECT_NE(to->dma.root, nullptr);
        receive(nova_crd(NOVA_CRD_MEM, 0x420, 4, NOVA_MEM_RWX), 12 * PAGE_SIZE, both);
        EXPECT_EQ(to->guest.root, nullptr);
        EXPECT_EQ(mapping_find(&to->memory.space, 0x420, 0x420)->attr, MAPPING_WHOLE | MAPPING_DMA);
        check_pd(to);
}

// The delegation is abandoned after its target's PD has been destroyed.
TEST(limit, lets_a_pd_go_that_has_ended)
{
        for (unsigned steps = 1; steps < 12; steps++) {
                Kernel kernel;
                const Taken before = taken_now();
                pd *a = kernel.make_pd();
                delegation d = make_limited(&kernel_pd, SOURCE, a, COUNT, LIMIT);
                some_steps(&d, steps);
                kernel.destroy(a);
                abandon(&d);
                fake_settle();
                EXPECT_EQ(taken_now(), before);
        }
}

// Another thread revokes the first part of the range during the delegation. The record of this part
// waits for the delegation.
TEST(limit, gives_back_the_record_of_a_part_that_was_revoked)
{
        for (const bool ends : {false, true})
                for (unsigned steps = 1; steps < 12; steps++) {
                        SCOPED_TRACE(steps);
                        Kernel kernel;
                        pd *a = kernel.make_pd();
                        kernel.delegate(&kernel_pd, SOURCE, a, 1, 1, NOVA_CRD_MEM, 7);
                        const Taken before = taken_now();
                        delegation d = make_limited(&kernel_pd, SOURCE, a, COUNT, LIMIT);
                        some_steps(&d, steps);
                        kernel.revoke(&kernel_pd, SOURCE + 1, SOURCE + 99, NOVA_CRD_MEM, 7, false);
                        ends ? void(abandon(&d)) : void(all_steps(&d));
                        check_pd(a);
                        EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).size(), 1u);
                        fake_settle();
                        EXPECT_EQ(taken_now(), before);
                }
}

// Pages that the receiver has delegated further stay with it, and have all their tables. Without
// memory for the tables the pages are removed.
TEST(limit, leaves_tables_of_mappings_that_were_delegated_further)
{
        for (const bool memory : {true, false})
                for (const word_t place : {1, 1200, 4000})
                        for (unsigned steps = 1; steps < 16; steps++) {
                                SCOPED_TRACE(testing::Message() << place << ' ' << steps);
                                Kernel kernel;
                                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                                delegation d = make_limited(&kernel_pd, SOURCE, a, COUNT, LIMIT);
                                delegation_step(&d);
                                kernel.delegate(a, BASE + place, b, BASE, 1, NOVA_CRD_MEM, 7);
                                fake_fail_allocations_from(memory ? -1 : 3);
                                some_steps(&d, steps);
                                abandon(&d);
                                fake_fail_allocation(-1);
                                check_pd(a);
                                check_pd(b);
                                const Caps left = caps_of(a, NOVA_CRD_MEM);
                                EXPECT_EQ(caps_of(b, NOVA_CRD_MEM).size(),
                                          left.count(BASE + place));
                                EXPECT_TRUE(!memory || left.count(BASE + place));
                                kernel.revoke(&kernel_pd, SOURCE, SOURCE + COUNT - 1, NOVA_CRD_MEM,
                                              7, false);
                                EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
                                check_pd(a);
                        }
}

// Other threads revoke, delegate further and take all memory between any two steps.
struct Others {
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd(), *c = kernel.make_pd();
        std::mt19937 random;
        revocation open[2] = {};

        explicit Others(unsigned seed) : random(seed)
        {
                for (word_t i = 0; i < COUNT; i += COUNT / 2)
                        kernel.delegate(&kernel_pd, SOURCE + 2 * i, a, BASE + i, COUNT / 2,
                                        NOVA_CRD_MEM, 7);
        }

        word_t below(word_t end)
        {
                return random() % end;
        }

        void revoke(revocation *r)
        {
                pd *from = below(2) ? a : b;
                const word_t first = below(COUNT);
                const word_t last = first + below(COUNT - first);
                const unsigned perms = below(2) ? NOVA_MEM_W : NOVA_MEM_RWX;
                revocation_begin(r, &from->memory.space, BASE + first, BASE + last, perms,
                                 from == b && below(2));
        }

        void delegate_on()
        {
                delegation d = make_delegation(b, BASE + below(COUNT), c, BASE + below(COUNT),
                                               1 + below(20), NOVA_CRD_MEM, 7);
                while (delegation_step(&d) == STEP_AGAIN)
                        ;
        }

        void act()
        {
                revocation *r = &open[below(2)];

                fake_fail_allocations_from(below(8) ? -1 : static_cast<long>(below(4)));
                if (below(3) == 0)
                        delegate_on();
                else if (revocation_is_open(r))
                        below(4) ? void(revocation_step(r)) : void(abandon(r));
                else if (below(4) == 0) {
                        revoke(r);
                        revocation_step(r);
                }
        }

        void run()
        {
                delegation d = make_limited(a, BASE, b, COUNT, uint32_t(below(10 * PAGE_SIZE)));
                const unsigned steps = unsigned(below(30));
                step_result result = STEP_AGAIN;

                for (unsigned i = 0; i < steps && result == STEP_AGAIN; i++) {
                        result = delegation_step(&d);
                        act();
                }
                for (; delegation_is_open(&d); act())
                        delegation_finish_step(&d);
                fake_fail_allocation(-1);
                for (revocation &one : open)
                        while (revocation_is_open(&one) && revocation_step(&one) == STEP_AGAIN)
                                ;
                check_pd(a);
                check_pd(b, false);
                check_pd(c, false);
                for (const auto &[sel, cap] : caps_of(b, NOVA_CRD_MEM))
                        ASSERT_NE(cap.perms, 0u) << sel;
        }
};

TEST(limit, leaves_tables_like_the_database_while_other_threads_change_it)
{
        for (unsigned seed = 0; seed < 300; seed++) {
                SCOPED_TRACE(seed);
                Others(seed).run();
                ASSERT_FALSE(testing::Test::HasFailure());
        }
}

} // namespace
