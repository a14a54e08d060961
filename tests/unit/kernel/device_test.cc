// SPDX-License-Identifier: BSD-2-Clause
// assign_gsi: its refusals, their order, and its results.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "nova/abi/hypercall.h"
#include "thread.h"
}

namespace
{

constexpr word_t SEL_PIN = 0x10, SEL_MESSAGE = 0x11, SEL_SM = 0x12, SEL_PD = 0x13;
constexpr word_t PIN = 7, MESSAGE = 100, NOTHING = 0x77;
// Pages of the caller.
constexpr word_t PAGE_PCI = 0x3000, PAGE_NO_PCI = 0x3001, PAGE_HPET = 0x3002, PAGE_RAM = 0x3003;

struct Gsi : Kernel {
        pd *home = make_pd();
        ec *self = make_ec(home, 0x1000);

        Gsi()
        {
                make_sm(home, SEL_PIN, 1)->gsi = PIN;
                make_sm(home, SEL_MESSAGE, NOVA_SM_DN)->gsi = MESSAGE;
                make_sm(home, SEL_SM);
                share(home, SEL_PD, &home->object);
                give(FAKE_PCI + 8, PAGE_PCI);
                give(FAKE_PCI + 9, PAGE_NO_PCI);
                give(FAKE_HPET >> PAGE_BITS, PAGE_HPET);
                give(0x5000, PAGE_RAM);
        }

        void give(word_t frame, word_t page)
        {
                delegate(&kernel_pd, frame, home, page, 1, NOVA_CRD_MEM, NOVA_MEM_R);
        }

        nova_status assign(word_t sel, word_t device, word_t cpu = 0)
        {
                REG_P1(self) = nova_hypercall_id(NOVA_ASSIGN_GSI, 0, sel);
                REG_P2(self) = device;
                REG_P3(self) = cpu;
                return fake_hypercall(self);
        }

        // Checks the message that the call returned.
        void expect_message()
        {
                EXPECT_EQ(REG_P2(self), 0xfee00000u);
                EXPECT_EQ(REG_P3(self), 0x30 + MESSAGE);
        }
};

TEST(assign_gsi, looks_at_the_cpu_then_at_the_semaphore_then_at_the_device)
{
        Gsi t;
        for (word_t cpu : {word_t{1}, word_t{63}, word_t{64}, word_t{1} << 32, ~word_t{0}}) {
                EXPECT_EQ(t.assign(NOTHING, 0, cpu), NOVA_BAD_CPU);
                EXPECT_EQ(t.assign(SEL_PIN, 0, cpu), NOVA_BAD_CPU);
        }
        for (word_t sel : {NOTHING, SEL_SM, SEL_PD})
                EXPECT_EQ(t.assign(sel, 0), NOVA_BAD_CAP);
        EXPECT_EQ(t.assign(SEL_MESSAGE, 0), NOVA_BAD_DEV);
        EXPECT_EQ(fake_assigned_gsi, ~0u);
}

TEST(assign_gsi, refuses_a_cpu_that_interrupts_cannot_name)
{
        Gsi t;
        cpu_by_id(0)->arch.apic_id = 0x100;
        EXPECT_EQ(t.assign(SEL_PIN, 0), NOVA_BAD_CPU);
        cpu_by_id(0)->arch.apic_id = 0xfe;
        EXPECT_EQ(t.assign(SEL_MESSAGE, PAGE_PCI), NOVA_SUCCESS);
        EXPECT_EQ(REG_P2(t.self), 0xfeefe000u);
        cpu_by_id(0)->arch.apic_id = 0;
}

TEST(assign_gsi, ignores_the_device_of_a_pin_and_gives_no_message)
{
        for (word_t device : {word_t{0}, PAGE_PCI, PAGE_RAM << PAGE_BITS, ~word_t{0}}) {
                Gsi t;
                EXPECT_EQ(t.assign(SEL_PIN, device), NOVA_SUCCESS);
                EXPECT_EQ(fake_assigned_gsi, PIN);
                EXPECT_EQ(fake_assigned_cpu, 0u);
                EXPECT_EQ(REG_P2(t.self), 0u);
                EXPECT_EQ(REG_P3(t.self), 0u);
        }
}

TEST(assign_gsi, says_that_a_pin_could_not_be_routed)
{
        for (const nova_status status : {NOVA_OUT_OF_MEMORY, NOVA_BAD_DEV}) {
                Gsi t;
                fake_pin_status = status;
                EXPECT_EQ(t.assign(SEL_PIN, 0), status);
        }
}

TEST(assign_gsi, takes_pci_devices_by_address_and_by_selector)
{
        Gsi t;
        for (word_t device : {PAGE_PCI, PAGE_PCI << PAGE_BITS, (PAGE_PCI << PAGE_BITS) + 0xfff}) {
                EXPECT_EQ(t.assign(SEL_MESSAGE, device), NOVA_SUCCESS) << device;
                t.expect_message();
        }
}

TEST(assign_gsi, takes_an_hpet_by_its_base_and_by_selector)
{
        Gsi t;
        const word_t base = (PAGE_HPET << PAGE_BITS) + FAKE_HPET % PAGE_SIZE;
        for (word_t device : {PAGE_HPET, base}) {
                EXPECT_EQ(t.assign(SEL_MESSAGE, device), NOVA_SUCCESS) << device;
                t.expect_message();
        }
        for (word_t device : {base - 1, base + 1, base + 4, PAGE_HPET << PAGE_BITS})
                EXPECT_EQ(t.assign(SEL_MESSAGE, device), NOVA_BAD_DEV) << device;
}

TEST(assign_gsi, refuses_anything_but_a_device_and_then_changes_nothing)
{
        Gsi t;
        for (word_t page : {PAGE_NO_PCI, PAGE_RAM, word_t{0x1000} /* the UTCB */, word_t{0x9999}})
                for (word_t device : {page, page << PAGE_BITS}) {
                        EXPECT_EQ(t.assign(SEL_MESSAGE, device), NOVA_BAD_DEV) << device;
                        EXPECT_EQ(REG_P2(t.self), device);
                        EXPECT_EQ(REG_P3(t.self), 0u);
                }
        for (word_t device : {word_t{0}, ~word_t{0}, word_t{1} << 47, word_t{1} << 63})
                EXPECT_EQ(t.assign(SEL_MESSAGE, device), NOVA_BAD_DEV) << device;
}

TEST(assign_gsi, no_longer_knows_a_device_whose_page_was_taken_back)
{
        Gsi t;
        EXPECT_EQ(t.assign(SEL_MESSAGE, PAGE_PCI), NOVA_SUCCESS);
        t.revoke(t.home, PAGE_PCI, PAGE_PCI, NOVA_CRD_MEM, NOVA_MEM_RWX, true);
        EXPECT_EQ(t.assign(SEL_MESSAGE, PAGE_PCI), NOVA_BAD_DEV);
}

} // namespace
