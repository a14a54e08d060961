/* SPDX-License-Identifier: BSD-2-Clause */
/* String accesses to ports, and accesses to devices' memory, after an exit, while another virtual
 * CPU may change the code. */
extern "C" {
#include "vm.h"
}

#include "access.h"

#include <cstdarg>
#include <cstdio>

namespace
{

/* The library's actions on the virtual CPU. */
unsigned failures, skipped;
int raised;
std::string report; /* the last failure */

} // namespace

extern "C" {
__attribute__((format(printf, 2, 3))) void nova_vcpu_fail(nova_vcpu *, const char *format, ...)
{
        char text[200];
        va_list list;

        va_start(list, format);
        vsnprintf(text, sizeof(text), format, list);
        va_end(list);
        report = text;
        failures++;
}

void nova_vcpu_skip(nova_vcpu *, unsigned length)
{
        skipped += length;
}

void nova_vcpu_raise(nova_vcpu *, unsigned vector)
{
        raised = static_cast<int>(vector);
}

void nova_vcpu_raise_error(nova_vcpu *, unsigned vector, uint32_t)
{
        raised = static_cast<int>(vector);
}
}

namespace
{

struct port_string : guest_access {
        nova_vm vm = {};
        nova_utcb_more more = {};
        nova_vcpu *const vcpu = &vm.vcpu[0];

        void SetUp() override
        {
                guest_access::SetUp();
                failures = skipped = 0;
                raised = -1;
                vm.memory = memory;
                vm.ports = ports;
                vcpu->vm = &vm;
                vcpu->state = &state;
                vcpu->more = &more;
                flat();
                state.ip = 0x100;
                state.si = state.di = 0x200;
                text(0x200, "abcd");
        }

        /* Handles an exit for an access of this size, after another virtual CPU has changed the
         * code. */
        void run(unsigned size, bool in, const bytes &code)
        {
                memcpy(&ram[0x100], code.data(), code.size());
                vcpu->port = {0x1f0, static_cast<uint8_t>(size), in, true, false};
                novavmm_port_string(vcpu);
        }
};

struct memory_access : port_string {
        uint64_t address = device_at;

        /* Handles an exit for an access to the device's memory, after another virtual CPU has
         * changed the code. */
        void run(bool user, const bytes &code)
        {
                failures = skipped = 0;
                raised = -1;
                memcpy(&ram[0x100], code.data(), code.size());
                state.ss.ar = static_cast<uint16_t>(0xc00 | (user ? user_rights : data_rights));
                novavmm_mmio_access(vcpu, address);
        }
};

TEST_F(port_string, is_executed)
{
        run(1, false, {0x6e});
        EXPECT_EQ(port.written.size(), 1u);
        EXPECT_EQ(skipped, 1u);
        run(4, true, {0x6d});
        EXPECT_EQ(port.reads, 1u);
        EXPECT_EQ(skipped, 2u);
}

TEST_F(port_string, each_round_is_a_step_of_a_guest_that_single_steps)
{
        state.flags = NOVA_FLAG_TF;
        state.cx = 2;
        run(1, false, {0xf3, 0x6e});
        EXPECT_EQ(state.cx, 1u);
        EXPECT_EQ(raised, 1);
        EXPECT_EQ(more.dr6, 0x4000u);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_DEBUG);
        EXPECT_EQ(skipped, 0u);
        raised = -1;
        run(1, false, {0xf3, 0x6e});
        EXPECT_EQ(state.cx, 0u);
        EXPECT_EQ(raised, -1); /* the step follows the instruction */
        EXPECT_EQ(skipped, 2u);
}

/* The program may use the port, but not the ports after it. */
TEST_F(port_string, code_that_now_accesses_more_ports_is_left_to_the_cpu)
{
        run(1, false, {0x6f});
        run(1, true, {0x6d});
        run(2, true, {0x6d});
        run(1, false, {0x6c});
        run(1, false, {0x89, 0x07});
        EXPECT_TRUE(port.written.empty());
        EXPECT_EQ(port.reads, 0u);
        EXPECT_EQ(skipped, 0u);
        EXPECT_EQ(raised, -1);
        EXPECT_EQ(failures, 0u);
}

TEST_F(port_string, a_program_that_changes_its_code_does_not_end_the_machine)
{
        const bytes unknown(15, 0x0f);

        state.ss.ar = static_cast<uint16_t>(0xc00 | user_rights);
        run(1, false, unknown);
        EXPECT_EQ(raised, 6);
        EXPECT_EQ(failures, 0u);
        state.ss.ar = static_cast<uint16_t>(0xc00 | data_rights);
        run(1, false, unknown);
        EXPECT_EQ(failures, 1u);
}

/* The delivery of a software interrupt can need a device's memory only if the kernel of the guest
 * has put its tables there. */
TEST_F(memory_access, a_program_whose_code_is_now_a_software_interrupt_does_not_end_the_machine)
{
        for (const bytes &code : {bytes{0xcc}, {0xcd, 0x80}, {0xce}, {0xf1}}) {
                run(true, code);
                EXPECT_EQ(raised, 6);
                EXPECT_EQ(failures, 0u);
                run(false, code);
                EXPECT_EQ(raised, -1);
                EXPECT_EQ(failures, 1u);
        }
}

TEST_F(memory_access, a_program_whose_code_has_vanished_gets_its_page_fault_when_it_continues)
{
        state.ip = static_cast<uint32_t>(ram.size());
        run(true, {});
        EXPECT_EQ(raised, -1);
        EXPECT_EQ(failures, 0u);
        EXPECT_EQ(skipped, 0u);
}

/* After a jump, the address is that of an instruction. */
TEST_F(memory_access, a_report_without_the_state_of_the_guest_names_only_the_page)
{
        const bytes unknown(15, 0x0f), software_interrupt = {0xcc};
        const auto reports = [this](const bytes &code, const char *expected) {
                memory_access::run(false, code);
                return failures == 1 && report.find(expected) != std::string::npos;
        };

        address = device_at + 0x123;
        for (const bool hides : {false, true}) {
                const char *const expected = hides ? " 0xd0000000," : " 0xd0000123,";

                vm.hide_state = hides;
                state.ip = 0x100;
                EXPECT_TRUE(reports(unknown, expected)) << report;
                EXPECT_TRUE(reports(software_interrupt, expected)) << report;
                state.ip = static_cast<uint32_t>(ram.size());
                EXPECT_TRUE(reports({}, expected)) << report;
        }
}

} // namespace
