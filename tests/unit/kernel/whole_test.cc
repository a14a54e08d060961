// SPDX-License-Identifier: BSD-2-Clause
// Mappings that were received under a limit: revocations of other PDs do not cut them but take them
// whole, so that the receiver pays for no parts.
#include <gtest/gtest.h>

#include <random>

#include "kernel.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10001; // large pages never fit
constexpr word_t ALIGNED = 0x400000, LARGE = 0x10000, COUNT = 4096;

// Memory that one PD has delegated to a second one, and that one to a third one under a limit.
struct Chain : Kernel {
        pd *sender = make_pd(), *receiver = make_pd(), *below = make_pd();
        const word_t base, count;

        explicit Chain(word_t pages, bool large = false)
            : base(large ? ALIGNED : BASE), count(pages)
        {
                delegate(&kernel_pd, large ? LARGE : SOURCE, sender, base, count, NOVA_CRD_MEM, 7);
                share();
        }

        void share()
        {
                delegate(sender, base, receiver, base, count, NOVA_CRD_MEM, 7, MAPPING_WHOLE);
        }

        void check(bool settled = true)
        {
                for (pd *one : pds)
                        check_pd(one, settled);
        }

        size_t has(pd *one)
        {
                return caps_of(one, NOVA_CRD_MEM).size();
        }
};

TEST(whole, mapping_goes_when_its_sender_revokes_a_page)
{
        for (const bool self : {false, true}) {
                Chain c(64);
                c.revoke(c.sender, BASE + 3, BASE + 3, NOVA_CRD_MEM, 7, self);
                EXPECT_EQ(c.has(c.receiver), 0u);
                EXPECT_EQ(c.has(c.sender), self ? 63u : 64u);
                c.check();
        }
}

// The sender revokes only a permission, and repeats this for every second page.
TEST(whole, mapping_never_costs_its_receiver_more)
{
        for (const bool large : {false, true}) {
                Chain c(1024, large);
                fake_settle();
                const Taken before = taken_now();
                for (unsigned rounds = 0; rounds < 3; rounds++) {
                        for (word_t i = 1; i < c.count; i += 2) {
                                c.revoke(c.sender, c.base + i, c.base + i, NOVA_CRD_MEM, NOVA_MEM_W,
                                         false);
                                fake_settle();
                                ASSERT_LE(taken_now().bytes, before.bytes);
                        }
                        EXPECT_EQ(c.has(c.receiver), 0u);
                        EXPECT_EQ(c.has(c.sender), c.count);
                        c.share();
                }
                c.check();
        }
}

TEST(whole, mapping_takes_the_mappings_below_it)
{
        Chain c(64);
        c.delegate(c.receiver, BASE + 40, c.below, 1, 24, NOVA_CRD_MEM, 7);
        c.revoke(c.sender, BASE, BASE + 7, NOVA_CRD_MEM, 7, false);
        EXPECT_EQ(c.has(c.below), 0u);
        c.check();
}

// A revocation above the sender cuts the sender's mapping and a mapping beside the one under a
// limit; both keep all pages outside the range.
TEST(whole, mapping_goes_alone)
{
        Chain c(64);
        pd *beside = c.make_pd(), *other = c.make_pd();
        c.delegate(c.sender, BASE, beside, BASE, 64, NOVA_CRD_MEM, 7);
        c.delegate(&kernel_pd, SOURCE, other, 1, 100, NOVA_CRD_MEM, 7);
        c.revoke(&kernel_pd, SOURCE + 60, SOURCE + 69, NOVA_CRD_MEM, NOVA_MEM_W, false);
        EXPECT_EQ(c.has(c.receiver), 0u);
        for (pd *one : {c.sender, beside}) {
                const Caps caps = caps_of(one, NOVA_CRD_MEM);
                EXPECT_EQ(caps.size(), 64u);
                EXPECT_EQ(caps.at(BASE + 59).perms, 7u);
                EXPECT_EQ(caps.at(BASE + 60).perms, 5u);
        }
        EXPECT_EQ(caps_of(other, NOVA_CRD_MEM).at(61).perms, 5u);
        EXPECT_EQ(caps_of(other, NOVA_CRD_MEM).at(71).perms, 7u);
        c.check();
}

TEST(whole, mapping_stays_if_no_end_of_the_range_is_inside_it)
{
        Chain c(64);
        c.delegate(&kernel_pd, SOURCE + 64, c.sender, BASE + 64, 64, NOVA_CRD_MEM, 7);
        c.revoke(c.sender, BASE + 64, BASE + 127, NOVA_CRD_MEM, 7, true);
        EXPECT_EQ(c.has(c.receiver), 64u);
        c.revoke(c.sender, BASE, BASE + 63, NOVA_CRD_MEM, NOVA_MEM_W, true);
        EXPECT_EQ(caps_of(c.receiver, NOVA_CRD_MEM).at(BASE).perms, 5u);
        c.check();
}

// After its own PD has cut the mapping, another PD takes only the part that its range touches.
TEST(whole, mapping_is_cut_by_its_own_pd)
{
        Chain c(64);
        c.revoke(c.receiver, BASE + 30, BASE + 31, NOVA_CRD_MEM, 7, true);
        EXPECT_EQ(c.has(c.receiver), 62u);
        c.revoke(c.sender, BASE + 3, BASE + 3, NOVA_CRD_MEM, 7, false);
        const Caps caps = caps_of(c.receiver, NOVA_CRD_MEM);
        EXPECT_EQ(caps.size(), 32u);
        EXPECT_EQ(caps.begin()->first, BASE + 32);
        c.check();
}

// The PD has received its own memory once more, under a limit. It pays for the parts of both.
TEST(whole, mapping_is_cut_when_its_own_pd_revokes_above_it)
{
        for (const bool self : {false, true}) {
                Chain c(64);
                c.delegate(c.receiver, BASE, c.receiver, BASE + 64, 64, NOVA_CRD_MEM, 7,
                           MAPPING_WHOLE);
                c.delegate(c.receiver, BASE, c.below, BASE, 64, NOVA_CRD_MEM, 7, MAPPING_WHOLE);
                c.revoke(c.receiver, BASE + 30, BASE + 31, NOVA_CRD_MEM, 7, self);
                EXPECT_EQ(c.has(c.receiver), self ? 124u : 126u);
                EXPECT_EQ(c.has(c.below), 0u);
                c.check();
        }
}

// If the PD has no memory for the parts, the mapping goes.
TEST(whole, mapping_goes_if_its_own_pd_cannot_cut_it)
{
        Chain c(64);
        c.delegate(c.receiver, BASE, c.receiver, BASE + 64, 64, NOVA_CRD_MEM, 7, MAPPING_WHOLE);
        fake_settle();
        fake_fail_allocations_from(0);
        c.revoke(c.receiver, BASE + 30, BASE + 31, NOVA_CRD_MEM, 7, false);
        fake_fail_allocation(-1);
        EXPECT_EQ(c.has(c.receiver), 64u);
        c.check();
}

TEST(whole, range_of_ports_goes_when_its_sender_revokes_a_port)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x80, a, 0x80, 64, NOVA_CRD_IO, NOVA_IO_A);
        kernel.delegate(a, 0x80, b, 0x80, 64, NOVA_CRD_IO, NOVA_IO_A, MAPPING_WHOLE);
        kernel.revoke(a, 0x90, 0x90, NOVA_CRD_IO, NOVA_IO_A, false);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_IO).empty());
        EXPECT_EQ(caps_of(a, NOVA_CRD_IO).size(), 64u);
        check_pd(b);
}

// Random delegations along a chain of PDs, some of them under a limit. Each revocation takes at
// least its range from the PDs below, and nothing from the revoking PD.
TEST(whole, mappings_lose_at_least_what_is_revoked)
{
        constexpr word_t SIZE = 300;
        for (unsigned seed = 1; seed <= 60; seed++) {
                SCOPED_TRACE(seed);
                Kernel kernel;
                std::mt19937_64 random(seed);
                for (unsigned i = 0; i < 4; i++)
                        kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, kernel.pds[0], BASE, SIZE, NOVA_CRD_MEM, 7);
                for (unsigned i = 0; i < 80; i++) {
                        const size_t who = random() % 3;
                        pd *const one = kernel.pds[who];
                        const word_t count = 1 + random() % (random() % 2 ? SIZE : 4);
                        const word_t at = BASE + random() % (SIZE - count + 1);
                        if (random() % 3) {
                                kernel.delegate(one, at, kernel.pds[who + 1], at, count,
                                                NOVA_CRD_MEM, 7, random() % 2 ? MAPPING_WHOLE : 0);
                                continue;
                        }
                        const unsigned perms = random() % 2 ? 7 : NOVA_MEM_W;
                        const Caps before = caps_of(one, NOVA_CRD_MEM);
                        kernel.revoke(one, at, at + count - 1, NOVA_CRD_MEM, perms, false);
                        EXPECT_EQ(caps_of(one, NOVA_CRD_MEM), before);
                        for (size_t below = who + 1; below < kernel.pds.size(); below++)
                                for (const auto &[sel, cap] :
                                     caps_of(kernel.pds[below], NOVA_CRD_MEM))
                                        ASSERT_TRUE(sel < at || sel >= at + count ||
                                                    !(cap.perms & perms));
                        for (pd *any : kernel.pds)
                                check_pd(any);
                        ASSERT_FALSE(testing::Test::HasFailure());
                }
        }
}

// The thread that revokes ends after any number of steps. A mapping that has left its space leaves
// nothing below it.
TEST(whole, mapping_goes_with_all_below_it_even_if_the_revoking_thread_ends)
{
        unsigned most = 1;
        for (unsigned steps = 0; steps < most; steps++) {
                SCOPED_TRACE(steps);
                Chain c(COUNT);
                c.delegate(c.receiver, BASE, c.below, BASE, COUNT, NOVA_CRD_MEM, 7);
                Step r(c.sender, BASE + 7, BASE + 7, 7, true);
                unsigned done = 0;
                while (done < steps && r.once() == STEP_AGAIN)
                        done++;
                const size_t had = c.has(c.receiver);
                abandon(&r.r);
                c.check(false);
                EXPECT_TRUE(had == COUNT || !c.has(c.below));
                c.revoke(c.sender, BASE, BASE + COUNT - 1, NOVA_CRD_MEM, 7, true);
                EXPECT_EQ(c.has(c.sender) + c.has(c.receiver) + c.has(c.below), 0u);
                c.check();
                if (done == steps)
                        most = steps + 2;
        }
        EXPECT_GT(most, 6u);
}

// One thread stops in the middle of a revocation. The revocations of other threads finish, and cut
// no part from the mapping that is being taken.
TEST(whole, mapping_costs_no_more_while_a_thread_takes_it)
{
        for (unsigned steps = 1; steps < 12; steps++) {
                SCOPED_TRACE(steps);
                Chain c(COUNT);
                c.delegate(c.receiver, BASE + 5, c.below, BASE, COUNT - 5, NOVA_CRD_MEM, 7);
                Step slow(c.sender, BASE + 7, BASE + 7, NOVA_MEM_W, false);
                for (unsigned i = 0; i < steps; i++)
                        slow.once();
                fake_settle();
                const Taken before = taken_now();
                for (word_t i = 1000; i < 1100; i += 2) {
                        Step fast(c.sender, BASE + i, BASE + i, NOVA_MEM_W, false);
                        EXPECT_LT(fast.finish(), 100u);
                        fake_settle();
                        ASSERT_LE(taken_now().bytes, before.bytes);
                }
                Step own(c.receiver, BASE + 100, BASE + 101, NOVA_MEM_W, true);
                EXPECT_LT(own.finish(), 100u);
                slow.finish();
                c.check();
                EXPECT_EQ(c.has(c.receiver) + c.has(c.below), 0u);
                EXPECT_EQ(c.has(c.sender), COUNT);
        }
}

} // namespace
