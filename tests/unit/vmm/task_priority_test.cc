/* SPDX-License-Identifier: BSD-2-Clause */
/* CR8 and the task priority of a local APIC: the place that holds it, and emulated writes. */
extern "C" {
#include "novavmm/lapic.h"
#include "vm.h"
}

#include "access.h"

namespace
{

struct task_priority : guest_access {
        nova_vm vm = {};
        nova_lapic apic = {};
        nova_vcpu *vcpu = &vm.vcpu[0];

        void SetUp() override
        {
                guest_access::SetUp();
                vcpu->vm = &vm;
                vcpu->state = &state;
                vcpu->lapic = &apic;
        }

        void write(const bytes &code)
        {
                std::memcpy(ram.data() + state.ip, code.data(), code.size());
                vcpu->changed = 0;
                novavmm_vcpu_write_cr8(vcpu);
        }
};

const task_priority *current;
unsigned skipped, raised;
bool failed;

} // namespace

extern "C" {
nova_access novavmm_vcpu_access(const nova_vcpu *)
{
        return current->access;
}

void nova_vcpu_skip(nova_vcpu *, unsigned length)
{
        skipped = length;
}

void nova_vcpu_raise_error(nova_vcpu *, unsigned vector, uint32_t error)
{
        raised = vector;
        EXPECT_EQ(error, 0u);
}

void nova_vcpu_fail(nova_vcpu *, const char *, ...)
{
        failed = true;
}
}

namespace
{

struct writing : task_priority {
        void SetUp() override
        {
                task_priority::SetUp();
                current = this;
                skipped = raised = 0;
                failed = false;
        }
};

TEST_F(task_priority, is_the_cpus_at_an_exit)
{
        state.cr8 = 9;
        novavmm_vcpu_take_priority(vcpu);
        EXPECT_EQ(apic.task_priority, 0x90u);
}

TEST_F(task_priority, is_the_apics_when_an_exit_was_answered)
{
        state.cr8 = 9;
        novavmm_vcpu_take_priority(vcpu);
        novavmm_vcpu_give_priority(vcpu);
        EXPECT_EQ(vcpu->changed, 0u);
        apic.task_priority = 0x4f;
        novavmm_vcpu_give_priority(vcpu);
        EXPECT_EQ(state.cr8, 4u);
        EXPECT_EQ(vcpu->changed, NOVA_MTD_CR8);
}

TEST_F(task_priority, is_a_handlers_that_wrote_cr8)
{
        apic.task_priority = 0x40;
        state.cr8 = 7;
        vcpu->changed = NOVA_MTD_CR8;
        novavmm_vcpu_give_priority(vcpu);
        EXPECT_EQ(state.cr8, 7u);
        EXPECT_EQ(apic.task_priority, 0x70u);
}

TEST_F(task_priority, is_not_emulated_without_an_apic)
{
        vcpu->lapic = nullptr;
        state.cr8 = 7;
        novavmm_vcpu_take_priority(vcpu);
        novavmm_vcpu_give_priority(vcpu);
        EXPECT_EQ(state.cr8, 7u);
        EXPECT_EQ(vcpu->changed, 0u);
}

TEST_F(writing, sets_cr8)
{
        state.cx = 11;
        write({0xf0, 0x0f, 0x22, 0xc1}); /* lock mov %ecx, %cr0 */
        EXPECT_EQ(state.cr8, 11u);
        EXPECT_EQ(skipped, 4u);
        EXPECT_EQ(vcpu->changed, NOVA_MTD_CR8);
}

TEST_F(writing, clears_the_lower_half_of_the_priority_also_if_the_upper_one_stays)
{
        apic.task_priority = 0xb7;
        state.cr8 = state.cx = 11;
        write({0xf0, 0x0f, 0x22, 0xc1});
        novavmm_vcpu_give_priority(vcpu);
        EXPECT_EQ(apic.task_priority, 0xb0u);
        EXPECT_EQ(state.cr8, 11u);
}

TEST_F(writing, needs_no_apic)
{
        vcpu->lapic = nullptr;
        state.cx = 11;
        write({0xf0, 0x0f, 0x22, 0xc1});
        EXPECT_EQ(state.cr8, 11u);
        EXPECT_EQ(skipped, 4u);
}

TEST_F(writing, raises_an_exception_for_other_bits)
{
        state.cx = 16;
        write({0xf0, 0x0f, 0x22, 0xc1});
        EXPECT_EQ(raised, 13u);
        EXPECT_EQ(skipped, 0u);
        EXPECT_EQ(vcpu->changed, 0u);
}

TEST_F(writing, refuses_code_that_is_something_else)
{
        write({0x90, 0x90, 0x90});
        EXPECT_TRUE(failed);
        EXPECT_EQ(vcpu->changed, 0u);
}

} // namespace
