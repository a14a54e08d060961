// SPDX-License-Identifier: BSD-2-Clause
// Bounds on the work with interrupts off, where there are many tables, accounts or ancestors.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "ipc/item.h"
#include "ipc/translation.h"
#include "nova/abi/hypercall.h"
#include "space/mapping_tree.h"
}

namespace
{

constexpr word_t LARGE = 512;
constexpr word_t FAR = word_t{1} << 27; // number of pages that one entry of the root table covers

// Expects at most this number of new frames in each step.
class FrameWatch
{
      public:
        explicit FrameWatch(long limit) : most(limit), before(taken_now().frames)
        {
        }

        ~FrameWatch()
        {
                EXPECT_LE(taken_now().frames - before, most);
        }

      private:
        const long most, before;
};

// A kernel on a CPU that can run guests.
struct GuestKernel {
        struct Off {
                ~Off()
                {
                        fake_guest_boot(false);
                }
        } off;
        Kernel kernel; // ends first

        GuestKernel()
        {
                fake_guest_boot(true);
        }
};

// A revocation of a small page cuts a chain of large pages, each delegated from the one before.
TEST(short_steps, split_the_large_pages_of_one_mapping_at_most)
{
        constexpr word_t LINKS = 30, first = 0x400000;
        for (const unsigned attr : {0u, unsigned(MAPPING_DMA), unsigned(MAPPING_GUEST),
                                    unsigned(MAPPING_DMA | MAPPING_GUEST)}) {
                GuestKernel guests;
                Kernel &kernel = guests.kernel;
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, 0x10000, a, first, LARGE, NOVA_CRD_MEM, 7, attr);
                for (word_t i = 0; i < LINKS; i++)
                        kernel.delegate(a, first + i * LARGE, a, first + (i + 1) * LARGE, LARGE,
                                        NOVA_CRD_MEM, 7, attr);
                const long before = taken_now().frames;
                revocation r;
                revocation_begin(&r, &a->memory.space, first + 100, first + 100, 7, false);
                step_result result = STEP_AGAIN;
                while (result == STEP_AGAIN && !HasFailure()) {
                        FrameWatch watch(3); // page table, DMA table, guest table
                        result = revocation_step(&r);
                }
                EXPECT_GE(taken_now().frames - before, long(LINKS));
                check_pd(a);
        }
}

// A cut that finds no memory for its second table has already written the first one.
TEST(short_steps, split_no_more_after_a_cut_that_found_no_memory)
{
        constexpr word_t first = 0x400000;
        for (long fails = 0; fails < 3; fails++) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, 0x10000, a, first, LARGE, NOVA_CRD_MEM, 7);
                revocation r;
                revocation_begin(&r, &a->memory.space, first + 100, first + 100, 7, true);
                fake_settle();
                EXPECT_EQ(revocation_step(&r), STEP_AGAIN);
                fake_fail_allocations_from(fails);
                EXPECT_EQ(revocation_step(&r), STEP_AGAIN);
                EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).count(first + 100));
                fake_fail_allocation(-1);
                while (revocation_step(&r) == STEP_AGAIN)
                        ;
                EXPECT_FALSE(caps_of(a, NOVA_CRD_MEM).count(first + 100));
                check_pd(a);
        }
}

// Single pages that share no table but the root need several new tables each.
TEST(short_steps, create_the_tables_of_few_pages)
{
        constexpr word_t PAGES = 16, COUNT = 2 * PAGES * FAR;
        for (const uint32_t limit : {0u, ~0u})
                for (const unsigned attr :
                     {0u, unsigned(MAPPING_DMA), unsigned(MAPPING_DMA | MAPPING_GUEST)}) {
                        GuestKernel guests;
                        Kernel &kernel = guests.kernel;
                        pd *a = kernel.make_pd(), *b = kernel.make_pd();
                        for (word_t i = 0; i < PAGES; i++)
                                kernel.delegate(&kernel_pd, 0x10001, a, (PAGES + i) * FAR, 1,
                                                NOVA_CRD_MEM, 7, 0);
                        delegation d = make_delegation(a, 0, b, 0, COUNT, NOVA_CRD_MEM, 7, attr);
                        d.left = limit;
                        step_result result = STEP_AGAIN;
                        while (result == STEP_AGAIN && !HasFailure()) {
                                FrameWatch watch(STEP_ENTRIES / BUDGET_NEW_TABLE + 9);
                                result = delegation_step(&d);
                        }
                        EXPECT_EQ(result, STEP_DONE);
                        EXPECT_EQ(caps_of(b, NOVA_CRD_MEM).size(), PAGES);
                        check_pd(b);
                }
}

// The pages are delegated, then revoked. Each page has tables of its own, which become empty when
// the page is revoked.
TEST(short_steps, empty_the_tables_of_few_pages)
{
        constexpr word_t PAGES = 40;
        constexpr unsigned MOST = STEP_ENTRIES / BUDGET_OLD_TABLES;
        GuestKernel guests;
        Kernel &kernel = guests.kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x10001, a, 0, 1, NOVA_CRD_MEM, 7, 0);
        for (const bool at_once : {true, false}) {
                for (word_t i = 0; i < PAGES; i++)
                        kernel.delegate(a, 0, b, i * FAR, 1, NOVA_CRD_MEM, 7,
                                        MAPPING_DMA | MAPPING_GUEST);
                const long before = taken_now().objects;
                if (at_once) {
                        EXPECT_FALSE(range_revoke(&a->memory.space, 0, 0, 7));
                        EXPECT_LE(before - taken_now().objects, MOST);
                }
                revocation r;
                revocation_begin(&r, &a->memory.space, 0, 0, 7, false);
                step_result result = STEP_AGAIN;
                while (result == STEP_AGAIN && !HasFailure()) {
                        const long left = taken_now().objects;
                        result = revocation_step(&r);
                        EXPECT_LE(left - taken_now().objects, MOST);
                }
                EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
                check_pd(b);
        }
}

// The hypercall first drops some mappings directly. It opens a window before the first step that
// drops the others.
TEST(short_steps, revoke_few_mappings_in_a_hypercall)
{
        constexpr word_t PAGES = 40;
        static long left, most;
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        ec *self = kernel.make_ec(a, 0x1000);
        kernel.delegate(&kernel_pd, 0x10001, a, 0, 1, NOVA_CRD_MEM, 7, 0);
        for (word_t i = 0; i < PAGES; i++)
                kernel.delegate(a, 0, b, i, 1, NOVA_CRD_MEM, 7, 0);
        set_arguments(self, nova_hypercall_id(NOVA_REVOKE, 0, 0),
                      nova_crd(NOVA_CRD_MEM, 0, 0, NOVA_PERM_ALL), 0, 0, 0);
        cpu_self()->current = cpu_self()->current_sc->ec = self;
        left = taken_now().objects;
        most = 0;
        fake_window = [] {
                const long now = taken_now().objects;
                most = std::max(most, left - now);
                left = now;
        };
        self->state = EC_READY;
        cpu_self()->pending = 0;
        EXPECT_EQ(fake_run_to_user(fake_enter, self), self);
        fake_idle();
        EXPECT_LE(most, STEP_MAPPINGS);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
}

// When the last object that is charged to a chain of accounts is freed, the whole chain closes.
TEST(short_steps, close_few_chains_of_accounts)
{
        constexpr unsigned CHAINS = 60;
        Kernel kernel;
        fake_tsc = uint64_t{1} << 40;
        for (const bool pds : {false, true}) {
                const Taken before = taken_now();
                std::vector<account *> all;
                for (unsigned i = 0; i < CHAINS; i++) {
                        account *last = &account_root;
                        while (account *next =
                                       account_create(last, 200000 - 2000 * (last->depth + 1)))
                                all.push_back(last = next);
                        sm *semaphore = nullptr;
                        pd *domain = nullptr;
                        if (pds) {
                                ASSERT_EQ(pd_create(&kernel_pd, last, 0, &domain), NOVA_SUCCESS);
                                object_put(&domain->object);
                        } else {
                                ASSERT_EQ(sm_create(last, 0, &semaphore), NOVA_SUCCESS);
                                object_put(&semaphore->object);
                        }
                }
                for (account *one : all)
                        account_leave(one);
                while (cpu_self()->dying)
                        object_reap();
                long most = 0, left = taken_now().objects;
                for (unsigned i = 0; i < 10 * CHAINS && left > before.objects; i++) {
                        fake_tsc += uint64_t{10} * tsc_khz;
                        reclaim_timer(cpu_self());
                        reclaim_quiescent(cpu_self());
                        const long now = taken_now().objects;
                        most = std::max(most, left - now);
                        left = now;
                }
                EXPECT_LE(most, 3l * ACCOUNT_DEPTH_MAX);
                EXPECT_EQ(taken_now(), before);
        }
        fake_tsc = 0;
}

// Mappings of ended PDs are all that is charged to their chains of accounts. A thread that has
// stopped below these mappings frees them one after another.
TEST(short_steps, close_few_chains_of_accounts_with_mappings)
{
        constexpr unsigned CHAINS = 30;
        constexpr word_t AT = 0x400001, SOURCE = 0x10001, COUNT = 64;
        Kernel kernel;
        std::vector<account *> all;
        std::vector<pd *> ended;
        pd *from = &kernel_pd, *a = kernel.make_pd(), *b = kernel.make_pd();
        for (unsigned i = 0; i <= CHAINS; i++) {
                account *last = &account_root;
                while (account *next = account_create(last, 200000 - 2000 * (last->depth + 1)))
                        all.push_back(last = next);
                pd *to = a;
                if (i < CHAINS) {
                        ASSERT_EQ(pd_create(&kernel_pd, last, 0, &to), NOVA_SUCCESS);
                        ended.push_back(to);
                }
                kernel.delegate(from, from == &kernel_pd ? SOURCE : AT, to, AT, COUNT, NOVA_CRD_MEM,
                                7, 0);
                from = to;
        }
        for (word_t i = 0; i < COUNT; i++)
                kernel.delegate(a, AT + i, b, AT + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
        revocation r;
        revocation_begin(&r, &a->memory.space, AT, AT + COUNT - 1, 7, false);
        EXPECT_EQ(revocation_step(&r), STEP_AGAIN);
        kernel.revoke(&kernel_pd, SOURCE, SOURCE + COUNT - 1, NOVA_CRD_MEM, 7, false);
        for (pd *one : ended) {
                EXPECT_TRUE(pd_destroy_begin(one));
                object_put(&one->object);
        }
        for (account *one : all)
                account_leave(one);
        fake_settle();
        const uint32_t before = account_steps[0];
        step_result result = STEP_AGAIN;
        while (result == STEP_AGAIN) {
                const uint32_t steps = account_steps[0];
                result = revocation_step(&r);
                EXPECT_LE(account_steps[0] - steps, 3u * ACCOUNT_DEPTH_MAX);
        }
        EXPECT_GE(account_steps[0] - before, (CHAINS - 1) * ACCOUNT_DEPTH_MAX);
}

// ---- Translations along long chains of delegations

constexpr word_t BASE = 0x400001, LINKS = 900, STRIDE = 16, SIZE = 8;
unsigned windows;
void (*disturb)();

struct Chain : Kernel {
        pd *a = make_pd(), *b = make_pd();

        Chain()
        {
                windows = 0;
                delegate(&kernel_pd, 0x10001, b, BASE, SIZE, NOVA_CRD_MEM, 7, 0);
                delegate(b, BASE, a, BASE, SIZE, NOVA_CRD_MEM, 7, 0);
                for (word_t i = 0; i < LINKS; i++)
                        delegate(a, BASE + i * STRIDE, a, BASE + (i + 1) * STRIDE, SIZE,
                                 NOVA_CRD_MEM, 7, 0);
                fake_window = [] {
                        windows++;
                        if (disturb)
                                disturb();
                };
        }

        ~Chain()
        {
                fake_window = nullptr;
                disturb = nullptr;
        }

        // Returns a page at the chain's lower end.
        static nova_crd_t wanted()
        {
                return nova_crd(NOVA_CRD_MEM, BASE + LINKS * STRIDE + 4, 0, NOVA_PERM_ALL);
        }

        nova_crd_t translate()
        {
                return translation_find(&a->memory.space, wanted(), &b->memory.space,
                                        nova_crd(NOVA_CRD_MEM, 0, 31, NOVA_PERM_ALL));
        }
};

nova_crd_t expected()
{
        return nova_crd(NOVA_CRD_MEM, BASE + 4, 0, NOVA_MEM_RWX);
}

TEST(short_steps, climb_to_few_ancestors)
{
        Chain chain;
        EXPECT_EQ(chain.translate(), expected());
        EXPECT_GE(windows, LINKS / 64);
        EXPECT_LE(windows, LINKS / 16);
}

// The chain whose mappings are changed in the windows of a climb.
Chain *changed;

TEST(translation, finds_the_ancestor_of_a_chain_that_is_cut_meanwhile)
{
        Chain chain;
        changed = &chain;
        disturb = [] {
                if (windows == 3)
                        changed->revoke(changed->b, BASE, BASE + 2, NOVA_CRD_MEM, 7, false);
        };
        EXPECT_EQ(chain.translate(), expected());
        for (pd *one : chain.pds)
                check_pd(one);
}

TEST(translation, ends_when_the_chain_is_cut_again_and_again)
{
        Chain chain;
        changed = &chain;
        disturb = [] {
                if (windows <= 4)
                        changed->revoke(changed->b, BASE + windows - 1, BASE + windows - 1,
                                        NOVA_CRD_MEM, NOVA_MEM_X, false);
        };
        EXPECT_EQ(chain.translate(), 0u);
        EXPECT_EQ(windows, 4u);
        EXPECT_EQ(chain.translate(), expected());
}

TEST(translation, finds_nothing_when_the_chain_is_revoked_meanwhile)
{
        for (unsigned when : {1u, 2u, 9u, 14u}) {
                static unsigned window;
                window = when;
                Chain chain;
                changed = &chain;
                disturb = [] {
                        if (windows == window)
                                changed->revoke(changed->b, BASE, BASE + SIZE - 1, NOVA_CRD_MEM, 7,
                                                false);
                };
                EXPECT_EQ(chain.translate(), 0u);
                EXPECT_TRUE(caps_of(chain.a, NOVA_CRD_MEM).empty());
                check_pd(chain.a);
        }
}

// A call translates an item, and its caller ends in a window of the climb. The callee waits for
// requests again, so nothing may be written to its UTCB. The destructor expects all memory back.
TEST(translation, writes_no_result_after_its_thread_has_ended)
{
        Chain chain;
        ec *self = chain.make_ec(chain.a, 0x1000), *to = chain.make_ec(chain.b, 0x1000);
        const unsigned item = nova_utcb_item_index(0);

        self->utcb->word[item] = chain.wanted();
        self->utcb->word[item + 1] = 0;
        to->utcb->translate_window = nova_crd(NOVA_CRD_MEM, 0, 31, NOVA_PERM_ALL);
        to->utcb->word[item] = to->utcb->word[item + 1] = 0x1234;
        to->caller = to->callee = self;
        to->caller_kind = CALLER_CALL;
        to->state = EC_REPLY;
        self->state = EC_READY;
        cpu_self()->current = cpu_self()->current_sc->ec = self;
        item_transfer_begin(self, to, false, 1);
        disturb = [] {
                if (windows == 1)
                        ec_shut_down(cpu_self()->current);
        };
        fake_run([](ec *one) { item_transfer(one, nullptr); }, self);
        EXPECT_GE(windows, 1u);
        EXPECT_EQ(self->state, EC_DEAD);
        EXPECT_EQ(to->state, EC_REQUEST);
        EXPECT_EQ(to->utcb->word[item], 0x1234u);
        EXPECT_EQ(to->utcb->word[item + 1], 0x1234u);
        fake_idle();
}

} // namespace
