/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that a reply delivers to a guest: exceptions, NMIs, interrupts, and windows for them. */
#include <gtest/gtest.h>
#include <utility>

extern "C" {
#include "novavmm/lapic.h"
#include "vm.h"
}

namespace
{

constexpr uint32_t VALID = 0x80000000, WINDOW = 0x1000, NMI_WINDOW = 0x2000, CR8_WINDOW = 0x4000;
constexpr uint32_t NMI = VALID | 0x202;
constexpr uint32_t STEP = 0x8000;
constexpr unsigned IRET = 0x74;

bool held_back;
unsigned woken; /* bit n: virtual CPU n */

struct deliver : testing::Test {
        nova_vm vm = {};
        nova_utcb_event event = {};
        nova_vcpu *vcpu = &vm.vcpu[0];
        int waiting = -1;

        static bool pending(void *context, unsigned)
        {
                return static_cast<deliver *>(context)->waiting >= 0;
        }

        static int take(void *context, unsigned)
        {
                return std::exchange(static_cast<deliver *>(context)->waiting, -1);
        }

        void SetUp() override
        {
                vcpu->vm = &vm;
                vcpu->state = &event.state;
                vm.interrupts = {pending, take, this};
                vm.svm = true;
                vm.vcpus = 2;
                vm.clock = {now, nullptr};
                vm.nmis = {NOVA_NEVER, novavmm_vcpu_late_nmis, &vm};
                woken = 0;
                leave(NOVA_VM_EXIT_CPUID, 0x72);
        }

        static uint64_t now(void *)
        {
                return 1000;
        }

        void leave(nova_vm_exit exit, unsigned number)
        {
                event.state = {};
                event.state.flags = 0x202;
                vcpu->exit = exit;
                vcpu->event = number;
                vcpu->changed = 0;
        }

        uint32_t reply()
        {
                novavmm_vcpu_deliver(vcpu);
                return vcpu->changed & NOVA_MTD_INJ ? event.state.inj_info : 0;
        }
};

} // namespace

extern "C" bool nova_lapic_held_back(const nova_lapic *)
{
        return held_back;
}

extern "C" void novavmm_vcpu_wake(nova_vcpu *vcpu)
{
        woken |= 1u << (vcpu - vcpu->vm->vcpu);
}

extern "C" void novavmm_exit_controls(nova_vcpu *vcpu)
{
        vcpu->changed |= NOVA_MTD_CTRL;
}

namespace
{

TEST_F(deliver, a_halt_ends_by_an_nmi_unless_nmis_are_blocked)
{
        EXPECT_FALSE(novavmm_vcpu_wakes_by_nmi(vcpu));
        vcpu->nmi = true;
        EXPECT_TRUE(novavmm_vcpu_wakes_by_nmi(vcpu));
        vcpu->nmi_blocked = true; /* SVM */
        EXPECT_FALSE(novavmm_vcpu_wakes_by_nmi(vcpu));
        vcpu->nmi_blocked = false;
        event.state.intr_state = 8; /* VMX */
        EXPECT_FALSE(novavmm_vcpu_wakes_by_nmi(vcpu));
}

TEST_F(deliver, says_nothing_when_there_is_nothing)
{
        EXPECT_EQ(reply(), 0u);
        EXPECT_EQ(vcpu->changed, 0u);
}

TEST_F(deliver, gives_an_interrupt_or_asks_for_a_window)
{
        waiting = 0x50;
        EXPECT_EQ(reply(), VALID | 0x50);
        waiting = 0x51;
        leave(NOVA_VM_EXIT_CPUID, 0x72);
        event.state.flags = 2;
        EXPECT_EQ(reply(), WINDOW);
}

TEST_F(deliver, waits_for_a_write_of_cr8_while_it_holds_an_interrupt_back)
{
        nova_lapic apic = {};
        vcpu->lapic = &apic;
        held_back = true;
        EXPECT_EQ(reply(), CR8_WINDOW);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_CR8);
        held_back = false;
        leave(NOVA_VM_EXIT_CPUID, 0x72);
        event.state.inj_info = CR8_WINDOW;
        EXPECT_EQ(reply(), 0u);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_INJ); /* the window is closed */
}

// A secure guest has no local APIC of the library; the ultravisor reports the interrupts that it
// holds back.
TEST_F(deliver, waits_for_a_write_of_cr8_while_its_caller_holds_an_interrupt_back)
{
        vcpu->held_back = true;
        EXPECT_EQ(reply(), CR8_WINDOW);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_CR8);
}

TEST_F(deliver, keeps_writes_of_cr8_from_svm_while_a_window_is_open)
{
        vm.local_apic = true;
        waiting = 0x51;
        event.state.flags = 2;
        EXPECT_EQ(reply(), WINDOW | CR8_WINDOW);
        vm.svm = false;
        leave(NOVA_VM_EXIT_CPUID, 10);
        event.state.flags = 2;
        EXPECT_EQ(reply(), WINDOW);
        EXPECT_FALSE(vcpu->changed & NOVA_MTD_CR8);
}

TEST_F(deliver, delivers_first_the_event_that_the_exit_interrupted)
{
        waiting = 0x50;
        vcpu->nmi = true;
        event.state.inj_info = VALID | 0x30e;
        EXPECT_EQ(reply(), VALID | 0x30e | WINDOW);
        EXPECT_TRUE(vcpu->nmi);
        EXPECT_EQ(waiting, 0x50);
}

// SVM's window opens only for a guest that has interrupts enabled. A handler that has them disabled
// may wait for the NMI.
TEST_F(deliver, makes_svm_exit_for_an_nmi_that_another_event_delayed)
{
        vm.vcpu[1].vm = &vm;
        vm.vcpu[1].nmi = true;
        vm.vcpu[1].nmi_blocked = true;
        EXPECT_EQ(reply(), 0u);
        EXPECT_EQ(vm.nmis.deadline, NOVA_NEVER);
        vcpu->nmi = true;
        vcpu->injection = VALID | 0x306;
        EXPECT_EQ(reply(), VALID | 0x306 | WINDOW);
        EXPECT_EQ(vm.nmis.deadline, 51000u);

        vm.nmis.deadline = NOVA_NEVER;
        vm.nmis.expire(vm.nmis.device, 51000);
        EXPECT_EQ(woken, 1u);
        leave(NOVA_VM_EXIT_RECALL, 0x60);
        event.state.flags = 2;
        EXPECT_EQ(reply(), NMI);
        EXPECT_EQ(vm.nmis.deadline, NOVA_NEVER);
}

TEST_F(deliver, sets_no_alarm_for_an_nmi_with_vmx)
{
        vm.svm = false;
        vcpu->nmi = true;
        vcpu->injection = VALID | 0x306;
        EXPECT_EQ(reply(), VALID | 0x306 | NMI_WINDOW);
        EXPECT_EQ(vm.nmis.deadline, NOVA_NEVER);
}

TEST_F(deliver, gives_an_nmi_before_interrupts_and_with_interrupts_off)
{
        waiting = 0x50;
        vcpu->nmi = true;
        event.state.flags = 2;
        EXPECT_EQ(reply(), NMI | WINDOW);
        EXPECT_FALSE(vcpu->nmi);
        EXPECT_EQ(waiting, 0x50);
}

TEST_F(deliver, keeps_an_nmi_until_the_iret_is_done)
{
        vcpu->nmi = true;
        EXPECT_EQ(reply(), NMI);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_CTRL);
        vcpu->nmi = true;
        leave(NOVA_VM_EXIT_CPUID, 0x72);
        EXPECT_EQ(reply(), 0u);
        leave(NOVA_VM_EXIT_WINDOW, IRET);
        EXPECT_EQ(reply(), STEP);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_CTRL);
        leave(NOVA_VM_EXIT_MEMORY, 0xfc); /* the IRET accessed a device, and is repeated */
        EXPECT_EQ(reply(), 0u);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_CTRL);
        EXPECT_TRUE(vcpu->nmi_blocked);
        leave(NOVA_VM_EXIT_WINDOW, IRET);
        EXPECT_EQ(reply(), STEP);
        leave(NOVA_VM_EXIT_WINDOW, 0x41);
        EXPECT_EQ(reply(), NMI);
        EXPECT_TRUE(vcpu->nmi_blocked);
}

TEST_F(deliver, asks_vmx_for_the_end_of_an_nmi)
{
        vm.svm = false;
        vcpu->nmi = true;
        EXPECT_EQ(reply(), NMI);
        EXPECT_FALSE(vcpu->changed & NOVA_MTD_CTRL);
        vcpu->nmi = true;
        leave(NOVA_VM_EXIT_CPUID, 10);
        event.state.intr_state = 8;
        EXPECT_EQ(reply(), NMI_WINDOW);
        leave(NOVA_VM_EXIT_WINDOW, 8);
        event.state.inj_info = NMI_WINDOW;
        EXPECT_EQ(reply(), NMI);
}

// The CPU blocked NMIs when it began to deliver the NMI. It refuses to inject an NMI into a guest
// in which NMIs are blocked.
TEST_F(deliver, gives_vmx_an_interrupted_nmi_without_its_block)
{
        vm.svm = false;
        leave(NOVA_VM_EXIT_MEMORY, 48);
        event.state.inj_info = NMI;
        event.state.intr_state = 8;
        EXPECT_EQ(reply(), NMI);
        EXPECT_EQ(event.state.intr_state, 0u);
        EXPECT_TRUE(vcpu->changed & NOVA_MTD_STA);
        /* Another event in the NMI's handler keeps the block. */
        leave(NOVA_VM_EXIT_MEMORY, 48);
        event.state.inj_info = VALID | 0x306;
        event.state.intr_state = 8;
        EXPECT_EQ(reply(), VALID | 0x306);
        EXPECT_EQ(event.state.intr_state, 8u);
        EXPECT_FALSE(vcpu->changed & NOVA_MTD_STA);
}

TEST_F(deliver, gives_no_nmi_after_an_instruction_that_disables_interrupts)
{
        vcpu->nmi = true;
        event.state.intr_state = 1;
        EXPECT_EQ(reply(), WINDOW);
        EXPECT_TRUE(vcpu->nmi);
}

TEST_F(deliver, gives_no_interrupt_after_an_instruction_that_puts_interrupts_off)
{
        for (const uint32_t shadow : {1u, 2u}) {
                leave(NOVA_VM_EXIT_CPUID, 0x72);
                event.state.intr_state = shadow;
                waiting = 0x50;
                EXPECT_EQ(reply(), WINDOW);
                EXPECT_EQ(waiting, 0x50);
        }
}

TEST_F(deliver, gives_nothing_in_the_middle_of_an_instruction)
{
        vcpu->nmi = true;
        waiting = 0x50;
        vcpu->recalled_for = VCPU_PORT_STRING;
        EXPECT_EQ(reply(), 0u);
}

} // namespace
