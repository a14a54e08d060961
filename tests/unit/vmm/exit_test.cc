/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of exits by number, and the contents of qualifications. */
#include "novavmm/exit.h"

#include <gtest/gtest.h>

namespace
{

TEST(exit, svm_and_vmx_numbers_mean_the_same_causes)
{
        EXPECT_EQ(nova_vm_exit_of_svm(0x72, 0), NOVA_VM_EXIT_CPUID);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x0a), NOVA_VM_EXIT_CPUID);
        EXPECT_EQ(nova_vm_exit_of_svm(0x78, 0), NOVA_VM_EXIT_HALT);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x0c), NOVA_VM_EXIT_HALT);
        EXPECT_EQ(nova_vm_exit_of_svm(0xfe, 0), NOVA_VM_EXIT_STARTUP);
        EXPECT_EQ(nova_vm_exit_of_vmx(0xff), NOVA_VM_EXIT_RECALL);
        EXPECT_EQ(nova_vm_exit_of_svm(0xfc, 0), NOVA_VM_EXIT_MEMORY);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x30), NOVA_VM_EXIT_MEMORY);
}

TEST(exit, svm_distinguishes_reads_of_msrs_from_writes_by_the_qualification)
{
        EXPECT_EQ(nova_vm_exit_of_svm(0x7c, 0), NOVA_VM_EXIT_RDMSR);
        EXPECT_EQ(nova_vm_exit_of_svm(0x7c, 1), NOVA_VM_EXIT_WRMSR);
}

TEST(exit, vmx_always_reports_xsetbv_and_calls_to_tdx)
{
        EXPECT_EQ(nova_vm_exit_of_vmx(0x37), NOVA_VM_EXIT_XSETBV);
        EXPECT_EQ(nova_vm_exit_of_svm(0x18, 0), NOVA_VM_EXIT_CR8);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x1c), NOVA_VM_EXIT_CR8);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x4c), NOVA_VM_EXIT_FOREIGN);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x4d), NOVA_VM_EXIT_FOREIGN);
}

TEST(exit, task_switches_and_states_that_the_cpu_refuses_have_causes)
{
        EXPECT_EQ(nova_vm_exit_of_svm(0x7d, 0), NOVA_VM_EXIT_TASK);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x09), NOVA_VM_EXIT_TASK);
        EXPECT_EQ(nova_vm_exit_of_svm(0xfd, 0), NOVA_VM_EXIT_INVALID);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x21), NOVA_VM_EXIT_INVALID);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x22), NOVA_VM_EXIT_INVALID);
}

TEST(exit, unknown_numbers_are_other)
{
        EXPECT_EQ(nova_vm_exit_of_svm(0x20, 0), NOVA_VM_EXIT_OTHER);
        EXPECT_EQ(nova_vm_exit_of_vmx(0x40), NOVA_VM_EXIT_OTHER);
        EXPECT_EQ(nova_vm_exit_of_svm(0x1234, 0), NOVA_VM_EXIT_OTHER);
}

TEST(exit, port_accesses_are_the_same_from_both)
{
        const nova_vm_exit_port svm = nova_vm_exit_port_of_svm(0x3f80045 | 0);
        EXPECT_EQ(svm.port, 0x3f8);
        EXPECT_EQ(svm.bytes, 4);
        EXPECT_TRUE(svm.in);
        EXPECT_TRUE(svm.string);
        EXPECT_FALSE(svm.repeated);
        const nova_vm_exit_port vmx = nova_vm_exit_port_of_vmx(0x3f8001b);
        EXPECT_EQ(vmx.port, 0x3f8);
        EXPECT_EQ(vmx.bytes, 4);
        EXPECT_TRUE(vmx.in);
        EXPECT_TRUE(vmx.string);
        EXPECT_FALSE(vmx.repeated);
}

TEST(exit, each_cause_has_words)
{
        for (int i = 0; i < NOVA_VM_EXIT_COUNT; i++)
                EXPECT_NE(nova_vm_exit_text(static_cast<nova_vm_exit>(i))[0], 0);
        EXPECT_STREQ(nova_vm_exit_text(static_cast<nova_vm_exit>(99)),
                     nova_vm_exit_text(NOVA_VM_EXIT_OTHER));
}

} // namespace
