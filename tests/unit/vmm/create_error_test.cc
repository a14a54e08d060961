/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for errors of creating a machine with an ultravisor. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

extern "C" {
#include "create_error.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novavmm/secure.h"

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

TEST_F(create_error, a_full_table_is_named_with_its_limit)
{
        EXPECT_EQ(why(ENOSPC), "the ultravisor's table is full: the machines of all programs are "
                               "8, the maximum; destroy one of them first");
}

TEST(secure_why, names_the_limit_that_refuses_a_session_and_the_remedy)
{
        EXPECT_STREQ(nova_secure_why(EMFILE), "this program has 2 sessions with it, the maximum; "
                                              "close one of them first");
        EXPECT_STREQ(nova_secure_why(ENFILE), "all programs together have 8 sessions with it, the "
                                              "maximum; close one of them first");
        EXPECT_STREQ(nova_secure_why(ENOSPC), "other programs have all shares of its memory; "
                                              "enlarge N of 'vmms=N' in its description");
        EXPECT_STREQ(nova_secure_why(ENOENT), "no program provides it; add the program ultravisor "
                                              "to the description of the system");
        EXPECT_STREQ(nova_secure_why(EACCES),
                     "this program may not use it; write 'uses ultravisor' in its description, and "
                     "add the program ultravisor if the system has none");
        EXPECT_STREQ(nova_secure_why(ENOMEM),
                     "too little memory is left for a session; enlarge 'memory' and "
                     "'kernel-memory' of this program in its description");
        for (const int error : {EAGAIN, ECONNRESET})
                EXPECT_STREQ(nova_secure_why(error),
                             "the program that provides it has ended; look for its report above");
        EXPECT_STREQ(nova_secure_why(EHOSTUNREACH),
                     "it does not run on the CPU of this thread; write 'cpus all' in the "
                     "description of the ultravisor");
        EXPECT_STREQ(nova_secure_why(EIO), strerror(EIO));
}

TEST_F(create_error, a_cpu_that_the_ultravisor_lacks_is_named_with_the_remedy)
{
        EXPECT_EQ(why(ENODEV), "the ultravisor may not use a CPU of its virtual CPUs; write 'cpus "
                               "all' in the description of the ultravisor");
}

TEST_F(create_error, other_errors_stay)
{
        EXPECT_EQ(why(ENOMEM), strerror(ENOMEM));
}

struct missing_memory : create_error {
        static constexpr size_t BYTES = 8u << 20;

        // Expects the remedies for too little RAM for the guest, and for too little memory of
        // any kind, which may be the kernel's.
        void expect(const char *ram, const std::string &any)
        {
                EXPECT_EQ(novavmm_create_error_memory(&vm, ENOMEM, BYTES), ENOMEM);
                EXPECT_EQ(nova_vm_why(&vm, ENOMEM),
                          std::string("8 MiB of RAM are not available in blocks of 2 MiB: 0 MiB "
                                      "are free; ") +
                                  ram);
                EXPECT_EQ(novavmm_create_error_objects(&vm, ENOMEM), EAGAIN);
                EXPECT_EQ(nova_vm_why(&vm, EAGAIN),
                          "too little kernel memory, or memory for threads, is left; " + any);
                EXPECT_EQ(novavmm_create_error_pages(&vm, ENOMEM), ENOMEM);
                EXPECT_EQ(nova_vm_why(&vm, ENOMEM),
                          "too little memory for the pages of the hypercall interface is left; " +
                                  any);
        }
};

TEST_F(missing_memory, of_a_roottask_is_enlarged_at_its_boot)
{
        expect("enlarge --memory", "boot the kernel with a larger kmem=, or enlarge --memory");
}

TEST_F(missing_memory, of_a_program_is_enlarged_in_its_description)
{
        static const nova_start_page start = {};

        nova_program.start = &start;
        nova_program.name = "monitor";
        expect("enlarge 'memory' in the description of program monitor",
               "enlarge 'kernel-memory' or 'memory' in the description of program monitor");
        nova_program.start = nullptr;
}

} // namespace
