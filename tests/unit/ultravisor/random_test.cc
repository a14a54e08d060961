// SPDX-License-Identifier: BSD-2-Clause
// Random numbers of a CPU whose RDRAND fails: the reader of the CPU's words (random.c), and the
// ultravisor's generator that it seeds (crypto.c).
#include <gtest/gtest.h>

extern "C" {
#include "crypto.h"
#include "novart/random.h"
#include "random/insn.h"
}

namespace
{
const uint32_t has_rdrand = 0x40000000u;
const unsigned most_attempts = 10;   // for each word
const unsigned most_numbers = 20000; // more than the generator makes from one seed

unsigned executed; // number of RDRANDs so far
unsigned fails;    // number of RDRANDs that fail next
bool ones;         // successful instructions return all ones, as a broken CPU does

class random_test : public testing::Test
{
      protected:
        void SetUp() override
        {
                executed = fails = 0;
                ones = false;
        }
};

/* Returns how many numbers the generator makes before it fails. */
unsigned numbers_until_failure()
{
        uint64_t value = 0, last = 0;

        for (unsigned i = 0; i < most_numbers; i++) {
                if (crypto_random(&value, sizeof(value)) != CRYPTO_OK)
                        return i;
                EXPECT_NE(value, last);
                last = value;
        }
        return most_numbers;
}
} // namespace

uint32_t cpuid_ecx(uint32_t leaf)
{
        return leaf == 1 ? has_rdrand : 0;
}

bool rdrand(uintptr_t *value)
{
        executed++;
        *value = 0;
        if (fails) {
                fails--;
                return false;
        }
        *value = ones ? UINTPTR_MAX : executed * UINT64_C(0x9e3779b97f4a7c15);
        return true;
}

TEST_F(random_test, a_cpu_that_always_fails_gives_no_bytes)
{
        unsigned char bytes[32];

        fails = ~0u;
        EXPECT_EQ(nova_random(bytes, sizeof(bytes)), 0u);
        EXPECT_EQ(executed, most_attempts);
        EXPECT_FALSE(nova_random_available());
}

TEST_F(random_test, a_cpu_that_fails_for_a_while_gives_all_bytes)
{
        unsigned char bytes[32];

        fails = most_attempts - 1;
        EXPECT_EQ(nova_random(bytes, sizeof(bytes)), sizeof(bytes));
        EXPECT_EQ(executed, most_attempts - 1 + sizeof(bytes) / sizeof(uintptr_t));
}

TEST_F(random_test, a_cpu_that_returns_only_ones_gives_no_bytes)
{
        unsigned char bytes[32];

        ones = true;
        EXPECT_EQ(nova_random(bytes, sizeof(bytes)), 0u);
        EXPECT_EQ(executed, most_attempts);
}

TEST_F(random_test, the_generator_needs_a_seed)
{
        fails = ~0u;
        EXPECT_EQ(crypto_init(nova_random), CRYPTO_BAD);
        EXPECT_LE(executed, 2 * most_attempts);
        fails = 0;
        EXPECT_EQ(crypto_init(nova_random), CRYPTO_OK);
}

TEST_F(random_test, the_generator_fails_if_it_gets_no_new_seed)
{
        uint64_t value = 7;

        ASSERT_EQ(crypto_init(nova_random), CRYPTO_OK);
        fails = ~0u;
        EXPECT_LT(numbers_until_failure(), most_numbers);
        executed = 0;
        EXPECT_EQ(crypto_random(&value, sizeof(value)), CRYPTO_BAD);
        EXPECT_EQ(value, 7u) << "no weak number";
        EXPECT_LE(executed, most_attempts) << "no further attempts";
        fails = 0;
        EXPECT_EQ(crypto_random(&value, sizeof(value)), CRYPTO_OK);
        EXPECT_NE(value, 7u);
}
