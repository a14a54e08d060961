// SPDX-License-Identifier: BSD-2-Clause
// Messages while another CPU does not answer the grace period: the frames that wait for the period
// have no account any more, so the number that a sender may add is bounded.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "ipc/item.h"
}

namespace
{

constexpr word_t SM = 5, FAR = RADIX_FIRST + 0x12345;
constexpr unsigned OPERATION = 32; // frames that one step of an item may add
constexpr unsigned ORDER = 14, PAGES = (1u << ORDER) / CAPABILITY_SLOTS;

unsigned waits;

// Lets the other CPU answer only when this CPU has waited for a time.
void answer_late()
{
        if (++waits % 100)
                return;
        fake_cpu = 1;
        reclaim_quiescent(cpu_self());
        fake_cpu = 0;
}

// A sender and a receiver with an account of its own on CPU 0, and a busy CPU 1.
struct Busy : Kernel {
        account purse = {0, ~word_t{0}, 0, nullptr, 0, false, 0};
        pd *from = make_pd(), *to = make_pd();
        ec *sender = make_ec(from, 0x1000), *receiver = make_ec(to, 0x1000);
        unsigned most = 0; // the largest number of entries that waited after a message

        Busy()
        {
                sender->state = EC_READY;
                to->account = &purse;
                fake_settle();
                fake_second_cpu(nullptr);
                cpu_by_id(1)->grace_seen = cpu_self()->grace_seen;
                waits = 0;
                fake_wait = answer_late;
                fake_tsc = uint64_t{1} << 40;
        }

        ~Busy()
        {
                purse.limit = ~word_t{0};
                fake_idle();
                fake_tsc = 0;
                fake_settle();
                EXPECT_EQ(purse.used, 0u);
                to->account = &account_root;
        }

        // Sends one item; its receiver's selectors begin at FAR, aligned to the order.
        void send(word_t sel, unsigned order)
        {
                const unsigned item = nova_utcb_item_index(0);

                sender->utcb->word[item] = nova_crd(NOVA_CRD_OBJ, sel, order, NOVA_PERM_ALL);
                sender->utcb->word[item + 1] = NOVA_ITEM_DELEGATE;
                receiver->utcb->delegate_window = nova_crd(NOVA_CRD_OBJ, FAR, order, NOVA_PERM_ALL);
                if (!item_at_once(sender, receiver)) {
                        item_transfer_begin(sender, receiver, false, 1);
                        item_transfer(sender, nullptr);
                }
                most = std::max(most, unsigned(cpu_self()->filling.count));
        }
};

// The account has room for the mapping and two of the three tables.
TEST(queue, gets_no_tables_of_an_item_for_which_an_account_is_too_small)
{
        Busy b;
        b.make_sm(b.from, SM);
        b.purse.limit = b.purse.used + 2 * PAGE_SIZE + PAGE_SIZE / 2;
        const Taken before = taken_now();
        for (unsigned i = 0; i < 1000; i++) {
                b.send(SM, 0);
                ASSERT_TRUE(caps_of(b.to, NOVA_CRD_OBJ).empty());
        }
        EXPECT_EQ(b.most, 0u);
        EXPECT_EQ(taken_now(), before);
}

TEST(queue, gets_no_tables_of_an_item_for_which_the_pool_is_too_small)
{
        Busy b;
        b.make_sm(b.from, SM);
        const Taken before = taken_now();
        for (long free = 0; free < 4; free++) {
                fake_fail_allocations_from(free);
                b.send(SM, 0);
                EXPECT_TRUE(caps_of(b.to, NOVA_CRD_OBJ).empty());
                EXPECT_EQ(taken_now(), before);
        }
        EXPECT_EQ(b.most, 0u);
        fake_fail_allocation(-1);
        b.send(SM, 0);
        EXPECT_EQ(caps_of(b.to, NOVA_CRD_OBJ).size(), 1u);
        b.revoke(b.from, SM, SM, NOVA_CRD_OBJ, NOVA_PERM_ALL, false);
}

// Each capability of the item needs a table. The receiver's limit is reached near the end.
TEST(queue, makes_a_sender_wait_whose_items_exceed_the_receivers_limit)
{
        Busy b;
        for (word_t i = 0; i < PAGES; i++)
                b.make_sm(b.from, i * CAPABILITY_SLOTS + SM);
        item_limit(b.receiver, PAGES * PAGE_SIZE);
        for (unsigned i = 0; i < 100; i++) {
                b.send(0, ORDER);
                ASSERT_TRUE(caps_of(b.to, NOVA_CRD_OBJ).empty());
        }
        EXPECT_GT(waits, 0u);
        EXPECT_GT(b.most, unsigned{RECLAIM_FULL} / 2);
        EXPECT_LE(b.most, unsigned{RECLAIM_FULL} + OPERATION);
}

// A receiver without a limit need not wait for the other frames in the queue, because its items add
// no frames.
TEST(queue, delays_no_sender_whose_receiver_has_no_limit)
{
        Busy b;
        for (word_t i = 0; i < PAGES; i++)
                b.make_sm(b.from, i * CAPABILITY_SLOTS + SM);
        item_limit(b.receiver, PAGES * PAGE_SIZE);
        for (unsigned i = 0; i < 1000 && !reclaim_is_full(cpu_self()); i++)
                b.send(0, ORDER);
        ASSERT_TRUE(reclaim_is_full(cpu_self()));
        item_limit(b.receiver, ~word_t{0});
        waits = 0;
        b.send(0, ORDER);
        EXPECT_EQ(waits, 0u);
        EXPECT_EQ(caps_of(b.to, NOVA_CRD_OBJ).size(), PAGES);
        b.revoke(b.from, 0, (word_t{1} << ORDER) - 1, NOVA_CRD_OBJ, NOVA_PERM_ALL, false);
}

} // namespace
