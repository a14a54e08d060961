// SPDX-License-Identifier: BSD-2-Clause
// Tags of virtual CPUs, which a change of the guest's memory makes invalid.
#include "guest.h"

namespace
{

// On x86-32 a program reaches this number in hours. If it began again, a virtual CPU that has
// waited meanwhile could keep its tag, with translations of pages that were taken away.
TEST(tags, the_last_generation_of_a_table_costs_a_new_tag_at_each_entry)
{
        Guest g;
        const auto change = [&g] {
                g.delegate(&kernel_pd, 0x10000, g.domain, 0x40000, 1, NOVA_CRD_MEM, NOVA_MEM_RWX,
                           MAPPING_GUEST);
                g.revoke(g.domain, 0x40000, 0x40000, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        };
        change();
        g.domain->guest.generation = ~word_t{0} - 1;
        EXPECT_TRUE(vcpu_take_tag(cpu_self(), g.vcpu));
        EXPECT_FALSE(vcpu_take_tag(cpu_self(), g.vcpu));
        change();
        EXPECT_TRUE(vcpu_take_tag(cpu_self(), g.vcpu));
        EXPECT_TRUE(vcpu_take_tag(cpu_self(), g.vcpu));
        change();
        EXPECT_EQ(g.domain->guest.generation, ~word_t{0});
        EXPECT_TRUE(vcpu_take_tag(cpu_self(), g.vcpu));
}

} // namespace
