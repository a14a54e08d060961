// SPDX-License-Identifier: BSD-2-Clause
// Counts the points at which an operation may be disturbed, and wakes the boss at one of them.
#ifndef UNIT_KERNEL_POINTS_H
#define UNIT_KERNEL_POINTS_H

#include "points_cpu.h"

// With one CPU, the points are the places at which it lets interrupts in. With a second CPU, they
// are the waits for its flush, for its work on mail, or for the end of a grace period: mail may
// wake the boss meanwhile.
class Points
{
      public:
        // Counts from now on. The boss disturbs the point with this number.
        static void begin(Scene &s, OtherCpu *beside, unsigned number)
        {
                scene = &s;
                other = beside;
                disturbed = number;
                count = 0;
                rang = false;
                if (other)
                        fake_wait = count_wait;
                else
                        fake_window = count_point;
        }

        // Counts no longer. Returns true if the boss is running, to disturb the operation.
        static bool end()
        {
                fake_window = nullptr;
                fake_wait = other ? answer : nullptr;
                EXPECT_TRUE(!rang || cpu_self()->current == scene->boss);
                return rang;
        }

        // The CPU for which the kernel waits answers a flush, or is idle.
        static void answer()
        {
                if (fake_cpu)
                        OtherCpu::answer_by_first();
                else
                        other->answer();
        }

        // Answers for a CPU from its start on.
        static void answer_for(OtherCpu &beside)
        {
                other = &beside;
                fake_wait = answer;
        }

      private:
        static void count_point()
        {
                if (count++ == disturbed) {
                        rang = true;
                        scene->ring();
                }
        }

        static void count_wait()
        {
                if (!fake_cpu &&
                    (OtherCpu::is_asked() || OtherCpu::is_awaited() || OtherCpu::has_mail()))
                        count_point();
                answer();
        }

        static inline Scene *scene;
        static inline OtherCpu *other;
        static inline unsigned count, disturbed;
        static inline bool rang;
};

#endif
