/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for errors of creating a machine with an ultravisor. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

extern "C" {
#include "create_error.h"
#include "nova/abi/status.h"
#include "nova/abi/types.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novavmm/secure.h"

struct nova_program nova_program;

static nova_word_t kernel_bytes_left; /* in the program's account */
static size_t pages_left;
static nova_sel_t selector;

nova_word_t nova_trap_3(nova_word_t, nova_word_t *used, nova_word_t *limit)
{
        *limit = 1u << 20;
        *used = *limit - kernel_bytes_left;
        return NOVA_SUCCESS;
}

nova_sel_t nova_sel_alloc(unsigned)
{
        return selector;
}

void nova_sel_free(nova_sel_t sel, unsigned order)
{
        EXPECT_EQ(sel, selector);
        EXPECT_EQ(order, 0u);
}

size_t nova_page_free_count(void)
{
        return pages_left;
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
        EXPECT_EQ(why(ENOSPC),
                  "the ultravisor's table has no room for it: all programs together can "
                  "have 8 machines, a session 2, and a program of 'vmms=N' 8/N; "
                  "destroy one of them first");
}

TEST(secure_why, names_the_limit_that_refuses_a_session_and_the_remedy)
{
        EXPECT_STREQ(nova_secure_why(EMFILE),
                     "this program has as many sessions with it as it can have (2, or 1 if the "
                     "ultravisor has vmms=5 or more); close one of them first");
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
        EXPECT_EQ(why(EIO), strerror(EIO));
}

TEST_F(create_error, missing_ram_of_the_guest_is_named_with_the_remedy)
{
        static constexpr size_t BYTES = 15u << 20;
        static const nova_start_page start = {};
        const std::string blocks = "16 MiB of RAM are needed, but there are blocks of 2 MiB for 12 "
                                   "MiB; enlarge ";

        vm.memory.bytes = 12u << 20;
        EXPECT_EQ(novavmm_create_error_memory(&vm, ENOMEM, BYTES), ENOMEM);
        EXPECT_EQ(nova_vm_why(&vm, ENOMEM), blocks + "--memory by 4 MiB or more");
        nova_program.start = &start;
        nova_program.name = "monitor";
        EXPECT_EQ(novavmm_create_error_memory(&vm, ENOMEM, BYTES), ENOMEM);
        EXPECT_EQ(nova_vm_why(&vm, ENOMEM),
                  blocks + "'memory' in the description of program monitor by 4 MiB or more");
        nova_program.start = nullptr;
}

TEST_F(create_error, missing_addresses_for_the_ram_are_named_with_the_remedy)
{
        static constexpr size_t BYTES = (600u << 20) - 1;

        nova_program.name = "monitor";
        vm.memory.bytes = 600u << 20;
        EXPECT_EQ(novavmm_create_error_memory(&vm, ENOMEM, BYTES), ENOMEM);
        EXPECT_EQ(
                nova_vm_why(&vm, ENOMEM),
                std::string("600 MiB of RAM need more addresses in one piece than program monitor "
                            "has free; give the guest less RAM, or build the system for "
                            "x86-64"));
}

// A large request fails although there is much more memory than for small ones.
TEST_F(create_error, missing_memory_of_a_device_is_named_with_the_remedy)
{
        static constexpr size_t BYTES = (48u << 20) - 1;
        static const nova_start_page start = {};
        const std::string sizes = "48 MiB of memory are needed, but 39 MiB are free; enlarge ";

        kernel_bytes_left = 1u << 20;
        pages_left = 40 * 256 - 1;
        selector = 7;
        EXPECT_EQ(nova_vm_no_memory(&vm, BYTES), ENOMEM);
        EXPECT_EQ(nova_vm_why(&vm, ENOMEM), sizes + "--memory");
        nova_program.start = &start;
        nova_program.name = "monitor";
        EXPECT_EQ(nova_vm_no_memory(&vm, BYTES), ENOMEM);
        EXPECT_EQ(nova_vm_why(&vm, ENOMEM),
                  sizes + "'memory' in the description of program monitor");
        pages_left = 48 * 256 + 64;
        EXPECT_EQ(nova_vm_no_memory(&vm, BYTES), ENOMEM);
        EXPECT_STREQ(nova_vm_why(&vm, ENOMEM), "too little kernel memory is left; enlarge "
                                               "'kernel-memory' in the description of program "
                                               "monitor");
        nova_program.start = nullptr;
}

struct shortage : testing::Test {
        static constexpr nova_word_t FEW_BYTES = 20u << 10;
        static constexpr nova_word_t MANY_BYTES = 24u << 10;
        static constexpr size_t FEW_PAGES = 63;
        static constexpr size_t MANY_PAGES = 64;

        // Expects the sentence whether or not the creation has recorded what was missing.
        static void expect(const std::string &sentence)
        {
                for (const int error : {EAGAIN, ENOMEM}) {
                        nova_vm early = {}, late = {};

                        EXPECT_EQ(nova_vm_why(&late, error), sentence);
                        EXPECT_EQ(novavmm_create_error_objects(&early, error), EAGAIN);
                        EXPECT_EQ(nova_vm_why(&early, EAGAIN), sentence);
                }
        }

        static void expect_each(const std::string &kernel, const std::string &memory,
                                const std::string &selectors)
        {
                kernel_bytes_left = FEW_BYTES;
                pages_left = FEW_PAGES;
                selector = NOVA_SEL_NONE;
                expect(kernel);
                kernel_bytes_left = MANY_BYTES;
                expect(memory);
                pages_left = MANY_PAGES;
                expect(selectors);
                selector = 7;
                expect(kernel); // no other resource can be missing
        }
};

TEST_F(shortage, of_a_roottask_ends_with_a_larger_size_at_boot)
{
        expect_each("too little kernel memory is left; boot the kernel with a larger kmem=",
                    "too little memory is left; enlarge --memory",
                    "too few selectors are left; destroy another machine first");
}

TEST_F(shortage, of_a_program_ends_with_a_larger_size_in_its_description)
{
        static const nova_start_page start = {};

        nova_program.start = &start;
        nova_program.name = "monitor";
        expect_each("too little kernel memory is left; enlarge 'kernel-memory' in the description "
                    "of program monitor",
                    "too little memory is left; enlarge 'memory' in the description of program "
                    "monitor",
                    "too few selectors are left; enlarge 'selectors' in the description of program "
                    "monitor");
        nova_program.start = nullptr;
}

// The ultravisor does not say which program has too little.
TEST_F(shortage, of_kernel_memory_may_be_the_ultravisors)
{
        nova_vm vm = {};

        kernel_bytes_left = MANY_BYTES;
        pages_left = MANY_PAGES;
        selector = 7;
        nova_program.name = "monitor";
        EXPECT_EQ(novavmm_create_error_secure(&vm, ENOMEM), ENOMEM);
        EXPECT_STREQ(nova_vm_why(&vm, ENOMEM),
                     "too little kernel memory is left for it; enlarge 'kernel-memory' in the "
                     "descriptions of the ultravisor and of program monitor");
}

TEST_F(shortage, is_not_the_reason_of_other_errors)
{
        nova_vm vm = {};

        EXPECT_EQ(novavmm_create_error_objects(&vm, EBADF), EBADF);
        EXPECT_STREQ(nova_vm_why(&vm, EBADF), strerror(EBADF));
}

} // namespace
