// SPDX-License-Identifier: BSD-2-Clause
// OPEN whose capability for the client's PD did not arrive.
#include <cerrno>
#include <gtest/gtest.h>

extern "C" {
#include "open_fake.h"
}

namespace
{

int answer(int first, int second)
{
        open_room[0] = first;
        open_room[1] = second;
        return open_without_item();
}

TEST(open, a_client_that_sends_no_capability_is_refused)
{
        EXPECT_EQ(answer(0, 0), EACCES);
        EXPECT_EQ(open_clears, 0U);
}

TEST(open, a_client_may_try_again_if_memory_became_free_after_its_message_came)
{
        open_ended_lately = true;
        EXPECT_EQ(answer(0, 0), EAGAIN);
        open_ended_lately = false;
}

TEST(open, a_client_learns_that_the_service_lacked_memory_for_its_capability)
{
        EXPECT_EQ(answer(ENOMEM, ENOMEM), ENOMEM);
        EXPECT_EQ(open_clears, 1U);
}

TEST(open, a_client_may_try_again_when_sessions_have_ended)
{
        EXPECT_EQ(answer(ENOMEM, EAGAIN), EAGAIN);
        EXPECT_EQ(answer(EAGAIN, EAGAIN), EAGAIN);
        EXPECT_EQ(answer(ENOMEM, 0), EAGAIN);
}

} // namespace
