/* SPDX-License-Identifier: BSD-2-Clause */
/* A UTCB between two guard words, which must not change in any test. */
#ifndef TESTS_UNIT_LIBNOVA_GUARDED_UTCB_H
#define TESTS_UNIT_LIBNOVA_GUARDED_UTCB_H

#include <gtest/gtest.h>

#include "nova/utcb.h"

class guarded_utcb : public testing::Test
{
      protected:
        struct {
                nova_word_t before = 0x5a5a;
                nova_utcb utcb = {};
                nova_word_t after = 0xa5a5;
        } page;
        nova_utcb *u = &page.utcb;

        void TearDown() override
        {
                EXPECT_EQ(page.before, 0x5a5au);
                EXPECT_EQ(page.after, 0xa5a5u);
        }
};

#endif
