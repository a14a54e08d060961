// SPDX-License-Identifier: BSD-2-Clause
// Replies with a typed item that take several steps. At each point between two steps, the caller's
// thread or PD ends. Afterwards no delegation is left half done, the ranges are those of a model,
// and no memory is lost.
#include <gtest/gtest.h>

#include "points.h"
#include "points_exact.h"

namespace
{

class Replies : public Scene
{
      public:
        using Scene::Scene;

        // Lets the client call the server, with a window for the reply's item.
        void call_with_window(word_t target, unsigned order)
        {
                caller->utcb->items = 0;
                caller->utcb->delegate_window = crd(target, order);
                set_arguments(caller, nova_hypercall_id(NOVA_CALL, 0, CLIENT_PT), 0, 0, 0, 0);
                sleep_boss();
                ASSERT_EQ(cpu_self()->current, callee);
        }

        // Lets the server reply with an item that delegates a range of its own.
        void reply_with(word_t at, unsigned order)
        {
                const unsigned item = nova_utcb_item_index(0);

                callee->utcb->items = nova_utcb_items(0, 1);
                callee->utcb->word[item] = crd(at, order);
                callee->utcb->word[item + 1] = NOVA_ITEM_DELEGATE;
                set_arguments(callee, nova_hypercall_id(NOVA_REPLY, 0, 0), 0, 0, 0, 0);
                enter(callee, false);
        }

        // Lets the server reply with items that delegate the parts of its range.
        void reply_with_parts()
        {
                put_parts(callee);
                set_arguments(callee, nova_hypercall_id(NOVA_REPLY, 0, 0), 0, 0, 0, 0);
                enter(callee, false);
        }

        void call_from_boss()
        {
                boss->utcb->items = 0;
                set_arguments(boss, nova_hypercall_id(NOVA_CALL, 0, SERVER_THREAD + 1), 0, 0, 0, 0);
                enter(boss, false);
                EXPECT_EQ(cpu_self()->current, callee);
        }

        // Lets the boss call the server. This call first lends the server time for the rest of the
        // reply, because no thread pays for this rest after the caller's end.
        void finish_reply()
        {
                call_from_boss();
                reply();
                EXPECT_EQ(cpu_self()->current, boss);
        }
};

// The end of the caller, or nothing. If its thread ends, its PD stays.
struct End {
        const char *name;
        std::function<Change(Scene &)> happen;
};

Change end_thread(Scene &s)
{
        s.end_client_thread();
        return [](Model &) {};
}

Change end_pd(Scene &s)
{
        s.end_client();
        return [&s](Model &model) {
                s.take(CLIENT, NOVA_PERM_ALL, true)(model);
                s.take(THIRD, NOVA_PERM_ALL, true)(model);
        };
}

Change destroy_pd(Scene &s)
{
        s.destroy_client();
        return [&s](Model &model) {
                s.take(CLIENT, NOVA_PERM_ALL, true)(model);
                s.take(THIRD, NOVA_PERM_ALL, true)(model);
        };
}

const End ends[] = {{"nothing", nullptr},
                    {"the thread ends", end_thread},
                    {"the PD ends", end_pd},
                    {"the PD is destroyed", destroy_pd}};

// The range that a reply delegates: offset and order at the server, and offset at the client.
struct Given {
        word_t at;
        unsigned order;
        word_t target;
};

// Gives the server one mapping whose tables take several steps.
Given prepare_large(Scene &s)
{
        s.give_home(s.large(), LARGE_COUNT);
        s.note(s.give(HOME, s.large(), SERVER, s.large(), LARGE_COUNT));
        return {s.large(), LARGE_ORDER, s.large() + LARGE_COUNT};
}

// Selects the many mappings that the server has.
Given prepare_many(Scene &)
{
        return {0, ORDER, COUNT};
}

void settle(Replies &s)
{
        fake_window = nullptr;
        s.wake_boss();
        s.finish_reply();
        fake_settle();
}

// Returns false if the reply has no such point.
bool disturb(unsigned type, const std::function<Given(Scene &)> &prepare, const End &end,
             unsigned point)
{
        Replies s(type);
        const Given given = prepare(s);
        const Change whole = [&s, given](Model &model) {
                model.delegate(name_of(SERVER), s.base() + given.at, name_of(CLIENT),
                               s.base() + given.target, word_t{1} << given.order, s.type,
                               NOVA_PERM_ALL);
        };

        s.call_with_window(given.target, given.order);
        Points::begin(s, nullptr, point);
        s.reply_with(given.at, given.order);
        const bool rang = Points::end();
        const Change change = rang && end.happen ? end.happen(s) : whole;
        if (rang)
                s.sleep_boss();
        settle(s);
        EXPECT_FALSE(delegation_is_open(&s.callee->transfer.delegation));
        EXPECT_EQ(s.callee->state, EC_REQUEST);
        if (!rang || !end.happen || !s.who[CLIENT]) {
                EXPECT_EQ(ranges_now(s), after(s, change));
        }
        return rang;
}

unsigned disturb_each(unsigned type, const std::function<Given(Scene &)> &prepare, const End &end)
{
        unsigned point = 0;

        while (!testing::Test::HasFailure() && disturb(type, prepare, end, point))
                point++;
        return point;
}

TEST(points, of_replies_may_see_the_end_of_their_caller)
{
        for (const End &end : ends) {
                SCOPED_TRACE(end.name);
                EXPECT_GE(disturb_each(NOVA_CRD_MEM, prepare_large, end), 2u);
                EXPECT_GE(disturb_each(NOVA_CRD_MEM, prepare_many, end), 1u);
                EXPECT_GE(disturb_each(NOVA_CRD_OBJ, prepare_many, end), 1u);
        }
}

// Fills the receiver's words for items as an earlier message may have done.
void fill_items(const ec *receiver)
{
        for (unsigned i = 0; i < PARTS; i++)
                receiver->utcb->word[nova_utcb_item_index(i)] = ~word_t{0};
}

void begin_call(Replies &s)
{
        fill_items(s.callee);
        s.prepare_parts(COUNT);
        s.sleep_boss();
}

// Counts the receiver's capabilities in the place of an item.
unsigned arrived_at(Replies &s, Who receiver, unsigned item)
{
        const word_t first = s.base() + COUNT + item * PART;
        unsigned count = 0;

        for (const auto &[sel, cap] : s.ranges(receiver))
                count += cap.perms && sel >= first && sel < first + PART;
        return count;
}

// Checks that the receiver's items are those that have arrived; the others are null items.
void expect_items(Replies &s, Who who, const ec *receiver)
{
        EXPECT_EQ(nova_utcb_typed(receiver->utcb->items), PARTS);
        for (unsigned i = 0; i < PARTS; i++)
                EXPECT_EQ(receiver->utcb->word[nova_utcb_item_index(i)] != 0,
                          arrived_at(s, who, i) != 0)
                        << "item " << i;
}

// Ends the client's thread at a point. Returns false if the call has no such point.
bool end_call_at(unsigned type, unsigned point)
{
        Replies s(type);

        Points::begin(s, nullptr, point);
        begin_call(s);
        if (!Points::end()) {
                s.reply();
                settle(s);
                return false;
        }
        if (s.callee->state == EC_REQUEST) { // the call has not begun
                settle(s);
                return true;
        }
        s.end_client_thread();
        fake_window = nullptr;
        // The boss's call gives the server time for the message of the client first.
        s.call_from_boss();
        EXPECT_EQ(s.callee->caller_kind, CALLER_NONE);
        EXPECT_EQ(s.callee->regs.ip, 0x7000u);
        expect_items(s, SERVER, s.callee);
        EXPECT_GT(arrived_at(s, SERVER, 0), 0u);
        s.reply();
        EXPECT_EQ(s.callee->caller, s.boss);
        s.reply();
        EXPECT_EQ(cpu_self()->current, s.boss);
        fake_settle();
        return true;
}

// If the message were lost, the items that arrived would stay in the window, and the next sender's
// items would find their places taken.
TEST(points, of_calls_may_see_the_end_of_the_caller_whose_message_then_arrives)
{
        for (const unsigned type : {NOVA_CRD_MEM, NOVA_CRD_OBJ}) {
                unsigned point = 0;

                SCOPED_TRACE(type);
                while (!HasFailure() && end_call_at(type, point))
                        point++;
                EXPECT_GE(point, PARTS);
        }
}

// Ends the server's thread at a point of its reply. Returns false if the reply has no such point.
bool end_reply_at(unsigned type, unsigned point, unsigned &arrived)
{
        Replies s(type);

        s.call_with_window(COUNT, ORDER);
        fill_items(s.caller);
        Points::begin(s, nullptr, point);
        s.reply_with_parts();
        if (!Points::end()) {
                s.wake_boss();
                return false;
        }
        s.revoke_objects(SERVER_THREAD, 1);
        fake_window = nullptr;
        s.sleep_boss();
        EXPECT_EQ(cpu_self()->current, s.caller);
        const bool any = arrived_at(s, CLIENT, 0);
        EXPECT_EQ(REG_P1(s.caller), any ? NOVA_SUCCESS : NOVA_COM_ABT);
        if (any)
                expect_items(s, CLIENT, s.caller);
        arrived += any;
        s.wake_boss();
        fake_settle();
        return true;
}

// If the reply were lost, the caller would see that the call has failed, and would take the items
// for those of its next call.
TEST(points, of_replies_may_see_the_end_of_the_callee_whose_message_then_arrives)
{
        for (const unsigned type : {NOVA_CRD_MEM, NOVA_CRD_OBJ}) {
                unsigned point = 0, arrived = 0;

                SCOPED_TRACE(type);
                while (!HasFailure() && end_reply_at(type, point, arrived))
                        point++;
                EXPECT_GE(arrived, PARTS - 1);
        }
}

} // namespace
