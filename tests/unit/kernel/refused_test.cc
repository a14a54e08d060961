// SPDX-License-Identifier: BSD-2-Clause
// State of a guest that the kernel refuses although the CPU would accept it.
#include <gtest/gtest.h>

#include "guest.h"

namespace
{

// A VMM that answers the event without a new EFER gets the event again.
TEST(refused, bit_of_EFER_stays_so_until_a_message_removes_it)
{
        Guest g;
        nova_utcb utcb = {};
        utcb.state.mtd = NOVA_MTD_MSR;
        for (const uint64_t efer : {uint64_t{0x2000}, uint64_t{0}}) { // LMSLE
                utcb.event.more.efer = efer;
                vcpu_from_utcb(g.vcpu, &utcb);
                for (unsigned i = 0; i < 3; i++) {
                        const unsigned entries = fake_guest_entries;
                        g.vcpu->state = EC_READY;
                        g.vcpu->event_number = 0;
                        fake_run(resume_guest, g.vcpu);
                        EXPECT_EQ(g.vcpu->event_number, efer ? 0xfdu : 0u);
                        EXPECT_EQ(fake_guest_entries - entries, efer ? 0u : 1u);
                }
        }
}

} // namespace
