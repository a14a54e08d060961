/* SPDX-License-Identifier: BSD-2-Clause */
/* The matrix of privileges of enlightened guests: the registers and calls that each privilege
 * permits. */
#include "synic.h"

#include <cerrno>
#include <map>
#include <random>

namespace
{

/* The privileges according to the manual, independent of the library's tables. */
struct range {
        uint32_t first, last;
        uint64_t privilege;
        bool write_only;
};

constexpr range registers[] = {{0x40000000, 0x40000001, NOVA_HV_PRIVILEGE_HYPERCALLS, false},
                               {0x40000002, 0x40000002, NOVA_HV_PRIVILEGE_VP_INDEX, false},
                               {0x40000003, 0x40000003, NOVA_HV_PRIVILEGE_RESET, false},
                               {0x40000010, 0x40000010, NOVA_HV_PRIVILEGE_RUN_TIME, false},
                               {0x40000020, 0x40000020, NOVA_HV_PRIVILEGE_REFERENCE_COUNTER, false},
                               {0x40000021, 0x40000021, NOVA_HV_PRIVILEGE_REFERENCE_TSC, false},
                               {0x40000022, 0x40000023, NOVA_HV_PRIVILEGE_FREQUENCIES, false},
                               {0x40000070, 0x40000070, NOVA_HV_PRIVILEGE_APIC_REGISTERS, true},
                               {0x40000071, 0x40000073, NOVA_HV_PRIVILEGE_APIC_REGISTERS, false},
                               {0x40000080, 0x40000084, NOVA_HV_PRIVILEGE_SYNIC, false},
                               {0x40000090, 0x4000009f, NOVA_HV_PRIVILEGE_SYNIC, false},
                               {0x400000b0, 0x400000b7, NOVA_HV_PRIVILEGE_TIMERS, false},
                               {0x400000f0, 0x400000f0, NOVA_HV_PRIVILEGE_IDLE, false}};

const std::map<uint16_t, uint64_t> calls = {{0x0002, 0},
                                            {0x0003, 0},
                                            {0x0008, 0},
                                            {0x000b, 0},
                                            {0x0013, 0},
                                            {0x0014, 0},
                                            {0x0015, 0},
                                            {0x0050, NOVA_HV_PRIVILEGE_VP_REGISTERS},
                                            {0x0051, NOVA_HV_PRIVILEGE_VP_REGISTERS},
                                            {0x005c, NOVA_HV_PRIVILEGE_POST_MESSAGES},
                                            {0x005d, NOVA_HV_PRIVILEGE_SIGNAL_EVENTS},
                                            {0x8001, NOVA_HV_PRIVILEGE_EXTENDED_CALLS}};

struct hv_privilege : synic {
        std::vector<uint64_t> subsets = {0, NOVA_HV_PRIVILEGES_ALL};

        void SetUp() override
        {
                std::mt19937_64 random(27);

                synic::SetUp();
                for (unsigned bit = 0; bit < 64; bit++) {
                        const uint64_t one = uint64_t{1} << bit;
                        if (!(one & NOVA_HV_PRIVILEGES_ALL))
                                continue;
                        subsets.push_back(one);
                        subsets.push_back(NOVA_HV_PRIVILEGES_ALL & ~one);
                }
                for (unsigned i = 0; i < 200; i++)
                        subsets.push_back(random() & NOVA_HV_PRIVILEGES_ALL);
        }
};

const range *find(uint32_t number)
{
        for (const auto &row : registers)
                if (number >= row.first && number <= row.last)
                        return &row;
        return nullptr;
}

TEST_F(hv_privilege, each_register_exists_with_its_privilege_and_no_other_one)
{
        unsigned permitted = 0;
        uint64_t value;

        for (const uint64_t subset : subsets) {
                hv.privileges = subset;
                for (uint32_t number = 0x40000000; number < 0x40000200; number++) {
                        const range *const row = find(number);
                        const bool has = row && row->privilege & subset;
                        ASSERT_EQ(nova_hv_msr_get(&hv, 0, number, &value), has && !row->write_only)
                                << std::hex << number;
                        if (!has) {
                                ASSERT_FALSE(set(number, 0)) << std::hex << number;
                        }
                        permitted += has;
                }
        }
        EXPECT_GT(permitted, 1000u);
}

TEST_F(hv_privilege, each_call_needs_its_privilege_and_no_other_one)
{
        for (const uint64_t subset : subsets) {
                hv.privileges = subset;
                for (unsigned code = 0; code < 0x10000; code++) {
                        const auto own = calls.find(uint16_t(code));
                        if (own == calls.end() && code > 0x100 && code != 0x8000 && code != 0x8002)
                                continue;
                        const unsigned status = call(uint64_t{1} << 63 | code, {0});
                        const auto *const known = nova_hv_find(&hv, uint16_t(code));
                        /* A reserved bit is set, which is checked after the privilege. */
                        const unsigned expected =
                                own == calls.end()
                                        ? (known ? NOVA_HV_ACCESS_DENIED : NOVA_HV_INVALID_CODE)
                                : own->second & ~subset ? NOVA_HV_ACCESS_DENIED
                                                        : NOVA_HV_INVALID_INPUT;
                        ASSERT_EQ(status, expected) << std::hex << code;
                }
        }
}

TEST_F(hv_privilege, privileges_are_told_in_the_leaf_with_their_features)
{
        for (const uint64_t subset : subsets)
                for (const bool direct : {false, true}) {
                        hv.privileges = subset;
                        hv.direct_timers = direct;
                        const auto leaf = nova_hv_cpuid(&hv, 0x40000003);
                        const uint32_t features =
                                (subset & NOVA_HV_PRIVILEGE_IDLE ? 0x20u : 0) |
                                (subset & NOVA_HV_PRIVILEGE_FREQUENCIES ? 0x100u : 0) |
                                (subset & NOVA_HV_PRIVILEGE_SYNIC ? 0x20000u : 0) |
                                (direct ? 0x80000u : 0);
                        EXPECT_EQ(leaf.eax | uint64_t{leaf.ebx} << 32, subset);
                        EXPECT_EQ(leaf.ecx, 0u);
                        EXPECT_EQ(leaf.edx, features);
                }
}

TEST_F(hv_privilege, no_guest_gets_a_privilege_of_a_parent)
{
        for (unsigned bit = 0; bit < 64; bit++) {
                const uint64_t one = uint64_t{1} << bit;
                const bool parent = one & NOVA_HV_PRIVILEGES_OF_PARENT;
                EXPECT_FALSE(parent && one & NOVA_HV_PRIVILEGES_ALL);
                EXPECT_EQ(nova_hv_init(&hv, &memory, one), parent ? EINVAL : 0);
        }
}

} // namespace
