/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports at which a secure guest reads its phrase and its secrets. */
extern "C" {
#include "secrets.h"
}

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "novart/service/ultravisor_calls.h"

namespace
{

const uint64_t none = ~UINT64_C(0);

class secrets_test : public testing::Test
{
      protected:
        std::unique_ptr<struct seal> seal = std::make_unique<struct seal>();
        struct secrets secrets = {};
        size_t used = 0;

        const uint8_t *put(const std::string &text)
        {
                uint8_t *const at = seal->plain + used;

                memcpy(at, text.data(), text.size());
                used += text.size();
                return at;
        }

        void add(const std::string &name, const std::string &value)
        {
                struct seal_secret *const secret = &seal->secret[seal->secrets++];

                secret->name = put(name);
                secret->name_bytes = name.size();
                secret->value = put(value);
                secret->value_bytes = value.size();
        }

        void SetUp() override
        {
                seal->phrase = put("swordfish");
                seal->phrase_bytes = 9;
                add("token", "1234");
                add("tok", "");
                add(std::string(SEAL_NAME_MAX, 'n'), std::string(SEAL_VALUE_MAX, 'v'));
        }

        void select(const std::string &name)
        {
                secrets_write(&secrets, NOVA_UV_SECRET_NAME, 1, 0);
                for (size_t i = 0; i < name.size(); i++)
                        secrets_write(&secrets, NOVA_UV_SECRET_NAME + i, 1,
                                      static_cast<uint8_t>(name[i]));
        }

        uint64_t read(uint64_t port, unsigned bytes)
        {
                return secrets_read(&secrets, seal.get(), port, bytes);
        }

        unsigned length()
        {
                return static_cast<unsigned>(read(NOVA_UV_SECRET_LENGTH, 2));
        }

        std::string value()
        {
                std::string text;

                for (unsigned i = 0; length() != NOVA_UV_SECRET_NONE && i < length(); i++)
                        text += static_cast<char>(read(NOVA_UV_SECRET_VALUE + i, 1));
                return text;
        }
};

TEST_F(secrets_test, the_phrase_is_selected_at_first_and_by_the_empty_name)
{
        EXPECT_EQ(length(), 9u);
        EXPECT_EQ(value(), "swordfish");
        EXPECT_EQ(value(), "swordfish") << "any number of times";
        select("token");
        select("");
        EXPECT_EQ(value(), "swordfish");
}

TEST_F(secrets_test, a_secret_is_selected_by_its_whole_name)
{
        select("token");
        EXPECT_EQ(value(), "1234");
        select("tok");
        EXPECT_EQ(length(), 0u) << "a shorter name ends where its last byte is";
        for (const char *name : {"to", "tokens", "Token", "phrase"}) {
                select(name);
                EXPECT_EQ(length(), NOVA_UV_SECRET_NONE) << name;
                EXPECT_EQ(read(NOVA_UV_SECRET_VALUE, 8), none) << name;
        }
}

TEST_F(secrets_test, the_longest_name_and_the_longest_value_fit)
{
        select(std::string(SEAL_NAME_MAX, 'n'));
        EXPECT_EQ(value(), std::string(SEAL_VALUE_MAX, 'v'));
        select(std::string(SEAL_NAME_MAX + 1, 'n'));
        EXPECT_EQ(length(), NOVA_UV_SECRET_NONE);
}

TEST_F(secrets_test, an_access_of_several_bytes_is_one_for_each_byte)
{
        EXPECT_EQ(read(NOVA_UV_SECRET_VALUE, 4), 0x726f7773u);
        EXPECT_EQ(read(NOVA_UV_SECRET_VALUE + 7, 4), 0xffff6873u) << "nothing after the value";
        secrets_write(&secrets, NOVA_UV_SECRET_NAME, 4, 0x656b6f74);
        secrets_write(&secrets, NOVA_UV_SECRET_NAME + 4, 4, 'n');
        EXPECT_EQ(value(), "1234");
}

TEST_F(secrets_test, there_is_nothing_at_other_ports)
{
        for (const uint64_t port : {NOVA_UV_SECRET_NAME, NOVA_UV_SECRET_NAME + 31,
                                    NOVA_UV_SECRET_LENGTH + 2, NOVA_UV_SECRET_LAST})
                EXPECT_EQ(read(port, 1), 0xffu) << port;
        secrets_write(&secrets, NOVA_UV_SECRET_NAME - 1, 1, 'x');
        secrets_write(&secrets, NOVA_UV_SECRET_LENGTH, 8, none);
        secrets_write(&secrets, NOVA_UV_SECRET_VALUE, 8, none);
        EXPECT_EQ(value(), "swordfish");
}

TEST_F(secrets_test, an_image_without_a_phrase_has_none)
{
        seal->phrase_bytes = 0;
        EXPECT_EQ(length(), NOVA_UV_SECRET_NONE);
        EXPECT_EQ(read(NOVA_UV_SECRET_VALUE, 1), 0xffu);
        select("token");
        EXPECT_EQ(value(), "1234");
}

} // namespace
