/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of fault reports, also for values that a hostile child made up. */
#include "novart/fault.h"

#include "nova/event.h"

#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace
{

class report : public testing::Test
{
      protected:
        nova_fault_report r = {};

        void SetUp() override
        {
                r.bytes = sizeof(r);
                r.event = NOVA_EXC_PF;
                r.cpu = 2;
                r.error = 2;
                r.address = 0x1234;
                r.regs.ip = 0x400100;
                r.frame[0] = 0x400100;
                r.frame[1] = 0x400200;
                r.frames = 2;
                r.codes = 3;
                r.code_at = 1;
                std::memcpy(r.code, "\x90\x0f\x0b", 3);
                std::strcpy(r.program, "disk");
                std::strcpy(r.thread, "worker");
        }

        static void line(void *context, const char *text)
        {
                EXPECT_LT(std::strlen(text), 128u);
                for (const char *c = text; *c; c++)
                        EXPECT_TRUE(*c >= ' ' && *c <= '~');
                *static_cast<std::string *>(context) += std::string(text) + "\n";
        }

        std::string text(const nova_symbols *symbols = nullptr) const
        {
                std::string all;

                nova_fault_format(&r, symbols, line, &all);
                return all;
        }

        bool says(const std::string &what) const
        {
                return text().find(what) != std::string::npos;
        }
};

TEST_F(report, names_program_thread_event_and_place)
{
        EXPECT_TRUE(says("FAULT: program disk, thread worker, CPU 2: #PF, page fault\n"));
        EXPECT_TRUE(says("  write to 0x1234, where nothing is mapped\n"));
        EXPECT_TRUE(says("  ip 0000000000400100 "));
        EXPECT_TRUE(says("  code 90 <0f> 0b\n"));
        EXPECT_TRUE(says("  #0 0000000000400100\n  #1 0000000000400200\n"));
}

TEST_F(report, distinguishes_kinds_of_access)
{
        r.error = 0;
        EXPECT_TRUE(says("  read from 0x1234, where nothing is mapped\n"));
        r.error = 0x15;
        std::strcpy(r.region, "heap");
        EXPECT_TRUE(says("  execution at 0x1234, not permitted (in heap)\n"));
}

TEST_F(report, says_why)
{
        r.reason = NOVA_FAULT_STACK_OVERFLOW;
        EXPECT_TRUE(says("  stack overflow of thread worker\n"));
        r.reason = NOVA_FAULT_OUT_OF_MEMORY;
        EXPECT_TRUE(says("  out of memory"));
        r.reason = NOVA_FAULT_IN_HANDLER;
        EXPECT_TRUE(says("own handler"));
        r.reason = 999;
        EXPECT_TRUE(says("#PF"));
}

TEST_F(report, has_error_codes_of_other_events_only_if_there_are_any)
{
        r.event = NOVA_EXC_GP;
        EXPECT_TRUE(says(": #GP, general protection\n  error code 0x2\n"));
        r.error = 0;
        EXPECT_FALSE(says("error code"));
}

/* INT3 at the end of the function "trap", with IP at the start of the function "next". */
TEST_F(report, the_instruction_of_a_breakpoint_ends_at_ip)
{
        struct {
                Elf64_Sym table[2] = {};
                char names[16] = "\0trap\0next";
        } file;
        const unsigned char *bytes = reinterpret_cast<const unsigned char *>(&file);
        const nova_symbols symbols = {
                bytes, sizeof(file), true, 0, 2, sizeof(file.table), sizeof(file.names)};

        for (unsigned i = 0; i < 2; i++) {
                file.table[i].st_name = 1 + 5 * i;
                file.table[i].st_value = 0x4000f0 + 0x10 * i;
                file.table[i].st_size = 0x10;
                file.table[i].st_info = STT_FUNC;
        }
        EXPECT_NE(text(&symbols).find(" 0000000000400100 next+0x0\n"), std::string::npos);
        for (const auto event : {NOVA_EXC_BP, NOVA_EXC_OF}) {
                r.event = event;
                EXPECT_NE(text(&symbols).find(" 0000000000400100 trap+0x10\n"), std::string::npos);
        }
}

TEST_F(report, made_up_fields_do_no_harm)
{
        std::memset(r.program, 'x', sizeof(r.program));
        std::memset(r.thread, '\n', sizeof(r.thread));
        r.frames = 255;
        r.codes = 255;
        r.event = 0xffff;
        EXPECT_TRUE(says("program " + std::string(NOVA_FAULT_NAME, 'x') + ", thread " +
                         std::string(NOVA_FAULT_NAME, '?') + ", CPU 2: reserved,"));
        EXPECT_TRUE(says("  #23 "));
        EXPECT_FALSE(says("  #24 "));
}

TEST_F(report, noise_is_printable_lines)
{
        std::mt19937 random(9);

        for (int i = 0; i < 2000; i++) {
                auto *byte = reinterpret_cast<unsigned char *>(&r);

                for (size_t k = 0; k < sizeof(r); k++)
                        byte[k] = static_cast<unsigned char>(random());
                text();
        }
}

} // namespace
