// SPDX-License-Identifier: BSD-2-Clause
// Compares run queues with a model: one list per priority.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>

extern "C" {
#include "object/sc.h"
#include "sched/run_queue.h"
}

namespace
{

TEST(run_queue, gives_the_first_of_the_highest_priority)
{
        run_queue queue = {};
        std::vector<sc> scs(100);
        std::map<unsigned, std::list<sc *>> model;
        std::map<sc *, bool> queued;
        std::mt19937 random(1);

        EXPECT_EQ(run_queue_take(&queue), nullptr);
        for (unsigned i = 0; i < 20000; i++) {
                sc *one = &scs[random() % scs.size()];
                if (queued[one]) {
                        run_queue_remove(&queue, one);
                        model[one->prio].remove(one);
                } else {
                        const bool head = random() % 2;
                        one->prio = static_cast<uint8_t>(random() % (random() % 2 ? 256 : 3));
                        const auto highest =
                                std::find_if(model.rbegin(), model.rend(),
                                             [](auto &entry) { return !entry.second.empty(); });
                        if (head && !queue.first &&
                            (highest == model.rend() || highest->first <= one->prio))
                                queue.first = one;
                        else
                                run_queue_insert(&queue, one, head);
                        auto &ring = model[one->prio];
                        ring.insert(head ? ring.begin() : ring.end(), one);
                }
                queued[one] = !queued[one];
                sc *expected = nullptr;
                for (auto &[prio, ring] : model)
                        if (!ring.empty())
                                expected = ring.front();
                ASSERT_EQ(run_queue_take(&queue), expected);
                if (expected)
                        run_queue_insert(&queue, expected, true);
        }
}

TEST(run_queue, goes_round_within_a_priority)
{
        run_queue queue = {};
        sc scs[4] = {};
        for (sc &one : scs) {
                one.prio = 255;
                run_queue_insert(&queue, &one, false);
        }
        for (unsigned i = 0; i < 12; i++) {
                sc *one = run_queue_take(&queue);
                EXPECT_EQ(one, &scs[i % 4]);
                run_queue_insert(&queue, one, false);
        }
}

} // namespace
