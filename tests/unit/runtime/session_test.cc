/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of a service's sessions: limits, portals, and the release of slots. */
extern "C" {
#include "session_table.h"
}

#include <cerrno>
#include <gtest/gtest.h>
#include <vector>

namespace
{

const char anna[NOVA_NAME_SIZE] = {'a', 'n', 'n', 'a'};
const char bert[NOVA_NAME_SIZE] = {'b', 'e', 'r', 't'};

struct sessions : testing::Test {
        std::vector<session> slots;
        session_table table;

        void prepare(unsigned all, unsigned each)
        {
                slots.resize(novart_session_table_slots(all));
                novart_session_table_init(&table, slots.data(), (unsigned)slots.size(), all, each);
                table.portals = 0x1000;
                table.portal_order = 2;
        }

        session *open(const char *client)
        {
                session *taken = nullptr;

                EXPECT_EQ(novart_session_take(&table, client, &taken), 0);
                taken->state = SESSION_LIVE;
                return taken;
        }
};

TEST_F(sessions, are_found_by_each_of_their_portals_and_by_no_other)
{
        prepare(4, 4);
        session *first = open(anna), *second = open(bert);
        const nova_sel_t at = novart_session_portals(&table, second);

        for (unsigned cpu = 0; cpu < 4; cpu++)
                EXPECT_EQ(novart_session_find(&table, at + cpu), second);
        EXPECT_EQ(novart_session_find(&table, novart_session_portals(&table, first)), first);
        EXPECT_EQ(novart_session_find(&table, 0xfff), nullptr);
        EXPECT_EQ(novart_session_find(&table, 0x1000 + 4 * slots.size()), nullptr);
        EXPECT_EQ(novart_session_find(&table, 0x1000 + 8), nullptr);
}

TEST_F(sessions, of_one_client_are_limited)
{
        prepare(8, 2);
        open(anna);
        open(anna);
        session *more;
        EXPECT_EQ(novart_session_take(&table, anna, &more), EMFILE);
        EXPECT_EQ(novart_session_count(&table, anna), 2u);
        open(bert);
}

TEST_F(sessions, of_all_clients_are_limited)
{
        prepare(3, 8);
        for (int i = 0; i < 3; i++)
                open(anna);
        session *more;
        EXPECT_EQ(novart_session_take(&table, bert, &more), ENFILE);
}

TEST_F(sessions, end_when_the_last_handler_leaves)
{
        prepare(2, 2);
        session *one = open(anna);
        one->calls = 2;
        EXPECT_FALSE(novart_session_ending(&table));
        EXPECT_FALSE(novart_session_close(one));
        EXPECT_TRUE(novart_session_ending(&table));
        EXPECT_EQ(novart_session_find(&table, novart_session_portals(&table, one)), nullptr);
        EXPECT_FALSE(novart_session_leave(one));
        EXPECT_TRUE(novart_session_leave(one));
        EXPECT_FALSE(novart_session_close(one)) << "the session is being closed already";
}

TEST_F(sessions, leave_their_slots_only_when_they_were_released)
{
        prepare(1, 1);
        unsigned opened = 0, count;
        session *one;

        while (novart_session_take(&table, anna, &one) == 0) {
                one->state = SESSION_LIVE;
                ASSERT_TRUE(novart_session_close(one));
                novart_session_finish(&table, one, false);
                opened++;
        }
        EXPECT_EQ(novart_session_take(&table, anna, &one), EAGAIN);
        EXPECT_EQ(opened, slots.size());
        EXPECT_TRUE(novart_session_ending(&table));
        const unsigned head = novart_session_retired_take(&table, &count);
        EXPECT_EQ(count, opened);
        EXPECT_EQ(table.retired, 0u);
        EXPECT_FALSE(novart_session_ending(&table));
        EXPECT_EQ(novart_session_take(&table, anna, &one), EAGAIN);
        novart_session_release(&table, head);
        EXPECT_EQ(novart_session_take(&table, anna, &one), 0);
        EXPECT_EQ(one->calls, 0u);
}

TEST_F(sessions, come_and_go_for_ever)
{
        prepare(1000, 1000);
        for (int round = 0; round < 20; round++) {
                std::vector<session *> all;
                for (int i = 0; i < 1000; i++)
                        all.push_back(open(i & 1 ? anna : bert));
                session *more;
                EXPECT_EQ(novart_session_take(&table, anna, &more), ENFILE);
                for (session *one : all) {
                        ASSERT_TRUE(novart_session_close(one));
                        novart_session_finish(&table, one, true);
                }
                EXPECT_EQ(table.open, 0u);
        }
}

} // namespace
