/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of a VMM that are not ultracalls. */
#include <cerrno>

#include <gtest/gtest.h>

extern "C" {
#include "sessions.h"
}

namespace
{

TEST(session_test, a_virtual_cpu_is_attached_on_the_cpu_of_the_call)
{
        const nova_uv uv = sessions_begin(false);

        EXPECT_EQ(sessions_attach_from(SESSIONS_CPU, SESSIONS_CPU), 0);
        EXPECT_EQ(sessions_cpu(), nova_word_t{SESSIONS_CPU});
        EXPECT_EQ(nova_uv_attach(&uv, 0, 5, 1), 0) << "the stub calls on the other CPU";
        EXPECT_EQ(sessions_cpu(), 5u);
}

TEST(session_test, a_virtual_cpu_on_another_cpu_than_that_of_the_call_is_refused)
{
        sessions_begin(false);
        EXPECT_EQ(sessions_attach_from(SESSIONS_CPU, SESSIONS_CPU + 1), EPERM);
        EXPECT_EQ(sessions_attach_from(SESSIONS_CPU, UINT32_MAX), EPERM);
        EXPECT_EQ(sessions_cpu(), 0u);
}

TEST(session_test, a_call_that_finds_the_machine_in_use_returns_and_is_repeated)
{
        const nova_uv uv = sessions_begin(true);

        sessions_busy = 2;
        EXPECT_EQ(nova_uv_kick(&uv, 1), 0);
        EXPECT_EQ(sessions_calls, 3u) << "between two calls, the ultravisor serves other VMMs";
        EXPECT_EQ(sessions_kicks, 1u);
        sessions_busy = 1;
        EXPECT_EQ(nova_uv_start(&uv, 1, 8), 0);
        EXPECT_EQ(sessions_starts, 1u);
        EXPECT_EQ(sessions_calls, 5u);
        EXPECT_EQ(sessions_users(), 0u);
}

TEST(session_test, a_reset_is_not_lost_when_the_machine_is_in_use)
{
        const nova_uv uv = sessions_begin(true);

        sessions_busy = 1;
        EXPECT_EQ(nova_uv_reset(&uv, 1), 0);
        EXPECT_EQ(sessions_calls, 2u);
        EXPECT_EQ(sessions_resets, 1u);
        EXPECT_EQ(nova_uv_reset(&uv, 1), EPERM) << "the guest has requested one reset";
        EXPECT_EQ(sessions_users(), 0u);
}

} // namespace
