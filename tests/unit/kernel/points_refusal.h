// SPDX-License-Identifier: BSD-2-Clause
// Refusals of memory for an operation that is disturbed at a point.
#ifndef UNIT_KERNEL_POINTS_REFUSAL_H
#define UNIT_KERNEL_POINTS_REFUSAL_H

#include <algorithm>

#include "points.h"

// Makes the kernel free memory soon: one object is dying, and another one waits until all CPUs have
// been quiescent.
inline void free_something()
{
        for (const bool reaped : {true, false}) {
                sm *ended = nullptr;
                ASSERT_EQ(sm_create(&account_root, 0, &ended), NOVA_SUCCESS);
                object_put(&ended->object);
                if (reaped)
                        object_reap();
        }
}

// Whether an operation was disturbed, and the number of its allocations.
struct Outcome {
        bool rang;
        long allocations;
};

// A refusal of memory: of one allocation, or of one allocation and all later ones.
struct Refusal {
        long number; // of the first refused allocation; < 0: none is refused
        bool rest;   // refuses all later allocations, too

        // Begins the refusal after a number of the operation's allocations.
        void begin(long done) const
        {
                const long left = number - done;
                if (number >= 0 && rest)
                        fake_fail_allocations_from(std::max(left, 0l));
                else
                        fake_fail_allocation(left);
        }

        // Returns true if memory was still missing when the operation ended.
        bool lasts(const Outcome &outcome) const
        {
                return rest && number >= 0 && outcome.allocations > number;
        }
};

// Begins the client's operation, and counts its points until it ends or is disturbed. elsewhere:
// the other CPU's work at a point, or NULL if the boss disturbs a window or a wait.
inline Outcome begin_refused(Scene &s, const Refusal &refusal, OtherCpu *other, unsigned point,
                             const std::function<void()> *elsewhere = nullptr)
{
        refusal.begin(0);
        if (elsewhere)
                Points::begin_all(s, other, point, *elsewhere);
        else
                Points::begin(s, other, point);
        s.sleep_boss();
        const Outcome outcome = {Points::end(), fake_allocations()};
        fake_fail_allocation(-1);
        return outcome;
}

// Continues the operation after a disturbance, until a thread is in user mode.
inline void continue_refused(Scene &s, const Refusal &refusal, Outcome &outcome)
{
        refusal.begin(outcome.allocations);
        s.sleep_boss();
        outcome.allocations += fake_allocations();
        fake_fail_allocation(-1);
}

// Lets the boss run, the other CPU do all its remaining work, and the kernel free memory.
inline void settle_refused(Scene &s, OtherCpu *other)
{
        fake_window = nullptr;
        s.wake_boss();
        if (other) {
                other->finish();
                other->leave();
        }
        fake_settle();
}

// Disturbs an operation at each point, first with memory for all its allocations, then without
// memory for one allocation after the other. The function `one` does this for one point and one
// refusal. Returns the number of disturbances.
template <typename One> unsigned refuse_each(const One &one, bool rest)
{
        unsigned disturbed = 0;
        long most = 0;

        for (long number = -1; number <= most; number++)
                for (unsigned point = 0;; point++) {
                        const Outcome outcome = one(point, Refusal{number, rest});
                        if (number < 0)
                                most = std::max(most, outcome.allocations);
                        if (testing::Test::HasFailure()) {
                                ADD_FAILURE() << "allocation " << number << ", point " << point;
                                return disturbed;
                        }
                        if (!outcome.rang)
                                break;
                        disturbed++;
                }
        return disturbed;
}

#endif
