/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor's reader of sealed images' blobs. */
extern "C" {
#include "write.h"
}

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace
{

const uint64_t mib = 1 << 20, page = 4096;
long callocs_left = -1; /* number of calls that succeed; -1: all */

size_t count_up(void *to, size_t bytes)
{
        static uint8_t next;

        for (size_t i = 0; i < bytes; i++)
                static_cast<uint8_t *>(to)[i] = next++;
        return bytes;
}

struct part {
        uint32_t kind, reserved;
        uint64_t address, bytes;
        uint8_t digest[32];
};

/* The content of a blob. */
struct content {
        uint32_t flags = 0, vcpus = 2;
        uint64_t memory = 16 * mib, entry = mib + 0x200, params = 0x10000, tables = 0x70000;
        uint64_t blob = 0x30000;
        std::vector<part> parts = {{SEAL_START, 0, 0x8000, page, {1}},
                                   {SEAL_BOOT_PARAMS, 0, 0x10000, page, {2}},
                                   {SEAL_KERNEL, 0, mib, 2 * page, {3}}};
        std::string phrase = "swordfish";
        std::vector<std::pair<std::string, std::string>> secrets = {{"token", "1234"},
                                                                    {"empty", ""}};

        template <class T> static void add(std::string *to, T value)
        {
                to->append(reinterpret_cast<const char *>(&value), sizeof(value));
        }

        std::string plain() const
        {
                std::string text, values;

                for (const auto &[name, value] : secrets) {
                        add<uint16_t>(&values, name.size());
                        add<uint16_t>(&values, value.size());
                        values += name + value;
                }
                add(&text, flags);
                add(&text, vcpus);
                for (const uint64_t word : {memory, entry, params, tables})
                        add(&text, word);
                for (const size_t count :
                     {parts.size(), secrets.size(), phrase.size(), values.size()})
                        add<uint32_t>(&text, count);
                add(&text, blob);
                for (const auto &one : parts)
                        add(&text, one);
                return text + phrase + values;
        }
};

struct sealed : testing::Test {
        uint8_t key[3][CRYPTO_KEY_BYTES] = {{8}, {16}, {24}}; /* X25519 ignores the 3 low bits */
        uint8_t public_key[3][CRYPTO_KEY_BYTES] = {};
        content given;
        std::unique_ptr<seal> opened = std::make_unique<seal>();

        void SetUp() override
        {
                ASSERT_EQ(crypto_init(count_up), CRYPTO_OK);
                for (unsigned i = 0; i < 3; i++)
                        ASSERT_EQ(crypto_public(key[i], public_key[i]), CRYPTO_OK);
        }

        void TearDown() override
        {
                callocs_left = -1;
        }

        /* Returns a blob for the first two machines. */
        std::string blob()
        {
                const std::string plain = given.plain();
                std::vector<uint8_t> made(WRITE_MAX);
                const size_t bytes =
                        write_blob(made.data(), reinterpret_cast<const uint8_t *>(plain.data()),
                                   plain.size(), public_key, 2);

                return {reinterpret_cast<const char *>(made.data()), bytes};
        }

        std::string open(const std::string &text, unsigned machine = 0)
        {
                /* the sanitizer sees a read beyond the end */
                const std::unique_ptr<uint8_t[]> copy(new uint8_t[text.size()]);

                memcpy(copy.get(), text.data(), text.size());
                return seal_name(seal_open(opened.get(), key[machine], copy.get(), text.size()));
        }

        std::string open_given()
        {
                return open(blob());
        }
};

TEST_F(sealed, hands_out_all_that_was_sealed)
{
        for (unsigned machine = 0; machine < 2; machine++) {
                ASSERT_EQ(open(blob(), machine), "OK");
                EXPECT_EQ(opened->memory, 16 * mib);
                EXPECT_EQ(opened->vcpus, 2u);
                EXPECT_FALSE(opened->debug);
                EXPECT_EQ(opened->entry, mib + 0x200);
                EXPECT_EQ(opened->params, 0x10000u);
                EXPECT_EQ(opened->tables, 0x70000u);
                EXPECT_EQ(opened->blob, 0x30000u);
                ASSERT_EQ(opened->parts, 3u);
                EXPECT_EQ(opened->part[2].kind, SEAL_KERNEL);
                EXPECT_EQ(opened->part[2].address, mib);
                EXPECT_EQ(opened->part[2].bytes, 2 * page);
                EXPECT_EQ(opened->part[2].digest[0], 3);
                EXPECT_EQ(std::string(reinterpret_cast<const char *>(opened->phrase),
                                      opened->phrase_bytes),
                          "swordfish");
        }
        for (given.flags = 0; given.flags < 4; given.flags++) {
                ASSERT_EQ(open_given(), "OK");
                EXPECT_EQ(opened->debug, given.flags % 2 == 1);
                EXPECT_EQ(opened->vector_128, given.flags >= 2);
        }
}

TEST_F(sealed, finds_secrets_by_their_whole_names)
{
        ASSERT_EQ(open_given(), "OK");
        const seal_secret *const token = seal_find_secret(opened.get(), "token", 5);

        ASSERT_NE(token, nullptr);
        EXPECT_EQ(std::string(reinterpret_cast<const char *>(token->value), token->value_bytes),
                  "1234");
        const seal_secret *const empty = seal_find_secret(opened.get(), "empty", 5);

        ASSERT_NE(empty, nullptr);
        EXPECT_EQ(empty->value_bytes, 0u);
        EXPECT_EQ(seal_find_secret(opened.get(), "toke", 4), nullptr);
        EXPECT_EQ(seal_find_secret(opened.get(), "token", 4), nullptr);
        EXPECT_EQ(seal_find_secret(opened.get(), "", 0), nullptr);
}

TEST_F(sealed, compares_sums)
{
        ASSERT_EQ(open_given(), "OK");
        uint8_t digest[CRYPTO_DIGEST_BYTES] = {3};

        EXPECT_TRUE(seal_matches(&opened->part[2], digest));
        digest[31] = 0x80;
        EXPECT_FALSE(seal_matches(&opened->part[2], digest));
        EXPECT_FALSE(seal_matches(&opened->part[1], digest));
}

TEST_F(sealed, opens_for_named_machines_only)
{
        EXPECT_EQ(open(blob(), 2), "NO_KEY");
}

TEST_F(sealed, refuses_a_changed_bit_of_each_byte)
{
        const std::string good = blob();

        for (size_t i = 0; i < good.size(); i++) {
                std::string other = good;

                other[i] = static_cast<char>(other[i] ^ 1 << i % 8);
                EXPECT_NE(open(other), "OK") << i;
        }
}

TEST_F(sealed, refuses_each_prefix_of_a_blob)
{
        const std::string good = blob();

        for (size_t bytes = 0; bytes < good.size(); bytes++)
                EXPECT_EQ(open(good.substr(0, bytes)), bytes < 8 ? "NO_BLOB" : "CUT_OFF");
        EXPECT_EQ(open(good + "more"), "OK");
}

TEST_F(sealed, refuses_each_wrong_field_of_the_header)
{
        const std::string good = blob();
        const struct {
                size_t at;
                uint32_t value;
                const char *status;
        } rows[] = {{0, 0, "NO_BLOB"},
                    {8, 2, "VERSION"},
                    {8, 0, "VERSION"},
                    {12, 0, "LENGTHS"},
                    {12, 0x7fffffff, "LENGTHS"},
                    {16, 0, "MACHINES"},
                    {16, 17, "MACHINES"},
                    {16, 0xffffffff, "MACHINES"},
                    {16, 1, "LENGTHS"},
                    {20, 63, "CONTENT"},
                    {20, SEAL_CONTENT_MAX + 1, "CONTENT"},
                    {20, 0xffffffff, "CONTENT"},
                    {20, 64, "LENGTHS"},
                    {36, 1, "RESERVED"}};

        for (const auto &row : rows) {
                std::string other = good;

                memcpy(&other[row.at], &row.value, sizeof(row.value));
                EXPECT_EQ(open(other), row.status) << row.at;
        }
}

TEST_F(sealed, refuses_each_wrong_length_of_the_content)
{
        const std::string plain = given.plain();
        const struct {
                size_t at;
                uint32_t value;
                const char *status;
        } rows[] = {{44, 1, "SECRET"},   {44, 3, "SECRET"},  {48, 8, "LENGTHS"},
                    {48, 10, "LENGTHS"}, {52, 0, "LENGTHS"}, {52, 0xffffffff, "LENGTHS"},
                    {40, 2, "LENGTHS"}};

        for (const auto &row : rows) {
                memset(opened.get(), 0, sizeof(seal));
                memcpy(opened->plain, plain.data(), plain.size());
                memcpy(opened->plain + row.at, &row.value, sizeof(row.value));
                EXPECT_STREQ(seal_name(seal_read_plain(opened.get(), plain.size())), row.status)
                        << row.at;
        }
}

TEST_F(sealed, refuses_a_value_that_ends_after_the_content)
{
        std::string plain = given.plain();
        const uint16_t long_value = 1;

        memcpy(&plain[plain.size() - 7], &long_value, sizeof(long_value)); /* of secret "empty" */
        memcpy(opened->plain, plain.data(), plain.size());
        EXPECT_STREQ(seal_name(seal_read_plain(opened.get(), plain.size())), "SECRET");
        plain = given.plain();
        memcpy(opened->plain, plain.data(), plain.size());
        EXPECT_STREQ(seal_name(seal_read_plain(opened.get(), plain.size())), "OK");
}

/* The content is as long as it can be, so the sanitizer sees a read after its end. */
TEST_F(sealed, refuses_a_name_that_ends_after_the_longest_content)
{
        given.phrase = std::string(SEAL_PHRASE_MAX, 'p');
        for (uint64_t at = 2 * mib; given.parts.size() < SEAL_PARTS_MAX; at += page)
                given.parts.push_back({SEAL_INITRD, 0, at, page, {}});
        given.secrets.clear();
        for (char c = 'a'; given.secrets.size() < SEAL_SECRETS_MAX; c++)
                given.secrets.emplace_back(std::string(SEAL_NAME_MAX, c),
                                           std::string(SEAL_VALUE_MAX, 'v'));
        const std::string plain = given.plain();
        const uint16_t long_name = 0xffff;

        ASSERT_EQ(plain.size(), SEAL_CONTENT_MAX);
        memcpy(opened->plain, plain.data(), plain.size());
        EXPECT_STREQ(seal_name(seal_read_plain(opened.get(), plain.size())), "OK");
        memcpy(opened->plain + plain.size() - SEAL_VALUE_MAX - SEAL_NAME_MAX - SEAL_SECRET_BYTES,
               &long_name, sizeof(long_name));
        EXPECT_STREQ(seal_name(seal_read_plain(opened.get(), plain.size())), "SECRET");
}

TEST_F(sealed, leaves_no_secret_of_a_blob_that_it_refuses)
{
        given.entry = 0;
        EXPECT_EQ(open_given(), "ENTRY");
        const std::string left(reinterpret_cast<const char *>(opened.get()), sizeof(seal));

        EXPECT_EQ(left, std::string(sizeof(seal), '\0'));
}

TEST_F(sealed, wipes_an_opened_blob)
{
        ASSERT_EQ(open_given(), "OK");
        seal_wipe(opened.get());
        const std::string left(reinterpret_cast<const char *>(opened.get()), sizeof(seal));

        EXPECT_EQ(left, std::string(sizeof(seal), '\0'));
}

TEST_F(sealed, reports_a_lack_of_memory)
{
        const std::string good = blob();
        unsigned failures = 0;

        for (long left = 0;; left += 1 + left / 8) {
                callocs_left = left;
                const std::string status = open(good);

                callocs_left = -1;
                if (status == "OK")
                        break;
                ASSERT_EQ(status, "NO_MEMORY") << left;
                failures++;
        }
        EXPECT_GE(failures, 10u);
}

TEST_F(sealed, refuses_wrong_policies)
{
        const content good;

        for (const auto &[vcpus, memory] : std::vector<std::pair<uint32_t, uint64_t>>{
                     {0, 16 * mib}, {65, 16 * mib}, {1, 0}, {1, mib}, {1, 0xc0200000}}) {
                given.vcpus = vcpus;
                given.memory = memory;
                EXPECT_EQ(open_given(), "POLICY");
        }
        given = good;
        for (unsigned bit = 2; bit < 32; bit++) {
                given.flags = UINT32_C(1) << bit;
                EXPECT_EQ(open_given(), "POLICY") << bit;
        }
}

TEST_F(sealed, refuses_too_many_things)
{
        const content good;

        given.parts.clear();
        EXPECT_EQ(open_given(), "PARTS");
        given = good;
        given.parts.resize(17);
        EXPECT_EQ(open_given(), "PARTS");
        given = good;
        given.phrase = std::string(513, 'p');
        EXPECT_EQ(open_given(), "PHRASE");
        given = good;
        given.secrets.resize(17);
        EXPECT_EQ(open_given(), "SECRETS");
}

TEST_F(sealed, refuses_parts_out_of_place)
{
        const content good;

        for (const part &one : std::vector<part>{{0, 0, mib, page, {}},
                                                 {7, 0, mib, page, {}},
                                                 {SEAL_KERNEL, 1, mib, page, {}},
                                                 {SEAL_KERNEL, 0, mib, 0, {}},
                                                 {SEAL_KERNEL, 0, mib, 100, {}},
                                                 {SEAL_KERNEL, 0, mib + 1, page, {}},
                                                 {SEAL_KERNEL, 0, 16 * mib, page, {}},
                                                 {SEAL_KERNEL, 0, -page, page, {}},
                                                 {SEAL_KERNEL, 0, mib, -page, {}}}) {
                given.parts[2] = one;
                EXPECT_EQ(open_given(), "PART");
        }
        given = good;
        given.parts[2].address = 0x10000;
        EXPECT_EQ(open_given(), "OVERLAP");
        given = good;
        std::swap(given.parts[0], given.parts[1]);
        EXPECT_EQ(open_given(), "OVERLAP");
}

TEST_F(sealed, refuses_places_that_are_taken)
{
        const content good;

        for (const uint64_t at : {uint64_t{0x30001}, uint64_t{0x8000}, mib + page, 16 * mib - page,
                                  uint64_t{0x70000}, uint64_t{0x60000}, -page}) {
                given.blob = at;
                EXPECT_EQ(open_given(), "PLACE") << at;
        }
        given = good;
        for (const uint64_t at : {uint64_t{0x70001}, uint64_t{0x8000}, mib - page, 16 * mib - page,
                                  uint64_t{0x40000}, uint64_t{0x29000}, -page}) {
                given.tables = at;
                EXPECT_EQ(open_given(), "PLACE") << at;
        }
}

TEST_F(sealed, accepts_places_that_touch)
{
        given.blob = 0x11000;
        given.tables = 0x22000;
        EXPECT_EQ(open_given(), "OK");
        given.tables = 0x9000 - SEAL_TABLES_BYTES - page;
        EXPECT_EQ(open_given(), "OK");
}

TEST_F(sealed, refuses_an_entry_outside_of_the_kernel)
{
        for (const uint64_t at : {mib - 1, mib + 2 * page, uint64_t{0x8000}, uint64_t{0}}) {
                given.entry = at;
                EXPECT_EQ(open_given(), "ENTRY");
        }
        given.entry = mib + 2 * page - 1;
        EXPECT_EQ(open_given(), "OK");
}

TEST_F(sealed, refuses_other_boot_parameters)
{
        const content good;

        given.params = 0x8000;
        EXPECT_EQ(open_given(), "PARAMS");
        given = good;
        given.parts[1].bytes = 2 * page;
        EXPECT_EQ(open_given(), "PARAMS");
        given.parts[1] = {SEAL_COMMAND_LINE, 0, 0x10000, page, {}};
        EXPECT_EQ(open_given(), "PARAMS");
        given = good;
        given.parts.push_back({SEAL_BOOT_PARAMS, 0, 2 * mib, page, {}});
        EXPECT_EQ(open_given(), "PARAMS");
}

TEST_F(sealed, refuses_wrong_secrets)
{
        for (const auto &[name, value] :
             std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                              {"a b", ""},
                                                              {"a/b", ""},
                                                              {std::string(32, 'n'), ""},
                                                              {"n", std::string(4097, 'v')},
                                                              {"token", "again"}}) {
                given.secrets = {{"token", "1"}, {name, value}};
                EXPECT_EQ(open_given(), "SECRET") << name;
        }
        given.secrets = {{std::string(31, 'n'), std::string(4096, 'v')}, {"A.z_9-", "x"}};
        EXPECT_EQ(open_given(), "OK");
}

TEST_F(sealed, reads_the_file_of_a_key)
{
        std::string file = "NOVA-MACHINE-KEY" + std::string(32, 'k');
        uint8_t found[CRYPTO_KEY_BYTES];

        EXPECT_TRUE(seal_read_key(file.data(), file.size(), found));
        EXPECT_EQ(found[31], 'k');
        EXPECT_FALSE(seal_read_key(file.data(), 47, found));
        file += "x";
        EXPECT_FALSE(seal_read_key(file.data(), file.size(), found));
        file = "NOVA-MACHINE-PUB" + std::string(32, 'k');
        EXPECT_FALSE(seal_read_key(file.data(), file.size(), found));
}

TEST_F(sealed, has_a_sentence_and_a_status_for_each_refusal)
{
        EXPECT_STREQ(seal_u_name(SEAL_NO_KEY), "U_NO_KEY");
        EXPECT_STREQ(seal_u_name(SEAL_NO_BLOB), "U_PARAMETER");
        EXPECT_STREQ(seal_u_name(SEAL_NO_MEMORY), "U_RETRY");
        EXPECT_STREQ(seal_u_name(SEAL_DAMAGED), "U_PERMISSION");
        EXPECT_STREQ(seal_sentence(SEAL_CUT_OFF), "the blob is cut off");
}

} // namespace

extern "C" void *__real_calloc(size_t count, size_t bytes);
extern "C" void *__wrap_calloc(size_t count, size_t bytes);

extern "C" void *__wrap_calloc(size_t count, size_t bytes)
{
        if (callocs_left >= 0 && callocs_left-- == 0) {
                callocs_left = 0;
                return nullptr;
        }
        return __real_calloc(count, bytes);
}
