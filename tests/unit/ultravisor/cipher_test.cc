/* SPDX-License-Identifier: BSD-2-Clause */
/* The encryption of pages that move out, with the library that the ultravisor uses. */
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "cipher.h"
}

namespace
{

constexpr size_t page_bytes = 4096, block_bytes = 16, tag_bytes = 16;

/* Made by python-cryptography: AESGCM(bytes(range(32))).encrypt(struct.pack("<QI", version, 0),
 * page, struct.pack("<QQQ", gpa, version, 12)), with the page of cipher_test. */
const struct {
        uint64_t gpa, version;
        const char *first, *last, *tag; /* blocks of the ciphertext, and the tag */
} answers[] = {
        {0x123000, 1, "e22b8c2ab88cc636723b438e689aeaa2", "bf1dba2ea9c50c29434d828941f087d7",
         "cf74398cc9f70e1b3528c37995c4236e"},
        {0x3ffffff000, 0x0102030405060708, "b7b87f708e65485b2da4ad668acefea3",
         "fe33315e18402eb4f1c3050680f5eaab", "42f35c13c7f483d3e3a53f0e309aba9b"},
};

class cipher_test : public testing::Test
{
      protected:
        void SetUp() override
        {
                std::array<uint8_t, 32> key;

                for (size_t i = 0; i < key.size(); i++)
                        key[i] = (uint8_t)i;
                for (size_t i = 0; i < page_bytes; i++)
                        plain[i] = (uint8_t)(i * 7 + i / 256);
                ASSERT_TRUE(cipher_begin(key.data()));
        }

        void TearDown() override
        {
                cipher_end();
        }

        static std::string hex(const uint8_t *bytes, size_t count)
        {
                static const char digits[] = "0123456789abcdef";
                std::string text;

                for (size_t i = 0; i < count; i++) {
                        text += digits[bytes[i] >> 4];
                        text += digits[bytes[i] & 15];
                }
                return text;
        }

        /* Returns true if the page is refused, and nothing of it is given out. */
        bool refuses(uint64_t gpa, uint64_t version)
        {
                std::vector<uint8_t> out(page_bytes, 0xaa);

                return !cipher_decrypt(gpa, version, sealed.data(), tag.data(), out.data()) &&
                       out == std::vector<uint8_t>(page_bytes, 0);
        }

        std::vector<uint8_t> plain = std::vector<uint8_t>(page_bytes);
        std::vector<uint8_t> sealed = std::vector<uint8_t>(page_bytes);
        std::array<uint8_t, tag_bytes> tag = {};
};

TEST_F(cipher_test, of_a_page_is_aes_256_gcm)
{
        for (const auto &answer : answers) {
                std::vector<uint8_t> out(page_bytes);

                ASSERT_TRUE(cipher_encrypt(answer.gpa, answer.version, plain.data(), sealed.data(),
                                           tag.data()));
                EXPECT_EQ(hex(sealed.data(), block_bytes), answer.first);
                EXPECT_EQ(hex(&sealed[page_bytes - block_bytes], block_bytes), answer.last);
                EXPECT_EQ(hex(tag.data(), tag_bytes), answer.tag) << "it covers each block";
                ASSERT_TRUE(cipher_decrypt(answer.gpa, answer.version, sealed.data(), tag.data(),
                                           out.data()));
                EXPECT_EQ(out, plain);
        }
}

TEST_F(cipher_test, refuses_another_bit_tag_address_or_version)
{
        ASSERT_TRUE(cipher_encrypt(0x123000, 1, plain.data(), sealed.data(), tag.data()));
        EXPECT_TRUE(refuses(0x124000, 1));
        EXPECT_TRUE(refuses(0x123000, 2));
        for (size_t bit = 0; bit < page_bytes * 8; bit += 331) {
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                EXPECT_TRUE(refuses(0x123000, 1)) << "bit " << bit;
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < tag_bytes * 8; bit++) {
                tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
                EXPECT_TRUE(refuses(0x123000, 1)) << "bit " << bit << " of the tag";
                tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        EXPECT_FALSE(refuses(0x123000, 1));
}

} // namespace
