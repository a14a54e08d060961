/* SPDX-License-Identifier: BSD-2-Clause */
/* The board of a PC: the state in which a guest finds its devices. */
#include <gtest/gtest.h>
#include <vector>

#include "devices.h"

extern "C" {
#include "apic.h"
#include "console.h"
#include "slots.h"
#include "vm.h"

void nova_vcpu_kick(nova_vcpu *)
{
}

void nova_vcpu_start_at(nova_vcpu *, uint8_t)
{
}

void nova_vcpu_reset(nova_vcpu *)
{
}

void nova_vcpu_nmi(nova_vcpu *)
{
}

void novavmm_vm_check_dead(nova_vm *)
{
}

void nova_vm_reset(nova_vm *, const char *)
{
}

void nova_vm_end_with(nova_vm *, enum nova_vm_end)
{
}

void nova_vm_stop(nova_vm *)
{
}

int nova_vm_add_alarm(nova_vm *vm, nova_alarm *alarm)
{
        vm->alarm[vm->alarms++] = alarm;
        return 0;
}

int novavmm_slots_create(nova_pc *)
{
        return 0;
}

void novavmm_console_send(void *, uint8_t)
{
}

int novavmm_console_start(nova_pc *)
{
        return 0;
}

void novavmm_console_stop(nova_pc *)
{
}
}

namespace
{

struct pc : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(1 << 20);
        fake_clock time;
        nova_vm vm = {};
        nova_pc board = {};

        void create(unsigned vcpus, bool local_apic = true)
        {
                vm = {};
                vm.memory.base = ram.data();
                vm.memory.bytes = ram.size();
                vm.vcpus = vcpus;
                vm.local_apic = local_apic;
                vm.clock = time.clock();
                for (unsigned i = 0; i < vcpus; i++) {
                        vm.vcpu[i].number = i;
                        vm.vcpu[i].vm = &vm;
                        nova_msr_init(&vm.vcpu[i].msr, i, local_apic);
                }
                ASSERT_EQ(nova_pc_create(&board, &vm), 0);
        }

        void out8(unsigned port, unsigned value)
        {
                nova_bus_put(&vm.ports, port, 1, value);
        }

        unsigned in8(unsigned port)
        {
                return static_cast<unsigned>(nova_bus_get(&vm.ports, port, 1));
        }

        /* Their vectors begin at 0x20. @p mask: pins of the first one that are masked */
        void initialise_8259s(unsigned mask)
        {
                for (unsigned port : {0x20u, 0xa0u}) {
                        out8(port, 0x11);
                        out8(port + 1, port == 0x20 ? 0x20 : 0x28);
                        out8(port + 1, port == 0x20 ? 4 : 2);
                        out8(port + 1, 1);
                        out8(port + 1, port == 0x20 ? mask : 0xff);
                }
        }

        /* Does the machine's work at alarms. */
        void run_until(uint64_t ns)
        {
                for (unsigned i = 0; i < vm.alarms; i++) {
                        nova_alarm *const alarm = vm.alarm[i];

                        while (alarm->deadline <= ns) {
                                if (time.ns < alarm->deadline)
                                        time.ns = alarm->deadline;
                                alarm->deadline = NOVA_NEVER;
                                alarm->expire(alarm->device, time.ns);
                        }
                }
                time.ns = ns;
        }

        void put_apic(unsigned vcpu, unsigned at, uint32_t value)
        {
                vm.serving = &vm.vcpu[vcpu];
                nova_bus_put(&vm.mmio, NOVA_LAPIC_AT + at, 4, value);
        }

        unsigned clock_byte(unsigned index)
        {
                out8(0x70, index);
                return in8(0x71);
        }
};

/* SeaBIOS starts all virtual CPUs, and waits for as many as this byte names. */
TEST_F(pc, tells_firmware_how_many_virtual_cpus_there_are)
{
        for (unsigned vcpus : {1u, 3u, 8u}) {
                create(vcpus);
                EXPECT_EQ(clock_byte(0x5f), vcpus - 1);
        }
        create(1, false);
        EXPECT_EQ(clock_byte(0x5f), 0u);
}

/* The handler of an interrupt may read one byte, and wait for the next edge. */
TEST_F(pc, gives_an_edge_for_each_byte_of_input_that_comes_at_once)
{
        create(1, false);
        initialise_8259s(0xef);
        out8(0x3fc, 8);
        out8(0x3fa, 0xc7);
        out8(0x3f9, 1);
        nova_uart_receive(&board.uart, 'a');
        nova_uart_receive(&board.uart, 'b');
        for (unsigned byte : {'a', 'b'}) {
                ASSERT_TRUE(novavmm_apic_pending(&board, 0));
                EXPECT_EQ(novavmm_apic_take(&board, 0), 0x24);
                EXPECT_EQ(in8(0x3f8), byte);
                out8(0x20, 0x20);
                EXPECT_FALSE(novavmm_apic_pending(&board, 0));
                run_until(time.ns + 5000000);
        }
        EXPECT_FALSE(novavmm_apic_pending(&board, 0));
}

/* A kernel may count the ticks of a BIOS, 18.2 in a second, to measure the frequency of the APIC's
 * timer. */
TEST_F(pc, ticks_as_after_a_bios)
{
        for (bool local_apic : {false, true}) {
                time.ns = 0;
                create(1, local_apic);
                initialise_8259s(0xfe);
                for (uint64_t tick = 1; tick <= 3; tick++) {
                        run_until(tick * 54900000);
                        EXPECT_FALSE(novavmm_apic_pending(&board, 0)) << tick;
                        run_until(tick * 54930000);
                        ASSERT_TRUE(novavmm_apic_pending(&board, 0)) << tick;
                        EXPECT_EQ(novavmm_apic_take(&board, 0), 0x20);
                        out8(0x20, 0x20);
                }
                out8(0x43, 0x30); /* a system that needs no ticks stops them */
                run_until(time.ns + 100000000);
                EXPECT_FALSE(novavmm_apic_pending(&board, 0));
                EXPECT_EQ(board.pit.alarm.deadline, NOVA_NEVER);
        }
}

/* A kernel may enable the APIC for its timer, and go on with the interrupts of the 8259s. */
TEST_F(pc, passes_interrupts_of_the_8259s_after_the_first_local_apic_was_enabled)
{
        create(2);
        initialise_8259s(0xef);
        put_apic(0, 0xf0, 0x1ff);
        novavmm_apic_set_pin(&board, 4, true);
        EXPECT_TRUE(novavmm_apic_pending(&board, 0));
        EXPECT_FALSE(novavmm_apic_pending(&board, 1));
        put_apic(0, 0x350, 0x10700);
        EXPECT_FALSE(novavmm_apic_pending(&board, 0));
        put_apic(0, 0x350, 0x8700);
        EXPECT_EQ(novavmm_apic_take(&board, 0), 0x24);
        EXPECT_EQ(board.lapic[1].lvt[NOVA_LVT_LINT0], 0x10000u);
}

} // namespace
