// SPDX-License-Identifier: BSD-2-Clause
// Counts the points at which an operation may be disturbed, and wakes the boss at one of them.
#ifndef UNIT_KERNEL_POINTS_H
#define UNIT_KERNEL_POINTS_H

#include "points_cpu.h"

// With one CPU, the points are the places at which this CPU lets interrupts in. With a second CPU,
// they are the waits for the second CPU's flush, for its work on mail, or for the end of a grace
// period: during these waits mail may wake the boss. A test may count both kinds.
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
                event = nullptr;
                if (other)
                        fake_wait = count_wait;
                else
                        fake_window = count_point;
        }

        // Does the same, but counts windows and waits. If elsewhere is not empty, the boss sleeps,
        // and the other CPU calls elsewhere at the point.
        static void begin_all(Scene &s, OtherCpu *beside, unsigned number,
                              const std::function<void()> &elsewhere)
        {
                begin(s, beside, number);
                fake_window = count_point;
                event = elsewhere;
        }

        // Stops counting. Returns true if the operation had the point. If there was no event, the
        // boss is running, to disturb the operation.
        static bool end()
        {
                fake_window = nullptr;
                fake_wait = other ? answer : nullptr;
                EXPECT_FALSE(other && OtherCpu::is_asked()) << "no wait for the end of a flush";
                EXPECT_TRUE(!rang || event || cpu_self()->current == scene->boss);
                return rang;
        }

        // Lets the CPU for which the kernel waits answer.
        static void answer()
        {
                if (fake_cpu)
                        OtherCpu::answer_by_first();
                else if (passed++ >= late)
                        answer_now();
        }

        // Begins to answer for a CPU. The CPU lets a number of waits pass before each answer.
        static void answer_for(OtherCpu &beside, unsigned waits = 0)
        {
                other = &beside;
                late = waits;
                passed = 0;
                fake_wait = answer;
        }

      private:
        static void answer_now()
        {
                passed = 0;
                other->answer();
        }

        static void count_point()
        {
                if (fake_cpu || count++ != disturbed)
                        return;
                rang = true;
                if (!event) {
                        scene->ring();
                        return;
                }
                const OnCpu there(1);
                event();
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
        // Number of waits before an answer: in total, and so far.
        static inline unsigned late, passed;
        static inline std::function<void()> event;
        static inline bool rang;
};

#endif
