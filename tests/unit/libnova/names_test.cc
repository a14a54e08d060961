/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of status codes, events and descriptor bits. */
#include "nova/event.h"
#include "nova/mtd.h"
#include "nova/status.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>

namespace
{

TEST(names, a_status_has_name_and_text)
{
        EXPECT_STREQ(nova_status_name(NOVA_BAD_CAP), "BAD_CAP");
        EXPECT_STREQ(nova_status_text(NOVA_BAD_CAP), "invalid capability");
        EXPECT_STREQ(nova_status_name(static_cast<nova_status>(0xb)), "unknown");
        EXPECT_STREQ(nova_status_text(static_cast<nova_status>(0xb)), "unknown status");
}

TEST(names, exceptions_are_named_as_in_the_specification)
{
        EXPECT_STREQ(nova_exception_name(NOVA_EXC_PF), "#PF");
        EXPECT_STREQ(nova_exception_name(0x1e), "STARTUP");
        EXPECT_STREQ(nova_exception_name(2), "reserved");
        EXPECT_STREQ(nova_exception_name(~0u), "reserved");
        EXPECT_EQ(nova_event_sel(100, NOVA_EXC_PF), 114u);
}

TEST(names, intercepts_are_named_for_vmx_and_svm)
{
        EXPECT_STREQ(nova_vmx_name(NOVA_VMX_CPUID), "CPUID");
        EXPECT_STREQ(nova_vmx_name(0x30), "EPT Violation");
        EXPECT_STREQ(nova_vmx_name(0x23), "reserved");
        EXPECT_STREQ(nova_svm_name(0x00), "CR Read");
        EXPECT_STREQ(nova_svm_name(0x1f), "CR Write");
        EXPECT_STREQ(nova_svm_name(0x5f), "Exception");
        EXPECT_STREQ(nova_svm_name(0x60), "INTR");
        EXPECT_STREQ(nova_svm_name(NOVA_SVM_NPT_FAULT), "NPT Fault");
        EXPECT_STREQ(nova_svm_name(0x8d), "XSETBV");
        EXPECT_STREQ(nova_svm_name(0xb0), "reserved");
        EXPECT_STREQ(nova_svm_name(~0u), "reserved");
}

TEST(names, every_bit_of_an_mtd_has_name_and_fields)
{
        for (unsigned bit = 0; bit < NOVA_MTD_BITS; bit++) {
                EXPECT_STRNE(nova_mtd_name(bit), "reserved");
                EXPECT_STRNE(nova_mtd_fields(bit), "");
        }
        EXPECT_STREQ(nova_mtd_name(NOVA_MTD_BITS), "reserved");
        EXPECT_STREQ(nova_mtd_fields(NOVA_MTD_BITS), "");
}

TEST(names, every_event_is_found_by_its_name)
{
        for (unsigned number = 0; number < NOVA_HIP_VMI; number++) {
                const std::string vmx = nova_vmx_name(number), svm = nova_svm_name(number);

                if (vmx != NOVA_EVENT_RESERVED) {
                        EXPECT_EQ(nova_vmx_number(vmx.c_str()), static_cast<int>(number));
                }
                /* A group has the name of its first number. */
                if (svm != NOVA_EVENT_RESERVED && number >= 0x60) {
                        EXPECT_EQ(nova_svm_number(svm.c_str()), static_cast<int>(number));
                }
        }
        for (unsigned number = 0; number < NOVA_HIP_EXC; number++) {
                const std::string name = nova_exception_name(number);

                if (name != NOVA_EVENT_RESERVED) {
                        EXPECT_EQ(nova_exception_number(name.c_str()), static_cast<int>(number));
                }
        }
        EXPECT_EQ(nova_exception_number("#PF"), NOVA_EXC_PF);
        EXPECT_EQ(nova_exception_number("RECALL"), NOVA_EXC_RECALL);
        EXPECT_EQ(nova_vmx_number("STARTUP"), NOVA_VMI_STARTUP);
        EXPECT_EQ(nova_svm_number("RECALL"), NOVA_VMI_RECALL);
        EXPECT_EQ(nova_svm_number("CR Write"), NOVA_SVM_CR_WRITE);
        EXPECT_EQ(nova_svm_number("Exception"), NOVA_SVM_EXCEPTION);
}

TEST(names, an_unknown_name_has_no_number)
{
        for (const char *name : {"", "#P", "#PFX", "pf", "reserved", "unknown"}) {
                EXPECT_EQ(nova_exception_number(name), -1);
                EXPECT_EQ(nova_vmx_number(name), -1);
                EXPECT_EQ(nova_svm_number(name), -1);
                EXPECT_EQ(nova_mtd_bit_number(name), -1);
        }
}

TEST(names, an_event_has_a_selector_and_a_number)
{
        EXPECT_EQ(nova_event_number(100, nova_event_sel(100, NOVA_EXC_PF)), NOVA_EXC_PF + 0u);
        EXPECT_GE(nova_event_number(100, 99), NOVA_HIP_VMI + 0u);
}

std::string mtd_text(nova_mtd_t mtd, size_t size = NOVA_MTD_TEXT_SIZE)
{
        std::string text(size + 4, '!');
        const size_t length = nova_mtd_format(mtd, &text[0], size);

        EXPECT_EQ(text.substr(size), "!!!!");
        if (size) {
                EXPECT_EQ(std::strlen(text.c_str()), std::min(length, size - 1));
        }
        return size ? text.c_str() : std::to_string(length);
}

TEST(names, a_whole_mtd_is_written)
{
        EXPECT_EQ(mtd_text(0), "0");
        EXPECT_EQ(mtd_text(NOVA_MTD_ACDB | NOVA_MTD_EIP), "ACDB|EIP");
        EXPECT_EQ(mtd_text(NOVA_MTD_R8_R15 | 0x80000000), "R8_R15|0x80000000");
        EXPECT_EQ(mtd_text(NOVA_MTD_CR8 | NOVA_MTD_XMM), "CR8|XMM");
        EXPECT_EQ(mtd_text(NOVA_MTD_CR8 | 0x20000000), "CR8|0x20000000");
        EXPECT_EQ(mtd_text(~static_cast<nova_mtd_t>(0)).substr(0, 13), "ACDB|BSD|ESP|");
        EXPECT_LT(mtd_text(~static_cast<nova_mtd_t>(0)).size() + 1, NOVA_MTD_TEXT_SIZE + 0u);
        for (unsigned bit = 0; bit < NOVA_MTD_BITS; bit++)
                EXPECT_EQ(nova_mtd_bit_number(nova_mtd_name(bit)), static_cast<int>(bit));
}

TEST(names, an_mtd_that_does_not_fit_is_cut)
{
        const std::string whole = mtd_text(0x1fffffff);

        EXPECT_EQ(mtd_text(0x1fffffff, 0), std::to_string(whole.size()));
        for (size_t size = 1; size < 100; size++)
                EXPECT_EQ(mtd_text(0x1fffffff, size), whole.substr(0, size - 1));
}

} // namespace
