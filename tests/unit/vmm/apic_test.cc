/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of a PC's local APICs, and their effects on virtual CPUs. */
#include <gtest/gtest.h>
#include <string>

#include "devices.h"

extern "C" {
#include "apic.h"
#include "vm.h"
}

namespace
{

/* The actions on virtual CPUs, in order. */
std::string done;

void note(const char *what, const nova_vcpu *vcpu)
{
        done += std::string(what) + std::to_string(vcpu->number) + ' ';
}

} // namespace

extern "C" {
void nova_vcpu_kick(nova_vcpu *vcpu)
{
        note("kick", vcpu);
}

void nova_vcpu_start_at(nova_vcpu *vcpu, uint8_t)
{
        note("start", vcpu);
}

void nova_vcpu_reset(nova_vcpu *vcpu)
{
        note("reset", vcpu);
}

void novavmm_vm_check_dead(nova_vm *)
{
}

void nova_vcpu_nmi(nova_vcpu *vcpu)
{
        note("nmi", vcpu);
}

void nova_vm_reset(nova_vm *vm, const char *means)
{
        vm->end = NOVA_VM_RESET;
        done += means;
}

int nova_vm_add_alarm(nova_vm *, nova_alarm *)
{
        return 0;
}
}

namespace
{

struct apic : testing::Test {
        fake_clock time;
        nova_vm vm = {};
        nova_pc pc = {};

        void SetUp() override
        {
                done.clear();
                vm.vcpus = 3;
                vm.local_apic = true;
                vm.clock = time.clock();
                pc.vm = &vm;
                for (unsigned i = 0; i < vm.vcpus; i++) {
                        vm.vcpu[i].number = i;
                        vm.vcpu[i].vm = &vm;
                        nova_msr_init(&vm.vcpu[i].msr, i, true);
                }
                ASSERT_EQ(novavmm_apic_create(&pc), 0);
        }

        void put(unsigned from, unsigned at, uint32_t value)
        {
                vm.serving = &vm.vcpu[from];
                nova_bus_put(&vm.mmio, NOVA_LAPIC_AT + at, 4, value);
        }

        uint64_t get(unsigned from, unsigned at)
        {
                vm.serving = &vm.vcpu[from];
                return nova_bus_get(&vm.mmio, NOVA_LAPIC_AT + at, 4);
        }

        /* Returns whether a local APIC got vector 0x41, and resets and enables it. */
        bool has(unsigned vcpu)
        {
                const bool got = pc.lapic[vcpu].request[0x41 / 32] >> 0x41 % 32 & 1;

                nova_lapic_reset(&pc.lapic[vcpu]);
                put(vcpu, 0xf0, 0x1ff);
                return got;
        }

        void send(unsigned from, uint32_t to, uint32_t command)
        {
                put(from, 0x310, to << 24);
                put(from, 0x300, command);
        }
};

TEST_F(apic, one_that_is_switched_off_receives_nothing_and_forgets)
{
        put(1, 0xf0, 0x1ff);
        put(1, 0x80, 0x20);
        vm.vcpu[1].msr.apic_base &= ~uint64_t{0x800};
        vm.apic_switched(&vm.vcpu[1]);
        EXPECT_EQ(get(1, 0xf0), UINT32_MAX);
        done.clear();
        send(0, 1, 0xc500);
        send(0, 1, 0x4608);
        send(0, 1, 0x400);
        send(0, 1, 0x41);
        EXPECT_EQ(done, "");
        put(1, 0xf0, 0x1ff);
        vm.vcpu[1].msr.apic_base |= 0x800;
        vm.apic_switched(&vm.vcpu[1]);
        EXPECT_EQ(get(1, 0xf0), 0xffu);
        EXPECT_EQ(get(1, 0x80), 0u);
}

/* When the local APIC is switched off, its pin LINT0 is the CPU's input for interrupts. */
TEST_F(apic, without_a_local_apic_the_first_cpu_gets_interrupts_of_the_8259s)
{
        put(0, 0xf0, 0x1ff);
        put(0, 0x350, 0x10700);
        for (unsigned base : {0x20u, 0xa0u}) { /* vectors begin at 0x20, nothing is masked */
                nova_pic_write(&pc.pic, base, 1, 0x11);
                nova_pic_write(&pc.pic, base + 1, 1, base == 0x20 ? 0x20 : 0x28);
                nova_pic_write(&pc.pic, base + 1, 1, base == 0x20 ? 4 : 2);
                nova_pic_write(&pc.pic, base + 1, 1, 1);
                nova_pic_write(&pc.pic, base + 1, 1, 0);
        }
        nova_pic_set(&pc.pic, 4, true);
        EXPECT_FALSE(novavmm_apic_pending(&pc, 0)); /* LINT0 is masked */
        vm.vcpu[0].msr.apic_base &= ~uint64_t{0x800};
        vm.apic_switched(&vm.vcpu[0]);
        EXPECT_TRUE(novavmm_apic_pending(&pc, 0));
        EXPECT_EQ(novavmm_apic_take(&pc, 0), 0x24);
}

TEST_F(apic, starts_a_cpu_with_init_and_startup)
{
        send(0, 1, 0xc500);
        send(0, 1, 0x8500); /* the end of the INIT */
        send(0, 1, 0x4608);
        EXPECT_EQ(done, "reset1 start1 ");
}

TEST_F(apic, resets_the_local_apic_of_a_cpu_that_gets_init)
{
        put(1, 0xf0, 0x1ff);
        put(1, 0x80, 0x40);
        send(0, 1, 0x4500);
        EXPECT_EQ(pc.lapic[1].task_priority, 0u);
        EXPECT_EQ(pc.lapic[1].spurious, 0xffu);
        send(0, 1, 0x4608); /* the APIC has kept its number */
        EXPECT_EQ(done, "reset1 start1 ");
}

TEST_F(apic, gives_each_virtual_cpu_its_local_apic)
{
        for (unsigned i = 0; i < vm.vcpus; i++)
                EXPECT_EQ(vm.vcpu[i].lapic, &pc.lapic[i]);
}

TEST_F(apic, resets_the_machine_when_the_first_cpu_gets_init)
{
        send(1, 0, 0x4500);
        EXPECT_EQ(vm.end, NOVA_VM_RESET);
        EXPECT_EQ(done, "an INIT message to vCPU 0");
}

TEST_F(apic, gives_a_message_of_lowest_priority_to_one_that_accepts_it)
{
        const nova_apic_message message = {0x41, NOVA_DELIVER_LOWEST, false, 0xff, false};

        put(1, 0xf0, 0x1ff); /* the first local APIC is disabled by software */
        put(2, 0xf0, 0x1ff);
        send(2, 0xff, 0x141);
        EXPECT_TRUE(has(1));
        EXPECT_FALSE(has(2));
        /* Local APICs of equal priority take turns. */
        EXPECT_TRUE(novavmm_apic_send(&pc, &message));
        EXPECT_TRUE(has(2));
        EXPECT_TRUE(novavmm_apic_send(&pc, &message));
        EXPECT_TRUE(has(1));
        vm.vcpu[1].msr.apic_base &= ~uint64_t{0x800}; /* now the second local APIC is off */
        novavmm_apic_send(&pc, &message);
        EXPECT_TRUE(has(2));
        send(0, 0, 0xc0141); /* all others */
        EXPECT_TRUE(has(2));
}

TEST_F(apic, gives_a_message_of_lowest_priority_to_the_one_whose_priority_is_lowest)
{
        const nova_apic_message message = {0x41, NOVA_DELIVER_LOWEST, false, 0xff, false};

        for (unsigned i = 0; i < 3; i++)
                put(i, 0xf0, 0x1ff);
        for (unsigned idle = 0; idle < 3; idle++) {
                for (unsigned i = 0; i < 3; i++)
                        put(i, 0x80, i == idle ? 0x20 : 0x30);
                novavmm_apic_send(&pc, &message);
                for (unsigned i = 0; i < 3; i++)
                        EXPECT_EQ(has(i), i == idle) << i;
        }
        nova_lapic_accept(&pc.lapic[0], 0x51, false); /* the CPU serves this interrupt */
        EXPECT_EQ(nova_lapic_take(&pc.lapic[0]), 0x51);
        put(1, 0x80, 0x60);
        put(2, 0x80, 0x40);
        novavmm_apic_send(&pc, &message);
        EXPECT_TRUE(has(2));
}

TEST_F(apic, tells_whether_one_accepted_a_message)
{
        const nova_apic_message message = {0x41, NOVA_DELIVER_FIXED, false, 1, false};
        const nova_apic_message lowest = {0x41, NOVA_DELIVER_LOWEST, false, 0xff, false};
        const nova_apic_message bad = {15, NOVA_DELIVER_FIXED, false, 1, false};

        EXPECT_FALSE(novavmm_apic_send(&pc, &message));
        EXPECT_FALSE(novavmm_apic_send(&pc, &lowest));
        put(1, 0xf0, 0x1ff);
        EXPECT_TRUE(novavmm_apic_send(&pc, &message));
        EXPECT_TRUE(novavmm_apic_send(&pc, &lowest));
        EXPECT_FALSE(novavmm_apic_send(&pc, &bad));
        vm.vcpu[1].msr.apic_base &= ~uint64_t{0x800};
        EXPECT_FALSE(novavmm_apic_send(&pc, &message));
}

/* The pin of a device stays high until the guest has served the device. */
TEST_F(apic, gets_a_level_that_came_before_it_was_enabled)
{
        nova_ioapic_write(&pc.ioapic, NOVA_IOAPIC_AT, 4, 0x1a);
        nova_ioapic_write(&pc.ioapic, NOVA_IOAPIC_AT + 0x10, 4, 0x8041);
        novavmm_apic_set_pin(&pc, 5, true);
        EXPECT_EQ(pc.ioapic.entry[5] & 0x4000, 0u);
        put(0, 0xf0, 0x1ff);
        EXPECT_NE(pc.ioapic.entry[5] & 0x4000, 0u);
        EXPECT_TRUE(nova_lapic_pending(&pc.lapic[0]));
}

TEST_F(apic, gives_an_nmi_to_those_that_are_meant)
{
        send(0, 2, 0x4400);
        send(1, 0, 0xc4400); /* all others */
        EXPECT_EQ(done, "nmi2 nmi0 nmi2 ");
}

} // namespace
