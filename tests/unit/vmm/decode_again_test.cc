/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder's last instruction is used again for equal bytes, and for no others. */
#include "novavmm/decode.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

namespace
{

using bytes = std::vector<uint8_t>;

nova_code code_of(const bytes &code, unsigned bits = 64)
{
        nova_code all = {};

        memcpy(all.byte, code.data(), code.size());
        all.count = static_cast<uint8_t>(code.size());
        all.bits = bits;
        return all;
}

TEST(decode_again, the_last_instruction_is_found_again_only_for_its_bytes_and_width)
{
        const nova_code store = code_of({0x89, 0x07}), load = code_of({0x8b, 0x07});
        const nova_code narrow = code_of({0x89, 0x07}, 16), longer = code_of({0x89, 0x07, 0});
        nova_decoded last = {};

        for (const nova_code &code : {store, store, load, store, narrow, longer, narrow, store}) {
                const nova_instruction *found = nova_decode_again(&last, &code);
                ASSERT_TRUE(found);
                nova_instruction in;
                ASSERT_TRUE(nova_decode(code.byte, code.count, code.bits, &in));
                EXPECT_EQ(memcmp(found, &in, sizeof(in)), 0);
        }
        last.in.length = 77; /* a second decoding would overwrite it */
        EXPECT_EQ(nova_decode_again(&last, &store)->length, 77);
}

TEST(decode_again, an_unknown_instruction_is_unknown_again_and_replaces_the_last)
{
        const nova_code store = code_of({0x89, 0x07}), unknown = code_of({0x0f, 0x0b});
        const nova_code none = code_of({});
        nova_decoded last = {};

        EXPECT_FALSE(nova_decode_again(&last, &none));
        ASSERT_TRUE(nova_decode_again(&last, &store));
        for (const nova_code &code : {unknown, unknown, none, none})
                EXPECT_FALSE(nova_decode_again(&last, &code));
        ASSERT_TRUE(nova_decode_again(&last, &store));
        EXPECT_EQ(last.in.length, 2);
}

} // namespace
