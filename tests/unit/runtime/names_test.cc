/* SPDX-License-Identifier: BSD-2-Clause */
/* The names service's table: validity, limits, owners. */
extern "C" {
#include "table.h"
}

#include <cerrno>
#include <gtest/gtest.h>
#include <string>

namespace
{

struct names : testing::Test {
        name_entry room[4] = {};
        name_table table = {room, 4, 2};
        int anna = 0, bert = 0;

        int add(const char *name, const void *owner)
        {
                name_entry *entry;
                return name_add(&table, name, owner, &entry);
        }
};

TEST_F(names, are_found_until_they_are_removed)
{
        EXPECT_EQ(add("clock", &anna), 0);
        name_entry *entry = name_find(&table, "clock");
        ASSERT_NE(entry, nullptr);
        EXPECT_EQ(entry->owner, &anna);
        name_remove(entry);
        EXPECT_EQ(name_find(&table, "clock"), nullptr);
        EXPECT_EQ(name_find(&table, ""), nullptr) << "a free entry has no name";
}

TEST_F(names, that_are_not_valid_are_refused)
{
        for (const char *name : {"", "a b", "a\n", "\x80", "[log]"})
                EXPECT_EQ(add(name, &anna), EINVAL) << name;
        EXPECT_EQ(add(std::string(NAMES_LENGTH + 1, 'x').c_str(), &anna), EINVAL);
        EXPECT_EQ(add(std::string(NAMES_LENGTH, 'x').c_str(), &anna), 0);
}

TEST_F(names, that_are_taken_are_refused)
{
        EXPECT_EQ(add("clock", &anna), 0);
        EXPECT_EQ(add("clock", &bert), EEXIST);
}

TEST_F(names, of_one_owner_and_of_all_are_limited)
{
        EXPECT_EQ(add("a", &anna), 0);
        EXPECT_EQ(add("b", &anna), 0);
        EXPECT_EQ(add("c", &anna), EDQUOT);
        EXPECT_EQ(add("c", &bert), 0);
        EXPECT_EQ(add("d", &bert), 0);
        int cora;
        EXPECT_EQ(add("e", &cora), ENOSPC);
}

TEST_F(names, of_an_owner_are_found_one_by_one)
{
        add("a", &anna);
        add("b", &bert);
        add("c", &anna);
        unsigned count = 0;
        while (name_entry *entry = name_of_owner(&table, &anna)) {
                name_remove(entry);
                count++;
        }
        EXPECT_EQ(count, 2u);
        EXPECT_NE(name_find(&table, "b"), nullptr);
}

} // namespace
