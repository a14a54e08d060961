/* SPDX-License-Identifier: BSD-2-Clause */
/* A handshake of TLS without memory for the content of a message Finished. */
extern "C" {
#include "tls_finished.h"
}

#include <gtest/gtest.h>

TEST(tls_finished, is_not_sent_with_a_content_that_was_not_computed)
{
        EXPECT_TRUE(finished_fails(true, false));
        EXPECT_TRUE(finished_fails(true, true));
}

TEST(tls_finished, is_not_compared_with_a_content_that_was_not_computed)
{
        EXPECT_TRUE(finished_fails(false, false));
        EXPECT_TRUE(finished_fails(false, true));
}
