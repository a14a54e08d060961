/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the hypercall interface that a guest finds: CPUID leaves, MSRs, the hypercall
 * page. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "nova/abi/crd.h"

namespace
{

constexpr uint64_t ram_bytes = 0x20000, frame_bytes = 0x1000;
constexpr uint32_t identity = 0x40000000, hypercall = 0x40000001, vp_index = 0x40000002,
                   reset = 0x40000003, counter = 0x40000020, reference_page = 0x40000021,
                   tsc_frequency = 0x40000022, apic_frequency = 0x40000023,
                   apic_command = 0x40000071, apic_priority = 0x40000072, assist_page = 0x40000073,
                   timer_config = 0x400000b0;
constexpr uint64_t enable = 1, locked = 2;

/* Pages of the monitor that were revoked from the guest. */
std::set<const uint8_t *> taken_back;

struct hv_msr : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes, 0x11);
        std::vector<uint8_t> frames = std::vector<uint8_t>(32 * frame_bytes);
        nova_lapic lapic[NOVA_HV_VPS];
        nova_guest_memory memory = {};
        nova_hv hv;
        uint64_t now = 0;
        nova_clock clock = {[](void *context) { return *static_cast<uint64_t *>(context); }, &now};

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                memory.frames = frames.data();
                begin(NOVA_HV_PRIVILEGES_USUAL);
                taken_back.clear();
        }

        void begin(uint64_t privileges)
        {
                ASSERT_EQ(nova_hv_init(&hv, &memory, privileges), 0);
                hv.tsc = hv.clock = clock;
                nova_hv_time_begin(&hv, 1000000000);
                for (unsigned i = 0; i < NOVA_HV_VPS; i++) {
                        const nova_line out = {};
                        nova_lapic_init(&lapic[i], uint8_t(i), &clock, &out);
                        hv.vp[i].lapic = &lapic[i];
                }
                nova_hv_timers_begin(&hv);
                nova_hv_page_fill(memory.frames, true);
        }

        uint64_t get(uint32_t number, unsigned vcpu = 0)
        {
                uint64_t value = ~uint64_t{0};
                EXPECT_TRUE(nova_hv_msr_get(&hv, vcpu, number, &value)) << std::hex << number;
                return value;
        }

        bool set(uint32_t number, uint64_t value, unsigned vcpu = 0)
        {
                return nova_hv_msr_set(&hv, vcpu, number, value);
        }

        /* Returns the value that the guest reads. */
        uint8_t byte_at(uint64_t address)
        {
                uint8_t byte = 0;
                EXPECT_TRUE(nova_guest_read(&memory, address, &byte, 1));
                return byte;
        }
};

TEST_F(hv_msr, leaves_name_the_interface_the_version_and_the_privileges)
{
        hv.vcpus = 3;
        const auto first = nova_hv_cpuid(&hv, 0x40000000);
        char name[13] = {};
        memcpy(name, &first.ebx, 4);
        memcpy(name + 4, &first.ecx, 4);
        memcpy(name + 8, &first.edx, 4);
        EXPECT_EQ(first.eax, 0x40000006u);
        EXPECT_STREQ(name, "Microsoft Hv");
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000001).eax, 0x31237648u);
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000002).ebx, 0x00000001u);
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).eax, uint32_t(hv.privileges));
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).ebx, uint32_t(hv.privileges >> 32));
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0x100u);
        hv.privileges = 0;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0u);
        hv.xmm_input = true;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0x10u);
        hv.xmm_input = false;
        hv.xmm_output = true;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0x8000u);
        hv.xmm_output = false;
        hv.direct_timers = true;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0x80000u);
        hv.direct_timers = false;
        hv.privileges = NOVA_HV_PRIVILEGE_SYNIC;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000003).edx, 0x20000u);
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000004).eax, 0u);
        hv.hints = NOVA_HV_HINTS_ALL;
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000004).eax, NOVA_HV_HINTS_ALL);
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000005).eax, 3u);
        EXPECT_EQ(nova_hv_cpuid(&hv, 0x40000006).eax, 8u);
        for (uint32_t leaf = 0x40000007; leaf < 0x40000100; leaf++) {
                const auto none = nova_hv_cpuid(&hv, leaf);
                EXPECT_EQ(none.eax | none.ebx | none.ecx | none.edx, 0u) << std::hex << leaf;
        }
}

TEST_F(hv_msr, each_register_needs_its_privilege)
{
        const struct {
                uint32_t number;
                uint64_t privilege;
        } rows[] = {{identity, NOVA_HV_PRIVILEGE_HYPERCALLS},
                    {hypercall, NOVA_HV_PRIVILEGE_HYPERCALLS},
                    {vp_index, NOVA_HV_PRIVILEGE_VP_INDEX},
                    {reset, NOVA_HV_PRIVILEGE_RESET},
                    {counter, NOVA_HV_PRIVILEGE_REFERENCE_COUNTER},
                    {reference_page, NOVA_HV_PRIVILEGE_REFERENCE_TSC},
                    {apic_command, NOVA_HV_PRIVILEGE_APIC_REGISTERS},
                    {apic_priority, NOVA_HV_PRIVILEGE_APIC_REGISTERS},
                    {assist_page, NOVA_HV_PRIVILEGE_APIC_REGISTERS},
                    {timer_config, NOVA_HV_PRIVILEGE_TIMERS},
                    {0x40000010, NOVA_HV_PRIVILEGE_RUN_TIME},
                    {0x400000f0, NOVA_HV_PRIVILEGE_IDLE},
                    {0x40000080, NOVA_HV_PRIVILEGE_SYNIC},
                    {0x40000083, NOVA_HV_PRIVILEGE_SYNIC},
                    {0x4000009f, NOVA_HV_PRIVILEGE_SYNIC},
                    {tsc_frequency, NOVA_HV_PRIVILEGE_FREQUENCIES},
                    {apic_frequency, NOVA_HV_PRIVILEGE_FREQUENCIES}};
        uint64_t value;

        for (const auto &row : rows) {
                begin(row.privilege);
                EXPECT_TRUE(nova_hv_msr_get(&hv, 0, row.number, &value));
                begin(NOVA_HV_PRIVILEGES_ALL & ~row.privilege);
                EXPECT_FALSE(nova_hv_msr_get(&hv, 0, row.number, &value));
                EXPECT_FALSE(set(row.number, 1));
        }
        EXPECT_FALSE(hv.resets);
        EXPECT_EQ(hv.identity, 0u);
}

TEST_F(hv_msr, other_numbers_do_not_exist)
{
        uint64_t value;

        for (uint32_t number = 0x40000000; number < 0x40000200; number++) {
                EXPECT_TRUE(nova_hv_has_msr(number));
                if (number <= reset || number == counter || number == tsc_frequency ||
                    number == apic_frequency)
                        continue;
                EXPECT_FALSE(nova_hv_msr_get(&hv, 0, number, &value)) << std::hex << number;
                EXPECT_FALSE(set(number, 0)) << std::hex << number;
        }
        EXPECT_FALSE(nova_hv_has_msr(0x3fffffff));
        EXPECT_FALSE(nova_hv_has_msr(0x40000200));
}

TEST_F(hv_msr, each_virtual_processor_reads_its_own_number)
{
        EXPECT_EQ(get(vp_index, 0), 0u);
        EXPECT_EQ(get(vp_index, 5), 5u);
        EXPECT_FALSE(set(vp_index, 0, 5));
}

TEST_F(hv_msr, the_reset_register_resets_by_bit_0_only)
{
        EXPECT_TRUE(set(reset, 0));
        EXPECT_FALSE(set(reset, 2));
        EXPECT_FALSE(set(reset, 3));
        EXPECT_FALSE(hv.resets);
        EXPECT_EQ(get(reset), 0u);
        EXPECT_TRUE(set(reset, 1));
        EXPECT_TRUE(hv.resets);
}

TEST_F(hv_msr, the_reference_counter_counts_100_ns_since_the_partition_began)
{
        now = 5000;
        begin(NOVA_HV_PRIVILEGES_USUAL);
        now = 5099;
        EXPECT_EQ(get(counter), 0u);
        now = 5100;
        EXPECT_EQ(get(counter, 0), 1u);
        EXPECT_EQ(get(counter, 3), 1u);
        now = 5000 + uint64_t{1000000000} * 86400 * 365;
        EXPECT_EQ(get(counter), uint64_t{10000000} * 86400 * 365);
        EXPECT_FALSE(set(counter, 0));
}

TEST_F(hv_msr, frequencies_are_read_only)
{
        hv.tsc_hz = 2445216000;
        hv.apic_hz = 100000000;
        EXPECT_EQ(get(tsc_frequency), 2445216000u);
        EXPECT_EQ(get(apic_frequency), 100000000u);
        EXPECT_FALSE(set(tsc_frequency, 1));
        EXPECT_FALSE(set(apic_frequency, 1));
}

TEST_F(hv_msr, without_an_identity_the_page_stays_disabled)
{
        EXPECT_TRUE(set(hypercall, 0x3000 | enable));
        EXPECT_EQ(get(hypercall), 0x3000u);
        EXPECT_FALSE(hv.enabled);
        EXPECT_EQ(byte_at(0x3000), 0x11);
}

TEST_F(hv_msr, the_page_covers_ram_and_leaves_it_unchanged)
{
        set(identity, 1);
        EXPECT_TRUE(set(hypercall, 0x3000 | enable, 1));
        EXPECT_EQ(get(hypercall, 0), 0x3000 | enable);
        EXPECT_TRUE(hv.enabled);
        EXPECT_EQ(byte_at(0x3000), 0x0f);
        EXPECT_EQ(byte_at(0x2fff), 0x11);
        EXPECT_EQ(byte_at(0x4000), 0x11);
        EXPECT_EQ(taken_back.count(ram.data() + 0x3000), 1u);
        EXPECT_EQ(memory.overlay[0].rights, unsigned{NOVA_MEM_R | NOVA_MEM_X});
        EXPECT_FALSE(nova_guest_write(&memory, 0x3fff, "xx", 2));
        EXPECT_EQ(nova_guest_pointer(&memory, 0x2fff, 2), nullptr);
        EXPECT_NE(nova_guest_pointer(&memory, 0x2fff, 1), nullptr);
        EXPECT_EQ(ram, std::vector<uint8_t>(ram_bytes, 0x11));
        EXPECT_TRUE(set(hypercall, 0));
        EXPECT_EQ(taken_back.count(frames.data()), 1u);
        EXPECT_EQ(byte_at(0x3000), 0x11);
}

TEST_F(hv_msr, a_read_across_the_edges_of_the_page_sees_both)
{
        uint8_t bytes[frame_bytes + 2] = {};

        set(identity, 1);
        set(hypercall, 0x3000 | enable);
        ASSERT_TRUE(nova_guest_read(&memory, 0x2fff, bytes, sizeof(bytes)));
        EXPECT_EQ(bytes[0], 0x11);
        EXPECT_EQ(memcmp(bytes + 1, frames.data(), frame_bytes), 0);
        EXPECT_EQ(bytes[frame_bytes + 1], 0x11);
        EXPECT_FALSE(nova_guest_read(&memory, ram_bytes - 1, bytes, 2));
}

TEST_F(hv_msr, the_page_moves_also_onto_itself_and_onto_the_last_page)
{
        set(identity, 1);
        set(hypercall, 0x3000 | enable);
        taken_back.clear();
        EXPECT_TRUE(set(hypercall, 0x3000 | enable));
        EXPECT_TRUE(taken_back.empty());
        EXPECT_TRUE(set(hypercall, 0x1f000 | enable));
        EXPECT_EQ(taken_back.count(frames.data()), 1u);
        EXPECT_EQ(taken_back.count(ram.data() + 0x1f000), 1u);
        EXPECT_EQ(byte_at(0x3000), 0x11);
        EXPECT_EQ(byte_at(0x1f000), 0x0f);
        EXPECT_EQ(memory.overlays, 1u);
}

TEST_F(hv_msr, a_page_outside_of_ram_is_refused_and_nothing_changes)
{
        set(identity, 1);
        set(hypercall, 0x3000 | enable);
        for (const uint64_t at : {ram_bytes, uint64_t{0xfee00000}, ~uint64_t{0xfff}}) {
                EXPECT_FALSE(set(hypercall, at | enable));
                EXPECT_EQ(get(hypercall), 0x3000 | enable);
        }
        EXPECT_EQ(byte_at(0x3000), 0x0f);
        EXPECT_TRUE(set(hypercall, ram_bytes));
        EXPECT_EQ(get(hypercall), ram_bytes);
}

TEST_F(hv_msr, a_locked_register_keeps_its_value)
{
        set(identity, 1);
        EXPECT_TRUE(set(hypercall, 0x3000 | locked | enable));
        EXPECT_TRUE(set(hypercall, 0x5000 | enable));
        EXPECT_TRUE(set(hypercall, 0, 1));
        EXPECT_TRUE(set(identity, 0));
        EXPECT_EQ(get(hypercall), 0x3000 | locked | enable);
        EXPECT_TRUE(hv.enabled);
        EXPECT_EQ(byte_at(0x3000), 0x0f);
}

TEST_F(hv_msr, an_identity_of_0_disables_the_page)
{
        set(identity, 1);
        set(hypercall, 0x3000 | enable);
        EXPECT_TRUE(set(identity, 0));
        EXPECT_EQ(get(hypercall), 0x3000u);
        EXPECT_FALSE(hv.enabled);
        EXPECT_EQ(byte_at(0x3000), 0x11);
}

TEST_F(hv_msr, reserved_bits_of_the_page_register_read_as_0)
{
        set(identity, 1);
        EXPECT_TRUE(set(hypercall, 0x3ffc | enable));
        EXPECT_EQ(get(hypercall), 0x3000 | enable);
}

TEST_F(hv_msr, the_page_calls_by_the_instruction_of_the_vendor_and_returns)
{
        const uint8_t vmmcall[] = {0x0f, 0x01, 0xd9, 0xc3}, vmcall[] = {0x0f, 0x01, 0xc1, 0xc3};

        nova_hv_page_fill(frames.data(), true);
        EXPECT_EQ(memcmp(frames.data(), vmmcall, 4), 0);
        nova_hv_page_fill(frames.data(), false);
        EXPECT_EQ(memcmp(frames.data(), vmcall, 4), 0);
        for (size_t i = 4; i < frame_bytes; i++)
                ASSERT_EQ(frames[i], 0xcc); /* INT3 */
}

TEST_F(hv_msr, the_last_of_several_overlay_pages_is_on_top)
{
        std::vector<uint8_t> other(frame_bytes, 0x22);

        ASSERT_EQ(nova_overlay_map(&memory, 3, frames.data(), NOVA_MEM_R), 0);
        ASSERT_EQ(nova_overlay_map(&memory, 3, other.data(), NOVA_MEM_R), 0);
        EXPECT_EQ(byte_at(0x3000), 0x22);
        taken_back.clear();
        ASSERT_EQ(nova_overlay_map(&memory, 3, frames.data(), NOVA_MEM_R), 0);
        EXPECT_EQ(taken_back.count(other.data()), 1u);
        EXPECT_EQ(byte_at(0x3000), 0x0f);
        nova_overlay_unmap(&memory, frames.data());
        EXPECT_EQ(byte_at(0x3000), 0x22);
        nova_overlay_unmap(&memory, frames.data());
        nova_overlay_unmap(&memory, other.data());
        EXPECT_EQ(byte_at(0x3000), 0x11);
        EXPECT_EQ(nova_overlay_map(&memory, 3, frames.data(), NOVA_MEM_X), EINVAL);
}

TEST_F(hv_msr, more_overlay_pages_than_the_table_holds_are_refused)
{
        std::vector<uint8_t> other((NOVA_OVERLAYS + 1) * frame_bytes);

        for (unsigned i = 0; i < NOVA_OVERLAYS; i++)
                ASSERT_EQ(nova_overlay_map(&memory, i, &other[i * frame_bytes], NOVA_MEM_R), 0);
        EXPECT_EQ(nova_overlay_map(&memory, 0, &other[NOVA_OVERLAYS * frame_bytes], NOVA_MEM_R),
                  ENOSPC);
        EXPECT_EQ(nova_overlay_map(&memory, 31, &other[0], NOVA_MEM_R), 0);
}

TEST_F(hv_msr, an_identity_has_name_and_version)
{
        char text[80];

        nova_hv_identity_text(0x810000060100009b, text, sizeof(text));
        EXPECT_STREQ(text, "Linux 6.1.0");
        nova_hv_identity_text(0x8100 * (uint64_t{1} << 48) | uint64_t{0x06019b} << 16, text,
                              sizeof(text));
        EXPECT_STREQ(text, "Linux 6.1.155");
        nova_hv_identity_text(0x8200000d02000000, text, sizeof(text));
        EXPECT_STREQ(text, "FreeBSD 13.2.0");
        nova_hv_identity_text(0xff00000000010000, text, sizeof(text));
        EXPECT_STREQ(text, "open-source system 127, version 0x1");
        nova_hv_identity_text(0x000104060a031234, text, sizeof(text));
        EXPECT_STREQ(text, "system 4 of vendor 1, version 6.10.3, build 4660");
        nova_hv_identity_text(~uint64_t{0}, text, 10);
        EXPECT_EQ(strlen(text), 9u);
}

nova_hv_config with(uint64_t privileges, uint32_t hints, bool direct_timers, bool xmm_input,
                    bool xmm_output)
{
        return {privileges, hints, direct_timers, xmm_input, xmm_output, nullptr, nullptr};
}

TEST_F(hv_msr, configurations_that_contradict_themselves_are_refused_with_a_sentence)
{
        const uint64_t usual = NOVA_HV_PRIVILEGES_USUAL;
        const struct {
                nova_hv_config config;
                int error;
                const char *word;
        } rows[] = {
                {with(usual, 0, false, false, false), 0, ""},
                {with(0, 0, false, false, false), 0, ""},
                {with(usual | uint64_t{1} << 32, 0, false, false, false), EINVAL, "debugs"},
                {with(usual | uint64_t{1} << 60, 0, false, false, false), ENOTSUP,
                 "does not offer"},
                {with(NOVA_HV_PRIVILEGE_EXTENDED_CALLS, 0, false, false, false), EINVAL,
                 "need hypercalls"},
                {with(usual, 1, false, false, false), ENOTSUP, "recommendations"},
                {with(usual, NOVA_HV_HINT_APIC_REGISTERS, false, false, false), EINVAL,
                 "to recommend"},
                {with(usual | NOVA_HV_PRIVILEGE_APIC_REGISTERS, NOVA_HV_HINT_APIC_REGISTERS, false,
                      false, false),
                 0, ""},
                {with(usual, 0, true, false, false), EINVAL, "synthetic timers"},
                {with(usual | NOVA_HV_PRIVILEGE_TIMERS, 0, false, false, false), EINVAL,
                 "direct_timers"},
                {with(usual | NOVA_HV_PRIVILEGE_TIMERS | NOVA_HV_PRIVILEGE_SYNIC, 0, false, false,
                      false),
                 0, ""},
                {with(NOVA_HV_PRIVILEGE_POST_MESSAGES, 0, false, false, false), EINVAL,
                 "hypercalls"},
                {with(NOVA_HV_PRIVILEGE_SIGNAL_EVENTS, 0, false, false, false), EINVAL,
                 "hypercalls"},
                {with(NOVA_HV_PRIVILEGE_TIMERS, 0, true, false, false), EINVAL, "reference time"},
                {with(usual | NOVA_HV_PRIVILEGE_TIMERS, 0, true, false, false), 0, ""},
                {with(usual, 0, false, true, false), ENOTSUP, "XMM"},
                {with(usual, 0, false, false, true), ENOTSUP, "XMM"},
                {with(0, 0, false, true, false), EINVAL, "are those of hypercalls"}};

        for (const auto &row : rows) {
                const nova_hv_machine machine = {true, true, false};
                const char *why = "";
                EXPECT_EQ(nova_hv_check(&row.config, &machine, &why), row.error) << row.word;
                EXPECT_NE(std::string(why).find(row.word), std::string::npos) << why;
        }
}

TEST_F(hv_msr, privileges_that_the_machine_cannot_have_are_refused_with_a_sentence)
{
        const nova_hv_config config = with(NOVA_HV_PRIVILEGES_ALL, 0, true, false, false);
        const nova_hv_machine none = {}, all = {true, true, true}, no_apic = {true, false, true};
        const nova_hv_config xmm = with(NOVA_HV_PRIVILEGES_USUAL, 0, false, true, true);
        const char *why = "";

        EXPECT_EQ(nova_hv_check(&xmm, &all, &why), 0);
        EXPECT_EQ(nova_hv_check(&xmm, &none, &why), ENOTSUP);
        EXPECT_NE(std::string(why).find("NOVA_HIP_XMM"), std::string::npos) << why;
        EXPECT_EQ(nova_hv_check(&config, &all, &why), 0);
        EXPECT_EQ(nova_hv_check(&config, &none, &why), ENOTSUP);
        EXPECT_NE(std::string(why).find("stolen time"), std::string::npos) << why;
        EXPECT_EQ(nova_hv_check(&config, &no_apic, &why), ENOTSUP);
        EXPECT_NE(std::string(why).find("local_apic"), std::string::npos) << why;
        const nova_hv_config synic = with(NOVA_HV_PRIVILEGE_SYNIC, 0, false, false, false);
        EXPECT_EQ(nova_hv_check(&synic, &no_apic, &why), ENOTSUP);
        EXPECT_NE(std::string(why).find("synthetic interrupts"), std::string::npos) << why;
}

/* The registers as the manual describes them, apart from the library. */
struct model {
        uint64_t identity = 0, page = 0;
        bool resets = false;

        bool write(uint32_t number, uint64_t value)
        {
                if (number == ::identity) {
                        identity = value;
                        if (!value && !(page & locked))
                                page &= ~enable;
                        return true;
                }
                if (number == reset) {
                        resets |= value == 1;
                        return value < 2;
                }
                if (number != hypercall)
                        return false;
                if (page & locked)
                        return true;
                const uint64_t kept = value & ~(identity ? uint64_t{0xffc} : uint64_t{0xffd});
                if (kept & enable && kept / frame_bytes >= ram_bytes / frame_bytes)
                        return false;
                page = kept;
                return true;
        }
};

TEST_F(hv_msr, random_writes_change_only_bits_that_the_manual_makes_writable)
{
        const uint64_t values[] = {
                0,       1,       2,      3,      0x3001,       0x4003,
                0x1f001, 0x20001, 0x3ffd, 0x5000, ~uint64_t{0}, uint64_t{1} << 63};
        std::mt19937 random(19);
        unsigned enabled = 0;

        for (unsigned round = 0; round < 2000; round++) {
                model expected;
                memory.overlays = 0;
                begin(NOVA_HV_PRIVILEGES_USUAL);
                for (unsigned step = 0; step < 20; step++) {
                        const uint32_t number = identity + random() % 5;
                        uint64_t value = values[random() % std::size(values)];
                        if (value & locked && random() % 4)
                                value &= ~locked;
                        ASSERT_EQ(set(number, value, random() % 2), expected.write(number, value));
                        ASSERT_EQ(hv.resets, expected.resets);
                        ASSERT_EQ(get(identity), expected.identity);
                        ASSERT_EQ(get(hypercall), expected.page);
                        ASSERT_EQ(hv.enabled, bool(expected.page & enable));
                        for (uint64_t at = 0; at < ram_bytes; at += frame_bytes)
                                ASSERT_EQ(byte_at(at),
                                          expected.page & enable && at == (expected.page & ~3ull)
                                                  ? 0x0f
                                                  : 0x11);
                        enabled += hv.enabled;
                }
        }
        EXPECT_GT(enabled, 1000u);
        EXPECT_EQ(ram, std::vector<uint8_t>(ram_bytes, 0x11));
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *page, unsigned)
{
        taken_back.insert(page);
}
