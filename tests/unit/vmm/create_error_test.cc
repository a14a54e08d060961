/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for errors of creating a machine with an ultravisor. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

extern "C" {
#include "create_error.h"
#include "novart/page.h"
#include "novart/program.h"

struct nova_program nova_program;

size_t nova_page_free_count(void)
{
        return 0;
}
}

namespace
{

struct create_error : testing::Test {
        nova_vm vm = {};

        std::string why(int error)
        {
                EXPECT_EQ(novavmm_create_error_secure(&vm, error), error);
                return nova_vm_why(&vm, error);
        }
};

TEST_F(create_error, a_full_table_is_named_with_its_limits)
{
        EXPECT_EQ(why(ENOSPC),
                  "the ultravisor accepts no other machine: it has at most 8, and at most 2 of a "
                  "session");
}

TEST_F(create_error, other_errors_stay)
{
        EXPECT_EQ(why(ENOMEM), strerror(ENOMEM));
}

} // namespace
