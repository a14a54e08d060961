// SPDX-License-Identifier: BSD-2-Clause
// The meaning of SVM's exits, guest page tables, and state in messages, without a guest.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "guest.h"

extern "C" {
#include "arch/x86/features.h"
#include "arch/x86/machine_check.h"
#include "arch/x86/msr.h"
#include "arch/x86/pte.h"
#include "virt/cpu.h"
#include "virt/svm/svm.h"
#include "virt/vcpu.h"
}

namespace
{

// Returns the number of the event that an exit with this code becomes; ENTRY: the guest is entered
// again.
constexpr unsigned ENTRY = ~0u;

unsigned event_of(Guest &g, uint64_t code)
{
        const unsigned entries = fake_guest_entries;
        g.vcpu->state = EC_READY;
        g.vcpu->event_number = ENTRY;
        g.control()->exit_code = code;
        fake_run(finish_svm_exit, g.vcpu);
        EXPECT_EQ(fake_guest_entries != entries, g.vcpu->event_number == ENTRY) << code;
        return static_cast<unsigned>(g.vcpu->event_number);
}

TEST(guest, an_exit_is_the_event_of_its_number)
{
        Guest g;
        for (unsigned code = 0; code < 0x8d; code++) {
                const bool debug = code >= 0x20 && code < 0x60; // debug registers, exceptions
                if (debug || code == 0x60 || code == 0x61 || code == NOVA_SVM_WBINVD)
                        continue;
                EXPECT_EQ(event_of(g, code), code);
        }
        EXPECT_EQ(event_of(g, 0x400), 0xfcu);
        EXPECT_EQ(event_of(g, ~uint64_t{0}), 0xfdu);
        EXPECT_EQ(event_of(g, 0xffffffff), 0xfdu);
        EXPECT_EQ(event_of(g, 0x8e), 0xfdu); // 0x8d to 0x8f are reserved; 0x8d is XSETBV, see below
        EXPECT_EQ(event_of(g, 0x8f), 0xfdu);
}

TEST(guest, some_exits_are_the_kernels_own)
{
        Guest g;
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        EXPECT_EQ(event_of(g, 0x61), ENTRY);
        for (unsigned code = 0x20; code < 0x40; code++)
                EXPECT_EQ(event_of(g, code), ENTRY);
        EXPECT_TRUE(g.vcpu->vcpu->debugging);
        EXPECT_EQ(g.control()->dr_intercepts, 0u);
        EXPECT_EQ(event_of(g, 0x41), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0x80000301u); // #DB
        EXPECT_EQ(event_of(g, 0x51), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0x80000b11u); // #AC with its error code
}

// A guest must not flush all caches. The interface of 2012 lets the VMM request that exit, too.
TEST(guest, a_wbinvd_does_nothing_unless_the_vmm_asks_for_its_exit)
{
        Guest g;
        EXPECT_EQ(g.control()->ctrl[1] & NOVA_SVM_CTRL1_WBINVD, unsigned{NOVA_SVM_CTRL1_WBINVD});
        g.control()->rip = 0x1000;
        EXPECT_EQ(event_of(g, NOVA_SVM_WBINVD), ENTRY);
        EXPECT_EQ(g.control()->rip, 0x1002u);
        g.control()->next_rip = 0x1005; // WBNOINVD has a prefix
        EXPECT_EQ(event_of(g, NOVA_SVM_WBINVD), ENTRY);
        EXPECT_EQ(g.control()->rip, 0x1005u);
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_CTRL;
        utcb.state.ctrl[1] = NOVA_SVM_CTRL1_WBINVD;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(event_of(g, NOVA_SVM_WBINVD), unsigned{NOVA_SVM_WBINVD});
        utcb.state.ctrl[1] = 0;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(g.control()->ctrl[1] & NOVA_SVM_CTRL1_WBINVD, unsigned{NOVA_SVM_CTRL1_WBINVD});
        EXPECT_EQ(event_of(g, NOVA_SVM_WBINVD), ENTRY);
}

// No emulator raises machine checks of a guest.
TEST(guest, a_shutdown_by_a_machine_check_stops_the_machine)
{
        Guest g;
        EXPECT_EQ(event_of(g, NOVA_SVM_TRIPLE_FAULT), unsigned{NOVA_SVM_TRIPLE_FAULT});
        fake_machine_check = true;
        EXPECT_DEATH(event_of(g, NOVA_SVM_TRIPLE_FAULT),
                     "a machine check while a guest was running");
        fake_machine_check = false;
}

// A guest with CR4.MCE gets the machine check of erratum 383 as #MC, and shuts down without it.
TEST(guest, a_machine_check_by_the_guests_page_sizes_shuts_only_the_guest_down)
{
        Guest g;
        for (const unsigned code : {NOVA_SVM_EXCEPTION + NOVA_EXC_MC, +NOVA_SVM_TRIPLE_FAULT}) {
                fake_machine_check = fake_match = true;
                cpu_virt_of(cpu_self())->tag_flush = false;
                EXPECT_EQ(event_of(g, code), unsigned{NOVA_SVM_TRIPLE_FAULT});
                EXPECT_FALSE(fake_match);
                EXPECT_TRUE(cpu_virt_of(cpu_self())->tag_flush);
                EXPECT_DEATH(event_of(g, code), "a machine check while a guest was running");
        }
        fake_machine_check = false;
}

TEST(guest, the_machine_check_by_page_sizes_has_one_status)
{
        EXPECT_TRUE(machine_check_is_match(0xb600000000010015));
        EXPECT_TRUE(machine_check_is_match(0xf600000000010015));
        EXPECT_FALSE(machine_check_is_match(0xb600000000010011));
        EXPECT_FALSE(machine_check_is_match(0));
}

// Lets the VMM ask for a single step of a guest with these flags.
void ask_for_a_step(Guest &g, word_t flags)
{
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_INJ | NOVA_MTD_EIP | NOVA_MTD_EFL | NOVA_MTD_CR;
        utcb.state.inj_info = 0x8000;
        utcb.state.ip = 0x1000;
        utcb.state.flags = flags;
        utcb.state.cr0 = 1;
        vcpu_from_utcb(g.vcpu, &utcb);
}

TEST(guest, an_interrupt_of_the_host_leaves_a_step_as_it_is)
{
        Guest g;
        ask_for_a_step(g, 2);
        EXPECT_EQ(event_of(g, NOVA_SVM_INTR), ENTRY);
        EXPECT_EQ(g.control()->exception_intercepts, SVM_EXCEPTIONS_STEP);
        EXPECT_EQ(g.control()->rflags, 0x102u);
}

TEST(guest, a_step_that_the_guest_wanted_too_is_reported_with_its_own_event)
{
        Guest g;
        ask_for_a_step(g, 0x102);
        g.control()->dr6 = 0xffff4ff0;
        EXPECT_EQ(event_of(g, NOVA_SVM_EXCEPTION + NOVA_EXC_DB), NOVA_SVM_EXCEPTION + NOVA_EXC_DB);
        EXPECT_EQ(g.control()->exit_int_info, 0x80000301u); // #DB, for the guest
        EXPECT_EQ(g.control()->dr6, 0xffff4ff0u);
        EXPECT_EQ(g.control()->rflags, 0x102u); // the guest's own flag stays
        EXPECT_EQ(g.control()->exception_intercepts, SVM_EXCEPTIONS_FORCED);
}

// An exception replaces the single step: its frame holds the guest's flags, not the step's.
TEST(guest, an_exception_ends_a_step_and_is_delivered_without_its_flag)
{
        Guest g;
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_INJ | NOVA_MTD_EIP | NOVA_MTD_EFL | NOVA_MTD_CR;
        utcb.state.inj_info = 0x8000;
        utcb.state.ip = 0x1000;
        utcb.state.flags = 2;
        utcb.state.cr0 = 1;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(g.control()->exception_intercepts, SVM_EXCEPTIONS_STEP);
        EXPECT_EQ(g.control()->rflags, 0x102u);
        g.control()->exit_info[0] = 6;
        g.control()->exit_info[1] = 0x7000;
        EXPECT_EQ(event_of(g, 0x4e), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0x6'8000'0b0eu); // #PF with its error code
        EXPECT_EQ(g.control()->cr2, 0x7000u);
        EXPECT_EQ(g.control()->rflags, 2u);
        EXPECT_EQ(g.control()->exception_intercepts, SVM_EXCEPTIONS_FORCED);
}

// QEMU's TCG lets the guest write CR0.NW without CD, and then refuses the entry. Before it refuses,
// it overwrites the guest's state with the host's.
TEST(guest, a_refusal_that_no_message_brought_about_loses_no_state)
{
        Guest g;
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        g.control()->cr0 = 0x2000'0011;
        g.control()->rip = 0x1000;
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        g.control()->rip = 0xffff'ffff'8021'0000;
        g.control()->cr3 = 0x5000;
        EXPECT_EQ(event_of(g, ~uint64_t{0}), 0xfdu);
        EXPECT_EQ(g.control()->rip, 0x1000u);
        EXPECT_EQ(g.control()->cr3, 0u);
}

// After a refused entry, regardless of what the CPU has written, the next entry has the kernel's
// controls.
TEST(guest, a_refused_entry_leaves_no_control_behind)
{
        Guest g;
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_CR | NOVA_MTD_INJ | NOVA_MTD_CTRL;
        utcb.state.inj_info = 0x1000;
        utcb.state.ctrl[0] = 0x40000;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        const vmcb before = *g.control();
        EXPECT_EQ(before.vintr, SVM_VINTR_MASKING | SVM_VINTR_IRQ | SVM_VINTR_IGNORE_TPR);
        g.control()->vintr = 0;
        g.control()->exception_intercepts = 0;
        g.control()->dr_intercepts = 0;
        g.control()->iopm = g.control()->msrpm = g.control()->n_cr3 = 0;
        g.control()->np_enable = 0;
        g.control()->lbr = 3;
        EXPECT_EQ(event_of(g, ~uint64_t{0}), 0xfdu);
        EXPECT_EQ(memcmp(g.control(), &before, offsetof(vmcb, exit_code)), 0);
        EXPECT_EQ(g.control()->n_cr3, before.n_cr3);
        EXPECT_EQ(g.control()->np_enable, 1u);
        EXPECT_EQ(g.control()->lbr, 0u);
        g.control()->vintr = 0x0100'000f; // a virtual interrupt that was not requested, no masking
        g.control()->ctrl[0] &= ~NOVA_SVM_CTRL0_VINTR;
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        EXPECT_EQ(g.control()->vintr, SVM_VINTR_MASKING | 0xf);
}

TEST(guest, a_domain_that_its_cpu_dropped_is_loaded_again_before_the_entry)
{
        Guest g;
        const unsigned entries = fake_guest_entries;
        ec *const before = cpu_self()->current;
        cpu_self()->current_pd = nullptr; // as reclaim_quiescent() leaves it
        g.control()->exit_code = 0x60;
        EXPECT_EQ(fake_run(finish_svm_exit, g.vcpu), g.vcpu);
        EXPECT_EQ(fake_guest_entries, entries);
        EXPECT_EQ(g.vcpu->cont, continuation_t(resume_guest));
        cpu_self()->current = before;
}

TEST(guest, an_event_that_an_own_exit_interrupted_is_delivered_again)
{
        Guest g;
        g.control()->exit_int_info = 0x1234'8000'0b0e;
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0x1234'8000'0b0eu);
        g.control()->exit_int_info = 0x7000'0b0e; // not valid
        EXPECT_EQ(event_of(g, 0x60), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0u);
}

void inject(Guest &g, uint32_t info, uint64_t ip)
{
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_INJ | NOVA_MTD_EIP;
        utcb.state.inj_info = info;
        utcb.state.ip = ip;
        vcpu_from_utcb(g.vcpu, &utcb);
}

TEST(guest, a_software_event_is_reported_if_it_was_injected_and_else_begins_again)
{
        Guest g;
        g.control()->exit_code = SVM_EXIT_NPF;
        for (const uint32_t event : {0x80000480u, 0x80000303u, 0x80000304u}) {
                g.control()->exit_int_info = event;
                g.control()->rip = 0x1000;
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0u);
                inject(g, event, 0x1000);
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), event);
                g.control()->rip = 0x1001; // the guest's own instruction, in its handler
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0u);
                g.control()->exit_code = NOVA_SVM_TASK_SWITCH; // a task switch is not repeated
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), event);
                g.control()->exit_code = SVM_EXIT_NPF;
                inject(g, 0x80000080, 0x1001);
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0u);
        }
        for (const uint32_t event : {0x80000080u, 0x80000202u, 0x80000301u, 0x80000b0du}) {
                g.control()->exit_int_info = event;
                EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), event);
        }
}

// QEMU's TCG delivers an injected interrupt only once if it is a software interrupt, or if an exit
// follows.
TEST(guest, an_injected_interrupt_arrives_once_on_an_emulated_cpu)
{
        Guest g;
        nova_utcb utcb = {};
        const unsigned before = fake_ipis;
        fake_emulated = true;
        ASSERT_TRUE(svm_ops.boot());
        inject(g, 0x80000080, 0x1000);
        fake_run(svm_ops.enter, g.vcpu);
        EXPECT_EQ(g.control()->event_inj, 0x80000480u);
        EXPECT_EQ(fake_ipis, before);

        g.vcpu->event_number = NOVA_SVM_INVALID_GUEST_STATE; // the CPU refused the entry
        svm_to_utcb(g.vcpu, &utcb, NOVA_MTD_INJ);
        EXPECT_EQ(utcb.state.inj_info, 0x80000080u);

        g.control()->exit_code = SVM_EXIT_NPF; // during the delivery of the interrupt
        g.control()->exit_int_info = 0x80000480;
        EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0x80000080u);
        g.control()->exit_int_info = 0x80000481; // a software interrupt of the handler itself
        EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0u);
        g.control()->exit_int_info = 0x80000480;
        g.control()->rip = 0x1001;
        EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0u);

        inject(g, 0x80000480, 0x1000); // a software interrupt from the VMM
        EXPECT_EQ(svm_interrupted_event(g.vcpu->vcpu), 0x80000480u);
        inject(g, 0x80000080, 0x1000);
        g.control()->cpl = 3; // a software interrupt would need a gate for programs
        fake_run(svm_ops.enter, g.vcpu);
        EXPECT_EQ(g.control()->event_inj, 0x80000080u);
        EXPECT_EQ(fake_ipis, before + 1);
        fake_emulated = false;
        ASSERT_TRUE(svm_ops.boot());
        g.control()->cpl = 0;
        inject(g, 0x80000080, 0x1000);
        fake_run(svm_ops.enter, g.vcpu);
        EXPECT_EQ(g.control()->event_inj, 0x80000080u);
        EXPECT_EQ(fake_ipis, before + 1);
}

// QEMU's TCG does not load the interrupt shadow of STI, so a window would open too early.
TEST(guest, a_window_waits_for_the_end_of_a_block_on_an_emulated_cpu)
{
        fake_tsc = uint64_t{1} << 40;
        for (const bool emulated : {true, false}) {
                Guest g;
                fake_emulated = emulated;
                ASSERT_TRUE(svm_ops.boot());
                inject(g, NOVA_INJ_WINDOW, 0x1000);
                g.control()->interrupt_shadow = 1;
                g.vcpu->cpu->timer_end = CPU_TIMER_OFF;
                fake_run(svm_ops.enter, g.vcpu);
                EXPECT_EQ(g.control()->vintr & SVM_VINTR_IRQ, emulated ? 0 : SVM_VINTR_IRQ);
                EXPECT_EQ(g.vcpu->cpu->timer_end, emulated ? fake_tsc + 1000000 : CPU_TIMER_OFF);
                g.vcpu->cpu->timer_end = fake_tsc + 7; // an earlier end stays
                fake_run(svm_ops.enter, g.vcpu);
                EXPECT_EQ(g.vcpu->cpu->timer_end, fake_tsc + 7);

                g.control()->interrupt_shadow = 0; // as after the next exit
                fake_run(svm_ops.enter, g.vcpu);
                EXPECT_EQ(g.control()->vintr & SVM_VINTR_IRQ, SVM_VINTR_IRQ);
        }
        fake_tsc = 0;
        fake_emulated = false;
        ASSERT_TRUE(svm_ops.boot());
}

TEST(guest, a_software_event_that_is_injected_pushes_IP_as_it_is)
{
        Guest g;
        g.control()->next_rip = 5;
        inject(g, 0x80000480, 0x1000);
        EXPECT_EQ(g.control()->next_rip, 5u); // the CPU has no such field
        cpu_features[WORD_SVM_EDX] |= 1u << FEATURE_NEXT_RIP % 32;
        inject(g, 0x80000080, 0x1000);
        EXPECT_EQ(g.control()->next_rip, 5u);
        inject(g, 0x80000480, 0x1000);
        EXPECT_EQ(g.control()->next_rip, 0x1000u);
        inject(g, 0x80000303, 0x1003);
        EXPECT_EQ(g.control()->next_rip, 0x1003u);
        cpu_features[WORD_SVM_EDX] &= ~(1u << FEATURE_NEXT_RIP % 32);
}

word_t reported_length(Guest &g, uint64_t code, uint64_t ip, uint64_t next)
{
        nova_utcb utcb = {};
        g.control()->exit_code = code;
        g.control()->rip = ip;
        g.control()->next_rip = code == NOVA_SVM_IO_ACCESS ? 0 : next;
        g.control()->exit_info[1] = next;
        svm_to_utcb(g.vcpu, &utcb, NOVA_MTD_EIP);
        return utcb.state.inst_len;
}

TEST(guest, an_instructions_length_is_reported_even_if_IP_wraps_after_it)
{
        Guest g;
        EXPECT_EQ(reported_length(g, NOVA_SVM_IO_ACCESS, 0x1000, 0x1002), 2u);
        EXPECT_EQ(reported_length(g, 0x72, 0x1000, 0x1002), 2u);
        EXPECT_EQ(reported_length(g, NOVA_SVM_IO_ACCESS, 0xffffffff, 1), 2u);
        EXPECT_EQ(reported_length(g, 0x72, 0x1000, 0x1010), 0u); // no instruction has sixteen bytes
        EXPECT_EQ(reported_length(g, 0x72, 0x1000, 0), 0u);
}

// As after SYSRET: SS keeps its previous attributes.
TEST(guest, the_privilege_level_is_the_dpl_of_ss)
{
        Guest g;
        nova_utcb utcb = {};
        g.control()->ss.ar = 0xc93;
        g.control()->cpl = 3;
        svm_to_utcb(g.vcpu, &utcb, NOVA_MTD_CS_SS);
        EXPECT_EQ(utcb.state.ss.ar, 0xcf3u);
        g.control()->cpl = 0;
        svm_from_utcb(g.vcpu, &utcb, NOVA_MTD_CS_SS);
        EXPECT_EQ(g.control()->cpl, 3u);
}

// As after SYSENTER from compatibility mode on QEMU.
TEST(guest, a_code_segment_has_either_l_or_d_after_an_exit)
{
        Guest g;
        fake_emulated = true;
        g.control()->efer = EFER_LMA;
        g.control()->cs.ar = 0xe9b;
        EXPECT_EQ(event_of(g, 0x78), 0x78u);
        EXPECT_EQ(g.control()->cs.ar, 0xa9b);
        g.control()->cs.ar = 0xc9b;
        EXPECT_EQ(event_of(g, 0x78), 0x78u);
        EXPECT_EQ(g.control()->cs.ar, 0xc9b);
        g.control()->cs.ar = 0xe9b; // the bit means nothing in this mode
        g.control()->efer = 0;
        EXPECT_EQ(event_of(g, 0x78), 0x78u);
        EXPECT_EQ(g.control()->cs.ar, 0xe9b);
        fake_emulated = false;
        g.control()->efer = EFER_LMA; // a CPU that is not emulated refuses this state itself
        EXPECT_EQ(event_of(g, 0x78), 0x78u);
        EXPECT_EQ(g.control()->cs.ar, 0xe9b);
}

TEST(guest, xcr0_is_set_or_refused)
{
        Guest g;
        g.control()->rip = 0x1000;
        g.vcpu->regs.ax = 7;
        g.vcpu->regs.cx = g.vcpu->regs.dx = 0;
        g.control()->rax = 7;
        EXPECT_EQ(event_of(g, 0x8d), ENTRY);
        EXPECT_EQ(g.vcpu->vcpu->xcr0, 7u);
        EXPECT_EQ(g.control()->rip, 0x1003u);
        g.control()->rax = 6;
        EXPECT_EQ(event_of(g, 0x8d), ENTRY);
        EXPECT_EQ(g.vcpu->vcpu->xcr0, 7u);
        EXPECT_EQ(g.control()->event_inj, 0x8000030du); // #GP, in real mode without error code
        g.control()->cr0 = 1;
        EXPECT_EQ(event_of(g, 0x8d), ENTRY);
        EXPECT_EQ(g.control()->event_inj, 0x80000b0du);
        g.control()->rax = 3;
        g.control()->cpl = 3;
        EXPECT_EQ(event_of(g, 0x8d), ENTRY);
        EXPECT_EQ(g.vcpu->vcpu->xcr0, 7u);
}

TEST(guest, a_single_step_over_an_emulated_instruction_is_reported)
{
        Guest g;
        g.control()->rip = 0x1000;
        g.control()->rax = 3;
        g.vcpu->regs.cx = g.vcpu->regs.dx = 0;
        g.control()->rflags = 0x10102; // RF, TF
        g.control()->interrupt_shadow = 1;
        g.control()->dr6 = 0xffff0ff0;
        EXPECT_EQ(event_of(g, 0x8d), ENTRY);
        EXPECT_EQ(g.control()->rip, 0x1003u);
        EXPECT_EQ(g.control()->event_inj, 0x80000301u); // #DB
        EXPECT_EQ(g.control()->dr6, 0xffff4ff0u);
        EXPECT_EQ(g.control()->rflags, 0x102u);
        EXPECT_EQ(g.control()->interrupt_shadow, 0u);
}

TEST(guest, tags_are_given_out_in_rounds)
{
        Guest g;
        cpu *self = cpu_self();
        cpu_virt *virt = cpu_virt_of(self);
        virt->tag_next = 1;
        virt->tag_end = 3;
        virt->tag_round = 1;
        virt->tag_flush = false;
        vcpu_take_tag(self, g.vcpu);
        EXPECT_EQ(g.vcpu->vcpu->tag, 1u);
        vcpu_take_tag(self, g.vcpu);
        EXPECT_EQ(g.vcpu->vcpu->tag, 1u); // nothing has changed
        g.domain->guest.generation++;
        vcpu_take_tag(self, g.vcpu);
        EXPECT_EQ(g.vcpu->vcpu->tag, 2u);
        EXPECT_FALSE(virt->tag_flush);
        vcpu_forget_translations(g.vcpu);
        vcpu_take_tag(self, g.vcpu);
        EXPECT_EQ(g.vcpu->vcpu->tag, 1u);
        EXPECT_EQ(virt->tag_round, 2u);
        EXPECT_TRUE(virt->tag_flush);
        // The refused entry flushed nothing.
        event_of(g, ~uint64_t{0});
        EXPECT_TRUE(virt->tag_flush);
        event_of(g, 0x78);
        EXPECT_FALSE(virt->tag_flush);
}

TEST(guest, rights_that_are_taken_away_cost_a_new_tag)
{
        Guest g;
        const auto tag = [&] {
                vcpu_take_tag(cpu_self(), g.vcpu);
                return g.vcpu->vcpu->tag;
        };
        cpu_virt *virt = cpu_virt_of(cpu_self());
        virt->tag_next = virt->tag_round = 1;
        virt->tag_end = 100;
        EXPECT_EQ(tag(), 1u);
        g.delegate(&kernel_pd, 0x10000, g.domain, 0x40000, 4, NOVA_CRD_MEM, NOVA_MEM_RWX,
                   MAPPING_GUEST);
        EXPECT_EQ(tag(), 1u); // a second flush is harmless
        g.revoke(g.domain, 0x40000, 0x40000, NOVA_CRD_MEM, NOVA_MEM_W, true);
        EXPECT_EQ(tag(), 2u);
        g.revoke(&kernel_pd, 0x10001, 0x10001, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
        EXPECT_EQ(tag(), 3u);
        g.delegate(&kernel_pd, 0x10008, g.domain, 0x40008, 1, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
        g.revoke(g.domain, 0x40008, 0x40008, NOVA_CRD_MEM, NOVA_MEM_RWX, true);
        EXPECT_EQ(tag(), 3u); // never the guest's
        g.revoke(g.domain, 0x40000, 0x40100, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_EQ(tag(), 4u);
}

TEST(guest, controls_that_protect_the_host_stay_on)
{
        Guest g;
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_CTRL;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(g.control()->ctrl[0], uint32_t{SVM_CTRL0_FORCED});
        EXPECT_EQ(g.control()->ctrl[1], uint32_t{SVM_CTRL1_FORCED});
        utcb.state.ctrl[0] = utcb.state.ctrl[1] = ~0u;
        vcpu_from_utcb(g.vcpu, &utcb);
        EXPECT_EQ(g.control()->ctrl[0], ~uint32_t{NOVA_SVM_CTRL0_VINTR});
        EXPECT_EQ(g.control()->ctrl[1], uint32_t{SVM_CTRL1_ALLOWED});
        EXPECT_TRUE(g.control()->efer & 0x1000);
}

TEST(guest, its_memory_is_all_pages_that_were_delegated_with_the_G_flag)
{
        Guest g;
        const auto entry = [&](word_t page) {
                const uint64_t *table = g.domain->guest.root;
                for (unsigned level = 3;; level--) {
                        const uint64_t e = table[page >> 9 * level & 511];
                        if (!e || !level || e & SECOND_LEVEL_LARGE)
                                return e;
                        table = static_cast<uint64_t *>(phys_to_pool(e & PTE_ADDRESS));
                }
        };
        g.delegate(&kernel_pd, 0x10000, g.domain, 0x40000, 0x200, NOVA_CRD_MEM, NOVA_MEM_RWX,
                   MAPPING_GUEST);
        g.delegate(&kernel_pd, 0x10400, g.domain, 0x50000, 1, NOVA_CRD_MEM, NOVA_MEM_R,
                   MAPPING_GUEST);
        g.delegate(&kernel_pd, 0x10800, g.domain, 0x60000, 1, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
        EXPECT_EQ(entry(0x40000), (uint64_t{0x10000} << 12 | SECOND_LEVEL_LARGE | PTE_PRESENT |
                                   PTE_USER | PTE_WRITE));
        EXPECT_EQ(entry(0x50000),
                  (uint64_t{0x10400} << 12 | PTE_PRESENT | PTE_USER | PTE_NOEXECUTE));
        EXPECT_EQ(entry(0x60000), 0u);

        const uint32_t before = g.domain->guest.generation;
        g.revoke(g.domain, 0x40010, 0x40010, NOVA_CRD_MEM, NOVA_MEM_W, true);
        EXPECT_NE(g.domain->guest.generation, before);
        EXPECT_EQ(entry(0x40010), (uint64_t{0x10010} << 12 | PTE_PRESENT | PTE_USER));
        EXPECT_EQ(entry(0x40011), (uint64_t{0x10011} << 12 | PTE_PRESENT | PTE_USER | PTE_WRITE));
        g.revoke(g.domain, 0x40000, 0x60000, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_EQ(entry(0x40011), 0u);
        EXPECT_EQ(frame_info(g.domain->guest.root)->used, 0u);
}

// The host may not access ports: an access ends the test.
TEST(guest, a_port_that_is_revoked_while_its_access_waits_for_the_lock_is_not_touched)
{
        constexpr unsigned PORT = 0x80;
        Guest g;
        std::vector<word_t> bitmap(PAGE_SIZE / sizeof(word_t), ~word_t(0));
        word_t *const was = g.domain->io.bitmap[0];
        word_t &word = bitmap[PORT / NOVA_WORD_BITS];
        spinlock &lock = space_lock[NOVA_CRD_IO];
        bool reached = true;

        word &= ~(word_t(1) << PORT % NOVA_WORD_BITS);
        g.domain->io.bitmap[0] = bitmap.data();
        spin_acquire(&lock); // as if another CPU revoked the port
        std::thread access([&] { reached = vcpu_access_port(g.vcpu, PORT, 1, true); });
        while (uint16_t(__atomic_load_n(&lock.next, __ATOMIC_SEQ_CST) - lock.serving) < 2)
                std::this_thread::yield();
        __atomic_store_n(&word, ~word_t(0), __ATOMIC_SEQ_CST);
        spin_release(&lock);
        access.join();
        EXPECT_FALSE(reached);
        g.domain->io.bitmap[0] = was;
}

} // namespace
