/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences with which the program `disk` ends. */
extern "C" {
#include "disk/server.h"
#include "driver_main.h"
#include "novart/parent.h"
}

#include <cerrno>
#include <cstdlib>
#include <gtest/gtest.h>

namespace
{

int module_error, start_error;
const char *archive_error;

/* Runs the program until it ends. @return what it prints */
std::string run(int module, int start, const char *archive = nullptr)
{
        char name[] = "disk", module_name[] = "files.tar";
        char *arguments[] = {name, module_name, nullptr};

        module_error = module;
        start_error = start;
        archive_error = archive;
        testing::internal::CaptureStdout();
        EXPECT_EQ(driver_main(2, arguments), 1);
        return testing::internal::GetCapturedStdout();
}

} // namespace

int nova_parent_module(const char *, const void **data, size_t *bytes)
{
        *data = nullptr;
        *bytes = 0;
        return module_error;
}

int disk_service_start(const void *, size_t, const char **error)
{
        *error = archive_error;
        return start_error;
}

void nova_service_sleep()
{
        abort();
}

TEST(disk_main, memory_is_named_if_it_is_missing)
{
        for (const auto &text : {run(0, ENOMEM), run(ENOMEM, 0)}) {
                EXPECT_NE(text.find("enlarge 'memory'"), std::string::npos) << text;
                EXPECT_EQ(text.find("usable archive"), std::string::npos) << text;
                EXPECT_EQ(text.find("write `modules"), std::string::npos) << text;
        }
}

TEST(disk_main, the_archive_is_blamed_only_if_it_is_wrong)
{
        EXPECT_EQ(run(0, EILSEQ, "the archive ends inside a header."),
                  "'files.tar' is not a usable archive: the archive ends inside a header.\n");
        EXPECT_EQ(run(0, EAGAIN).find("archive"), std::string::npos);
}

TEST(disk_main, a_missing_module_is_named)
{
        EXPECT_NE(run(ENOENT, 0).find("write `modules files.tar`"), std::string::npos);
}
