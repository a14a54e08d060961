// SPDX-License-Identifier: BSD-2-Clause
// Messages: the words, and typed items from the sender's UTCB to the receiver's spaces.
#include <gtest/gtest.h>

#include <random>

#include "kernel.h"

extern "C" {
#include "ipc/item.h"
#include "ipc/message.h"
}

namespace
{

struct Pair : Kernel {
        pd *from = make_pd(), *to = make_pd();
        ec *sender = make_ec(from, 0x1000), *receiver = make_ec(to, 0x1000);

        Pair()
        {
                sender->state = EC_READY;
        }

        // Puts one item into the sender's UTCB.
        void put(unsigned i, nova_crd_t crd, word_t flags)
        {
                sender->utcb->word[nova_utcb_item_index(i)] = crd;
                sender->utcb->word[nova_utcb_item_index(i) + 1] = flags;
        }

        nova_crd_t received(unsigned i)
        {
                return receiver->utcb->word[nova_utcb_item_index(i)];
        }

        void send_in_steps(unsigned items)
        {
                item_transfer_begin(sender, receiver, false, items);
                item_transfer(sender, nullptr);
        }

        // Transfers the items as a call or a reply does.
        void send(unsigned items)
        {
                if (items != 1 || !item_at_once(sender, receiver))
                        send_in_steps(items);
                EXPECT_EQ(sender->transfer.to, nullptr);
                check_pd(to);
        }

        nova_crd_t delegate(nova_crd_t crd, nova_crd_t window, word_t hotspot, word_t flags = 0)
        {
                put(0, crd, hotspot << NOVA_ITEM_HOTSPOT_SHIFT | NOVA_ITEM_DELEGATE | flags);
                receiver->utcb->delegate_window = window;
                send(1);
                return received(0);
        }

        // Transfers items of the microhypervisor.
        nova_crd_t delegate_host(nova_crd_t crd, nova_crd_t window, word_t hotspot)
        {
                from->is_root = true;
                return delegate(crd, window, hotspot, NOVA_ITEM_H);
        }
};

nova_crd_t mem(word_t base, unsigned order, unsigned perms = NOVA_MEM_RWX)
{
        return nova_crd(NOVA_CRD_MEM, base, order, perms);
}

nova_crd_t obj(word_t base, unsigned order, unsigned perms = NOVA_PERM_ALL)
{
        return nova_crd(NOVA_CRD_OBJ, base, order, perms);
}

nova_crd_t io(word_t base, unsigned order)
{
        return nova_crd(NOVA_CRD_IO, base, order, NOVA_IO_A);
}

TEST(item, places_a_smaller_range_in_the_window_by_the_hotspot)
{
        Pair p;
        EXPECT_EQ(p.delegate_host(mem(0x300, 4), mem(0x10000, 8), 0x12345), mem(0x10040, 4));
        const Caps caps = caps_of(p.to, NOVA_CRD_MEM);
        EXPECT_EQ(caps.at(0x10040).source, 0x300u);
        EXPECT_EQ(caps.at(0x1004f).source, 0x30fu);
        EXPECT_EQ(caps.size(), 16u + 1); // one of them is the UTCB
}

TEST(item, picks_a_part_of_a_larger_range_by_the_hotspot)
{
        Pair p;
        EXPECT_EQ(p.delegate_host(mem(0x1000, 10), mem(0x80, 3), 0x5c5), mem(0x80, 3));
        const Caps caps = caps_of(p.to, NOVA_CRD_MEM);
        EXPECT_EQ(caps.at(0x80).source, 0x11c0u);
        EXPECT_EQ(caps.at(0x87).source, 0x11c7u);
}

// Messages that are transferred at once, and in steps.
TEST(item, makes_a_mapping_that_others_do_not_cut_if_its_receiver_has_a_limit)
{
        for (const word_t bytes : {ITEM_AT_ONCE_BYTES, ITEM_AT_ONCE_BYTES - 1, ~word_t{0}}) {
                Pair p;
                item_limit(p.receiver, bytes);
                p.delegate_host(mem(0x300, 4), mem(0x10000, 8), 0);
                p.revoke(&kernel_pd, 0x303, 0x303, NOVA_CRD_MEM, 7, false);
                EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).size(), (~bytes ? 0u : 15u) + 1);
                check_pd(p.to);
        }
}

// Its handler is the thread's pager, and the limit does not apply.
TEST(item, in_a_reply_to_an_event_makes_a_mapping_that_may_be_cut)
{
        for (const bool at_once : {true, false}) {
                Pair p;
                item_limit(p.receiver, ITEM_AT_ONCE_BYTES);
                p.receiver->event_qual[1] = 0x10000 << PAGE_BITS;
                p.from->is_root = true;
                p.put(0, mem(0x300, 4),
                      word_t{0x10000} << NOVA_ITEM_HOTSPOT_SHIFT | NOVA_ITEM_DELEGATE |
                              NOVA_ITEM_H);
                if (!at_once || !item_answers_at_once(p.sender, p.receiver)) {
                        item_transfer_begin(p.sender, p.receiver, true, 1);
                        item_transfer(p.sender, nullptr);
                }
                p.revoke(&kernel_pd, 0x303, 0x303, NOVA_CRD_MEM, 7, false);
                EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).size(), 15u + 1);
        }
}

TEST(item, aligns_ranges_and_ignores_the_hotspot_where_both_are_equal)
{
        Pair p;
        EXPECT_EQ(p.delegate_host(mem(0x305, 4), mem(0x40f, 4), 0xffff), mem(0x400, 4));
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).at(0x400).source, 0x300u);
}

TEST(item, takes_only_permissions_that_window_and_item_share)
{
        Pair p;
        EXPECT_EQ(p.delegate_host(mem(0x300, 0, 5), mem(0x10000, 0, 6), 0), mem(0x10000, 0, 4));
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).at(0x10000).perms, 4u);
        EXPECT_EQ(p.delegate_host(mem(0x300, 0, 1), mem(0x10001, 0, 6), 0), 0u);
        EXPECT_EQ(p.delegate_host(mem(0x300, 0), io(0x300, 0), 0), 0u);
        EXPECT_EQ(p.delegate_host(0, mem(0, 31), 0), 0u);
}

TEST(item, takes_from_the_microhypervisor_for_the_root_pd_only)
{
        Pair p;
        p.delegate(mem(0x300, 4), mem(0x10000, 8), 0, NOVA_ITEM_H);
        EXPECT_FALSE(caps_of(p.to, NOVA_CRD_MEM).count(0x10000));
}

TEST(item, delegates_ports_where_range_and_window_meet)
{
        Pair p;
        EXPECT_EQ(p.delegate_host(io(0x3f8, 3), io(0, 16), 0x1234), io(0x3f8, 3));
        EXPECT_EQ(p.delegate_host(io(0, 16), io(0x60, 2), 0x1234), io(0x60, 2));
        EXPECT_EQ(p.delegate_host(io(0x3f8, 3), io(0x300, 3), 0), 0u);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_IO).size(), 12u);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_IO).at(0x60).source, 0x60u);
}

TEST(item, cuts_ports_at_the_end_of_their_space)
{
        Pair p;
        p.delegate_host(io(0, 20), io(0, 20), 0);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_IO).size(), 0x10000u);
}

TEST(item, delegates_no_ports_beyond_the_end_of_their_space)
{
        Pair q;
        q.delegate_host(io(0x10000, 4), io(0x10000, 4), 0);
        EXPECT_TRUE(caps_of(q.to, NOVA_CRD_IO).empty());
}

TEST(item, cuts_memory_at_the_end_of_its_space)
{
        Pair p;
        const word_t end = space_limit(NOVA_CRD_MEM);
        p.delegate_host(mem(0x300, 6), mem(end - 64, 6), 0);
        p.delegate_host(mem(0x300, 6), mem(0, 31), end | 0x40);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).size(), 129u);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_MEM).at(end - 1).source, 0x33fu);
}

TEST(item, wraps_object_selectors)
{
        Pair p;
        const word_t limit = word_t{1} << NOVA_SEL_ORDER;
        sm *one = p.make_sm(p.from, 5);
        p.delegate(obj(limit + 5, 0), obj(3 * limit + 7, 0), 0);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_OBJ).at(7).source, reinterpret_cast<word_t>(&one->object));
        p.delegate(obj(5, 0, NOVA_SM_UP), obj(0, 31), 5 * limit + 0x23);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_OBJ).at(0x23).perms, unsigned(NOVA_SM_UP));
        p.delegate(obj(5, 0), obj(limit - 1, 0), 0);
        EXPECT_EQ(caps_of(p.to, NOVA_CRD_OBJ).size(), 3u);
        check_pd(p.to);
}

TEST(item, translates_a_capability_that_was_derived_from_the_receivers)
{
        Pair p;
        p.make_sm(p.to, 0x70);
        p.delegate(obj(0, 0), 0, 0);
        Kernel *kernel = &p;
        kernel->delegate(p.to, 0x70, p.from, 0x99, 1, NOVA_CRD_OBJ, NOVA_SM_UP);
        p.put(0, obj(0x99, 0), NOVA_ITEM_TRANSLATE);
        p.receiver->utcb->translate_window = obj(0, 31);
        p.send(1);
        EXPECT_EQ(p.received(0), obj(0x70, 0, NOVA_SM_UP));
        p.receiver->utcb->translate_window = obj(0x80, 4);
        p.send(1);
        EXPECT_EQ(p.received(0), 0u);
}

// The result of one item: the receiver's copy, and its capabilities, with objects as numbers.
struct Outcome {
        bool at_once;
        nova_crd_t crd;
        word_t flags;
        Caps objects, memory, ports;
        bool operator==(const Outcome &other) const // at_once does not count
        {
                return crd == other.crd && flags == other.flags && objects == other.objects &&
                       memory == other.memory && ports == other.ports;
        }
};

struct Item {
        nova_crd_t crd, window;
        word_t flags;
        bool is_answer;
};

std::ostream &operator<<(std::ostream &out, const Item &item)
{
        return out << std::hex << item.crd << ' ' << item.window << ' ' << item.flags << ' '
                   << item.is_answer;
}

Outcome outcome(bool may_at_once, const Item &item)
{
        Pair p;
        std::map<word_t, word_t> number;
        for (unsigned sel = 0; sel < 4; sel++)
                number[reinterpret_cast<word_t>(p.make_sm(p.from, sel, 0x15 + sel))] = sel;
        number[reinterpret_cast<word_t>(p.make_sm(p.to, 0x41))] = 4;
        Kernel *kernel = &p;
        kernel->delegate(p.to, 0x41, p.from, 4, 1, NOVA_CRD_OBJ, NOVA_SM_UP | NOVA_SM_DN);
        kernel->delegate(&kernel_pd, 0x300, p.from, 0, 3, NOVA_CRD_MEM, NOVA_MEM_RWX);
        kernel->delegate(&kernel_pd, 0x310, p.from, 3, 2, NOVA_CRD_MEM, NOVA_MEM_R);
        kernel->delegate(&kernel_pd, 0x320, p.to, 0x41, 1, NOVA_CRD_MEM, NOVA_MEM_R);
        kernel->delegate(&kernel_pd, 0, p.from, 0, 5, NOVA_CRD_IO, NOVA_IO_A);
        p.receiver->utcb->delegate_window = p.receiver->utcb->translate_window = item.window;
        p.receiver->event_qual[1] = 0x40000;
        p.put(0, item.crd, item.flags);
        const bool at_once =
                may_at_once && (item.is_answer ? item_answers_at_once(p.sender, p.receiver)
                                               : item_at_once(p.sender, p.receiver));
        if (!at_once) {
                item_transfer_begin(p.sender, p.receiver, item.is_answer, 1);
                item_transfer(p.sender, nullptr);
        }
        check_pd(p.to);
        Caps objects = caps_of(p.to, NOVA_CRD_OBJ);
        for (auto &cap : objects)
                cap.second.source = number.at(cap.second.source);
        const unsigned index = nova_utcb_item_index(0);
        return {at_once,
                p.received(0),
                p.receiver->utcb->word[index + 1],
                objects,
                caps_of(p.to, NOVA_CRD_MEM),
                caps_of(p.to, NOVA_CRD_IO)};
}

TEST(item, is_the_same_at_once_and_in_steps)
{
        std::mt19937 random(7);
        const auto pick = [&](std::vector<word_t> of) { return of[random() % of.size()]; };
        const word_t limit = word_t{1} << NOVA_SEL_ORDER;
        unsigned at_once[4] = {}, answered = 0;
        for (unsigned i = 0; i < 1200; i++) {
                const unsigned type = unsigned(pick({1, 2, 3}));
                const auto range = [&](word_t base) {
                        return nova_crd(random() % 8 ? type : unsigned(random() % 4), base,
                                        unsigned(pick({0, 0, 0, 0, 1, 2, 5, 31})),
                                        unsigned(pick({31, 31, 7, random() % 32})));
                };
                Item item;
                item.crd = range(pick({0, 1, 2, 3, 4, 4, 5, limit + 2, 3 * limit + 4}));
                item.window = range(pick({0, 6, 0x40, 0x41, limit - 1, 5 * limit}));
                item.flags = (random() % 0x80) << NOVA_ITEM_HOTSPOT_SHIFT |
                             pick({0, 1, 1, 1, 0xe9, NOVA_ITEM_H | 1, NOVA_ITEM_G | 1});
                item.is_answer = random() % 4 == 0;
                const Outcome one = outcome(true, item);
                EXPECT_TRUE(one == outcome(false, item)) << item;
                at_once[nova_crd_type(item.crd)] += one.at_once;
                answered += one.at_once && item.is_answer;
        }
        EXPECT_GT(at_once[NOVA_CRD_OBJ], 80u);
        EXPECT_GT(at_once[NOVA_CRD_MEM], 40u);
        EXPECT_GT(at_once[NOVA_CRD_IO], 10u);
        EXPECT_GT(answered, 10u);
}

TEST(item, transfers_as_many_as_a_utcb_holds_each_on_its_own)
{
        Pair p;
        p.from->is_root = true;
        p.receiver->utcb->delegate_window = mem(0, 31);
        for (unsigned i = 0; i < NOVA_UTCB_TYPED_MAX; i++)
                p.put(i, i % 3 ? mem(0x300 + i, 0) : 0,
                      word_t{i + 0x20000} << 12 | NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        p.send(NOVA_UTCB_TYPED_MAX);
        for (unsigned i = 0; i < NOVA_UTCB_TYPED_MAX; i++)
                EXPECT_EQ(p.received(i), i % 3 ? mem(0x20000 + i, 0) : 0);
}

TEST(item, comes_out_null_when_memory_runs_out)
{
        Pair p;
        p.from->is_root = true;
        p.receiver->utcb->delegate_window = mem(0, 31);
        p.put(0, mem(0x300, 4), word_t{0x7000000} << 12 | NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        fake_settle();
        fake_fail_allocations_from(0);
        p.send(1);
        fake_fail_allocation(-1);
        EXPECT_EQ(p.received(0), 0u);
}

TEST(message, copies_no_more_words_than_the_smaller_area_holds)
{
        const unsigned words = NOVA_UTCB_WORDS, most = NOVA_UTCB_TYPED_MAX;
        const struct {
                unsigned u, t, u_out, t_out;
        } cases[] = {
                {0, 0, 0, 0},
                {3, 0, 3, 0},
                {words, 0, words, 0},
                {words + 1, 0, words, 0},
                {0xffff, 0, words, 0},
                {words, 1, words - 2, 1},
                {0, 0xffff, 0, most},
                {0xffff, 0xffff, words - 2 * most, most},
                {5, most, 0, most},
                {words - 2 * 9, 9, words - 2 * 9, 9},
                {words - 17, 9, words - 18, 9},
        };
        nova_utcb from, to;
        ec sender = {}, receiver = {};
        sender.utcb = &from;
        receiver.utcb = &to;
        for (const auto &one : cases) {
                memset(&to, 0xee, sizeof(to));
                for (unsigned i = 0; i < words; i++)
                        from.word[i] = i + 1;
                from.items = nova_utcb_items(one.u, one.t);
                EXPECT_EQ(message_copy(&sender, &receiver), one.t_out);
                EXPECT_EQ(to.items, nova_utcb_items(one.u_out, one.t_out));
                for (unsigned i = 0; i < words; i++)
                        ASSERT_EQ(to.word[i], i < one.u_out ? i + 1 : 0xeeeeeeeeeeeeeeee);
                EXPECT_EQ(to.delegate_window, 0xeeeeeeeeeeeeeeeeu);
        }
}

} // namespace
