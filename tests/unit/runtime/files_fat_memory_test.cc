/* SPDX-License-Identifier: BSD-2-Clause */
/* The FAT file system while memory is short. */
#include "files_fat.h"

#include <functional>

/* The linker redirects calls of malloc() to __wrap_malloc(); __real_malloc() is the original. */
extern "C" void *__wrap_malloc(size_t bytes);
extern "C" void *__real_malloc(size_t bytes);

namespace
{

long allocations_left = -1; /* number of allocations before one that fails; -1: none fails */

struct files_fat_memory_test : testing::TestWithParam<fat_kind>, mounted_disk {
};

TEST_P(files_fat_memory_test, a_change_that_gets_no_memory_changes_nothing)
{
        const std::vector<std::function<int()>> changes = {
                [&] { return create("new"); },
                [&] { return create("a long name of a new file"); },
                [&] { return create("new", true); },
                [&] { return rename_part("file", "OTHER"); },
                [&] { return rename_part("file", "folder/file"); },
                [&] { return remove("file"); },
        };

        memory.format(GetParam().options, GetParam().kib);
        mount();
        ASSERT_EQ(create("folder", true), 0);
        ASSERT_EQ(write_new("file", std::string(3000, 'd')), 0);
        const std::set<std::string> names = list("");
        const uint32_t free = count_free();
        for (size_t change = 0; change < changes.size(); change++) {
                bool all = false;

                for (long steps = 0; !all && !HasFailure(); steps++) {
                        SCOPED_TRACE(testing::Message() << change << " allocation " << steps);
                        allocations_left = steps;
                        const int error = changes[change]();
                        all = allocations_left >= 0;
                        allocations_left = -1;
                        EXPECT_EQ(error, all ? 0 : ENOMEM);
                        if (error) {
                                EXPECT_EQ(list(""), names);
                                EXPECT_EQ(list("folder"), std::set<std::string>{});
                                EXPECT_EQ(count_free(), free);
                        }
                }
                remove("new", change == 2);
                remove("a long name of a new file");
                rename("OTHER", "file");
                rename("folder/file", "file");
        }
        unmount();
        expect_clean();
}

INSTANTIATE_TEST_SUITE_P(kinds, files_fat_memory_test, testing::ValuesIn(fat_kinds),
                         [](const auto &row) { return std::string(row.param.name); });

} // namespace

void *__wrap_malloc(size_t bytes)
{
        const bool fails = allocations_left >= 0 && !allocations_left--;

        return fails ? nullptr : __real_malloc(bytes);
}
