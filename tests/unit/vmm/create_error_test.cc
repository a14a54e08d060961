/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for errors of creating a machine with an ultravisor. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

extern "C" {
#include "create_error.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/service/ultravisor.h"

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

        std::string why(int error, size_t bytes)
        {
                EXPECT_EQ(novavmm_create_error_secure(&vm, error, bytes), error);
                return nova_vm_why(&vm, error);
        }
};

TEST_F(create_error, too_much_ram_for_the_ultravisor_is_named_with_the_limit)
{
        EXPECT_EQ(why(EINVAL, NOVA_UV_NORMAL_BYTES + (2u << 20)),
                  "1026 MiB of RAM are more than the 1024 MiB that a monitor can share with the "
                  "ultravisor");
}

TEST_F(create_error, as_much_ram_as_the_limit_is_not_the_reason)
{
        EXPECT_EQ(why(EINVAL, NOVA_UV_NORMAL_BYTES), strerror(EINVAL));
}

TEST_F(create_error, a_full_table_is_named_with_its_limits)
{
        EXPECT_EQ(why(ENOSPC, 2u << 20),
                  "the ultravisor accepts no other machine: it has at most 8, and at most 2 of a "
                  "session");
}

TEST_F(create_error, other_errors_stay)
{
        EXPECT_EQ(why(ENOMEM, 2u << 20), strerror(ENOMEM));
}

} // namespace
