/* SPDX-License-Identifier: BSD-2-Clause */
/* Run time, idle and crash registers of enlightened guests, and calls that read and write
 * registers.
 */
#include "synic.h"

#include <string>

namespace
{

constexpr uint32_t run_time = 0x40000010, idle = 0x400000f0, crash0 = 0x40000100,
                   crash_control = 0x40000105;
constexpr uint64_t report = uint64_t{1} << 63, has_text = uint64_t{1} << 62;
constexpr uint64_t own_partition = ~uint64_t{0}, own_vp = 0xfffffffe, out_at = 0x5000;
constexpr uint16_t get_call = 0x50, set_call = 0x51;

struct seen {
        unsigned count = 0, vcpu = 99;
        nova_hv_crash crash = {};
};

struct hv_registers : synic {
        seen last;

        void SetUp() override
        {
                synic::SetUp();
                hv.crashed = [](void *context, unsigned vcpu, const nova_hv_crash *crash) {
                        auto *const to = static_cast<struct seen *>(context);
                        to->count++;
                        to->vcpu = vcpu;
                        to->crash = *crash;
                };
                hv.crash_context = &last;
        }

        /* Reads or writes a list of registers. @return the result */
        uint64_t list_call(uint16_t code, const std::vector<uint64_t> &words, uint64_t count,
                           unsigned vcpu = 0)
        {
                nova_hv_frame frame = {};
                frame.mode = NOVA_HV_64;
                frame.value = code | count << 32;
                frame.input = in_at;
                frame.output = out_at;
                memcpy(&ram[in_at], words.data(), words.size() * 8);
                EXPECT_EQ(nova_hv_execute(&hv, vcpu, &frame), NOVA_HV_DONE);
                return frame.result;
        }

        uint64_t output(unsigned index)
        {
                uint64_t value;
                memcpy(&value, &ram[out_at + 16 * index], 8);
                return value;
        }
};

TEST_F(hv_registers, run_time_is_that_of_the_virtual_processor_and_read_only)
{
        EXPECT_EQ(get(run_time), 0u); /* a partition without a source of run time */
        hv.run_time = [](void *, unsigned vcpu) { return uint64_t{1000} + vcpu; };
        EXPECT_EQ(get(run_time, 0), 1000u);
        EXPECT_EQ(get(run_time, 1), 1001u);
        EXPECT_FALSE(set(run_time, 1));
        hv.privileges &= ~NOVA_HV_PRIVILEGE_RUN_TIME;
        uint64_t value;
        EXPECT_FALSE(nova_hv_msr_get(&hv, 0, run_time, &value));
}

TEST_F(hv_registers, the_idle_register_can_only_be_read)
{
        EXPECT_EQ(get(idle), 0u);
        EXPECT_FALSE(set(idle, 0));
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx & 0x20, 0x20u);
        hv.privileges &= ~NOVA_HV_PRIVILEGE_IDLE;
        uint64_t value;
        EXPECT_FALSE(nova_hv_msr_get(&hv, 0, idle, &value));
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx & 0x20, 0u);
}

TEST_F(hv_registers, a_crash_is_reported_with_its_values_and_text)
{
        const std::string text = "panic: \x1b[1m no\x80 way\nend";

        for (unsigned i = 0; i < 5; i++) {
                EXPECT_TRUE(set(crash0 + i, 0x1111 * (i + 1)));
                EXPECT_EQ(get(crash0 + i, 1), 0x1111u * (i + 1));
        }
        EXPECT_EQ(get(crash_control), report | has_text);
        EXPECT_TRUE(set(crash_control, 0));
        EXPECT_TRUE(set(crash_control, has_text));
        EXPECT_EQ(last.count, 0u);
        EXPECT_TRUE(set(crash_control, report, 1));
        EXPECT_EQ(last.count, 1u);
        EXPECT_EQ(last.vcpu, 1u);
        EXPECT_EQ(last.crash.parameter[4], 0x5555u);
        EXPECT_STREQ(last.crash.text, "");
        memcpy(&ram[0x6000], text.data(), text.size());
        set(crash0 + 3, 0x6000);
        set(crash0 + 4, text.size());
        EXPECT_TRUE(set(crash_control, report | has_text));
        EXPECT_STREQ(last.crash.text, "panic: ?[1m no? way\nend");
}

TEST_F(hv_registers, texts_that_are_long_or_outside_of_ram_are_cut_or_left_out)
{
        memset(&ram[0x6000], 'x', 0x1000);
        set(crash0 + 3, 0x6000);
        for (const uint64_t bytes :
             {uint64_t{0}, uint64_t{3}, uint64_t{511}, uint64_t{512}, ~uint64_t{0}}) {
                set(crash0 + 4, bytes);
                EXPECT_TRUE(set(crash_control, report | has_text));
                EXPECT_EQ(strlen(last.crash.text), std::min(bytes, uint64_t{511}));
        }
        for (const uint64_t at : {uint64_t{0x20000}, ~uint64_t{0}, uint64_t{0x1fff0}}) {
                set(crash0 + 3, at);
                EXPECT_TRUE(set(crash_control, report | has_text));
                EXPECT_STREQ(last.crash.text, "");
        }
        ram[0x6002] = 0;
        set(crash0 + 3, 0x6000);
        EXPECT_TRUE(set(crash_control, report | has_text));
        EXPECT_STREQ(last.crash.text, "xx");
}

TEST_F(hv_registers, other_bits_of_the_crash_control_are_refused)
{
        for (unsigned bit = 0; bit < 62; bit++)
                EXPECT_FALSE(set(crash_control, report | uint64_t{1} << bit));
        EXPECT_EQ(last.count, 0u);
}

TEST_F(hv_registers, without_a_function_for_reports_there_are_no_crash_registers)
{
        uint64_t value;

        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx & 0x400, 0x400u);
        hv.crashed = nullptr;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx & 0x400, 0u);
        for (uint32_t number = crash0; number <= crash_control; number++) {
                EXPECT_FALSE(nova_hv_msr_get(&hv, 0, number, &value));
                EXPECT_FALSE(set(number, report));
        }
}

TEST_F(hv_registers, calls_read_and_write_the_registers_that_are_also_msrs)
{
        const struct {
                uint32_t name, msr;
        } rows[] = {{0x90001, 0x40000001}, {0x90002, 0x40000000}, {0x90003, 0x40000002},
                    {0x90004, 0x40000020}, {0x90000, 0x40000010}, {0x90013, 0x40000073},
                    {0x90017, 0x40000021}, {0xa0000, 0x40000090}, {0xa000f, 0x4000009f},
                    {0xa0010, 0x40000080}, {0xa0014, 0x40000084}, {0xb0000, 0x400000b0},
                    {0xb0007, 0x400000b7}, {0x210, 0x40000100},   {0x215, 0x40000105}};

        EXPECT_EQ(list_call(set_call, {own_partition, own_vp, 0xa0003, 0, 0x55, 0, 0x212, 0, 77, 0},
                            2),
                  uint64_t{2} << 32);
        EXPECT_EQ(get(0x40000093), 0x55u);
        EXPECT_EQ(get(0x40000102), 77u);
        EXPECT_EQ(list_call(set_call, {own_partition, 1, 0xa0003, 0, 0x66, 0}, 1),
                  uint64_t{1} << 32);
        EXPECT_EQ(get(0x40000093, 1), 0x66u);
        for (const auto &row : rows) {
                memset(&ram[out_at], 0xcc, 32);
                EXPECT_EQ(list_call(get_call, {own_partition, own_vp, row.name}, 1, 1),
                          uint64_t{1} << 32);
                EXPECT_EQ(output(0), get(row.msr, 1)) << std::hex << row.name;
                EXPECT_EQ(ram[out_at + 15], 0u);
                EXPECT_EQ(ram[out_at + 16], 0xcc);
        }
}

TEST_F(hv_registers, calls_refuse_other_partitions_processors_levels_and_names)
{
        const std::vector<std::pair<std::vector<uint64_t>, unsigned>> bad = {
                {{1, own_vp, 0x90003}, NOVA_HV_INVALID_PARTITION_ID},
                {{own_partition, vcpus, 0x90003}, NOVA_HV_INVALID_VP_INDEX},
                {{own_partition, 0xffffffff, 0x90003}, NOVA_HV_INVALID_VP_INDEX},
                {{own_partition, own_vp | uint64_t{1} << 32, 0x90003}, NOVA_HV_INVALID_PARAMETER},
                {{own_partition, own_vp, 0}, NOVA_HV_INVALID_PARAMETER},
                {{own_partition, own_vp, 0x20000}, NOVA_HV_INVALID_PARAMETER},
                {{own_partition, own_vp, 0xa0015}, NOVA_HV_INVALID_PARAMETER},
                {{own_partition, own_vp, 0xb0008}, NOVA_HV_INVALID_PARAMETER},
                {{own_partition, own_vp, 0x216}, NOVA_HV_INVALID_PARAMETER}};

        for (const auto &[words, status] : bad) {
                EXPECT_EQ(list_call(get_call, words, 1), status);
                EXPECT_EQ(list_call(set_call, words, 1), status);
        }
        EXPECT_EQ(list_call(set_call, {own_partition, own_vp, 0x90003, 0, 1, 0}, 1),
                  uint64_t{NOVA_HV_INVALID_PARAMETER}); /* read-only */
        EXPECT_EQ(list_call(get_call, {own_partition, own_vp, 0x90003 | uint64_t{5} << 32}, 2),
                  NOVA_HV_INVALID_PARAMETER | uint64_t{1} << 32);
        hv.privileges &= ~NOVA_HV_PRIVILEGE_VP_REGISTERS;
        EXPECT_EQ(list_call(get_call, bad[0].first, 1), uint64_t{NOVA_HV_ACCESS_DENIED});
        EXPECT_EQ(list_call(set_call, bad[0].first, 1), uint64_t{NOVA_HV_ACCESS_DENIED});
}

} // namespace
