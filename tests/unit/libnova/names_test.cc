/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of status codes, events and descriptor bits. */
#include "nova/event.h"
#include "nova/mtd.h"
#include "nova/status.h"

#include <gtest/gtest.h>

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
        EXPECT_STREQ(nova_svm_name(0x8d), "reserved");
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

} // namespace
