// SPDX-License-Identifier: BSD-2-Clause
// Stolen time: other threads run while a virtual CPU is ready to enter its guest.
#include <gtest/gtest.h>

#include "guest.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "arch/x86/resume.h"
#include "nova/abi/event.h"
#include "sched/cpu.h"
}

namespace
{

// Resumes the virtual CPU at a time, with work pending.
void resume_at(Guest &g, uint64_t time, unsigned cpu_work, unsigned own_work)
{
        fake_tsc = time;
        cpu_self()->pending = static_cast<uint8_t>(cpu_work);
        g.vcpu->pending = static_cast<uint16_t>(own_work);
        g.vcpu->state = EC_READY;
        fake_run(resume_guest, g.vcpu);
}

// Returns the time that was set back at an entry.
uint64_t stolen_at(Guest &g, uint64_t time)
{
        g.control()->tsc_offset = 0;
        resume_at(g, time, 0, 0);
        return -g.control()->tsc_offset;
}

TEST(stolen_time, is_that_of_all_preemptions_before_its_entry)
{
        Guest g;
        resume_at(g, 1000, CPU_PENDING_RESCHEDULE, 0);
        EXPECT_EQ(stolen_at(g, 1300), 300u);
        resume_at(g, 2000, CPU_PENDING_RESCHEDULE, 0);
        resume_at(g, 2100, CPU_PENDING_RESCHEDULE, 0);
        EXPECT_EQ(stolen_at(g, 2150), 150u);
        EXPECT_EQ(stolen_at(g, 2200), 0u);
        fake_tsc = 0;
}

// The virtual CPU answers a grace period before its entry, and this frees memory. Meanwhile mail
// comes, which makes a more urgent thread ready.
TEST(stolen_time, is_also_that_of_a_preemption_that_arises_while_memory_is_freed)
{
        Guest g;
        for (const bool preempted : {true, false}) {
                fake_settle();
                fake_tsc = 1000;
                reclaim_frame(frame_alloc());
                fake_tsc += uint64_t{5} * tsc_khz;
                reclaim_timer(cpu_self());
                if (preempted)
                        fake_freed = [] {
                                fake_tsc += 10;
                                cpu_self()->pending |= CPU_PENDING_RESCHEDULE;
                        };
                const uint64_t begin = fake_tsc;
                resume_at(g, begin, CPU_PENDING_GRACE, 0);
                EXPECT_EQ(fake_tsc != begin, preempted);
                fake_freed = nullptr;
                EXPECT_EQ(stolen_at(g, begin + 300), preempted ? 300u : 0u);
        }
        fake_tsc = 0;
}

TEST(stolen_time, leaves_out_the_time_of_its_vmm)
{
        Guest g;
        resume_at(g, 1000, CPU_PENDING_RESCHEDULE, 0);
        resume_at(g, 1200, 0, EC_PENDING_RECALL);
        EXPECT_EQ(g.vcpu->event_number, unsigned{NOVA_VMI_RECALL});
        EXPECT_EQ(stolen_at(g, 9000), 200u);
        resume_at(g, 10000, CPU_PENDING_RESCHEDULE, 0);
        g.vcpu->vcpu->refused = true;
        resume_at(g, 10300, 0, 0);
        EXPECT_EQ(stolen_at(g, 20000), 300u);
        fake_tsc = 0;
}

} // namespace
