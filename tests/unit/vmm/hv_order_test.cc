/* SPDX-License-Identifier: BSD-2-Clause */
/* All orders of the steps of two virtual CPUs: one sends messages, event flags and interrupts, the
 * other one takes them. The library's code is unchanged. It stops before each access to the
 * receiver's pages, and the receiver may run there. While the sender is in the monitor, it holds
 * the machine's lock, so the receiver cannot exit, but can access its memory. */
#include "hv_partition.h"

#include <algorithm>
#include <functional>

#include "interleave.h"

namespace
{

constexpr uint32_t end_msr = 0x40000070, assist = 0x40000073, control = 0x40000080,
                   events = 0x40000082, messages = 0x40000083, end_of_message = 0x40000084,
                   source = 0x40000090, timer_config = 0x400000b0, timer_count = 0x400000b1;
constexpr unsigned sint = 2, vector = 0x52, flag = 3;

/* Called before each access of the monitor to the receiver's pages. */
std::function<void()> between;

struct order : hv_partition {
        explorer ways;
        bool locked = false; /* the sender is in the monitor */

        nova_hv_message *slot()
        {
                uint8_t *const page = &frames[3 * frame_bytes];
                return reinterpret_cast<nova_hv_message *>(page) + sint;
        }

        uint8_t &flags()
        {
                return frames[4 * frame_bytes + sint * 256];
        }

        /* Begins a run. */
        void begin()
        {
                between = nullptr;
                frames.assign(frames.size(), 0);
                memory.overlays = 0;
                SetUp();
                set(control, 1);
                set(messages, 0x5001);
                set(events, 0x6001);
                set(source + sint, vector);
        }

        /* Runs the sender's actions, with steps of the receiver in between, then the receiver to
         * its end. @param can says whether the receiver can perform its next step now */
        void run(const std::vector<std::function<void()>> &script, const std::function<bool()> &can,
                 const std::function<void()> &step)
        {
                const auto rest = [&] {
                        while (can() && ways.choose(2))
                                step();
                };
                between = [&] {
                        if (locked)
                                rest();
                };
                for (const auto &action : script) {
                        rest();
                        locked = true;
                        action();
                        locked = false;
                }
                for (unsigned steps = 0; can(); steps++) {
                        ASSERT_LT(steps, 1000u);
                        step();
                }
                between = nullptr;
        }

        /* Returns true if the receiver can take an interrupt, which needs an exit. */
        bool can_take() const
        {
                return !locked && nova_lapic_pending(&lapic[0]);
        }
};

/* A receiver that works like Linux: at an interrupt it takes the message of the slot, frees the
 * slot, and then checks whether other messages wait. @c drains: it looks for another message before
 * it ends the interrupt. */
struct receiver {
        order &test;
        bool drains;
        enum { SLEEPS, LOOKS, READS, FREES, CHECKS, ENDS_MESSAGE, ENDS } next = SLEEPS;
        std::vector<uint64_t> got;

        bool can() const
        {
                if (next == SLEEPS)
                        return test.can_take();
                return !test.locked || (next != ENDS_MESSAGE && next != ENDS);
        }

        void step()
        {
                nova_hv_message *const slot = test.slot();

                switch (next) {
                case SLEEPS:
                        EXPECT_EQ(nova_lapic_take(&test.lapic[0]), int{vector});
                        next = LOOKS;
                        break;
                case LOOKS:
                        next = slot->type ? READS : ENDS;
                        break;
                case READS:
                        got.push_back(slot->type == NOVA_HV_MESSAGE_TIMER ? 99 : slot->data[0]);
                        next = FREES;
                        break;
                case FREES:
                        slot->type = 0;
                        next = CHECKS;
                        break;
                case CHECKS:
                        next = slot->flags & 1 ? ENDS_MESSAGE : drains ? LOOKS : ENDS;
                        break;
                case ENDS_MESSAGE:
                        EXPECT_TRUE(test.set(end_of_message, 0));
                        next = drains ? LOOKS : ENDS;
                        break;
                default:
                        nova_lapic_end(&test.lapic[0]);
                        next = SLEEPS;
                        break;
                }
        }
};

struct hv_order : order {
        std::function<void()> post(uint64_t word)
        {
                return [this, word] {
                        nova_hv_message message = {};
                        message.type = 1;
                        message.bytes = 8;
                        message.data[0] = word;
                        EXPECT_EQ(nova_hv_post_message(&hv, 0, sint, &message), NOVA_HV_SUCCESS);
                };
        }

        std::function<void()> expire()
        {
                return [this] {
                        clock.ns += 1000;
                        hv.alarm.expire(hv.alarm.device, clock.ns);
                };
        }

        /* Explores a script of actions that send @p sent. */
        void explore(const std::vector<std::function<void()>> &script, std::vector<uint64_t> sent,
                     bool drains, bool in_order)
        {
                do {
                        begin();
                        set(timer_config, sint << 16 | 1);
                        set(timer_count, nova_hv_time(&hv) + 1);
                        receiver guest = {*this, drains, receiver::SLEEPS, {}};
                        run(
                                script, [&] { return guest.can(); }, [&] { guest.step(); });
                        if (!in_order)
                                std::sort(guest.got.begin(), guest.got.end());
                        ASSERT_EQ(guest.got, sent);
                        ASSERT_EQ(slot()->type, 0u);
                        ASSERT_EQ(hv.vp[0].synic.queue[sint].count, 0u);
                        ASSERT_FALSE(hv.vp[0].timer[0].waits);
                } while (ways.next());
                EXPECT_GT(ways.runs, 100u);
                RecordProperty("runs", std::to_string(ways.runs));
        }
};

TEST_F(hv_order, no_order_loses_a_message_or_exchanges_two)
{
        explore({post(1), post(2), post(3)}, {1, 2, 3}, false, true);
}

TEST_F(hv_order, no_order_loses_a_message_of_a_receiver_that_looks_again)
{
        explore({post(1), post(2), post(3)}, {1, 2, 3}, true, true);
}

TEST_F(hv_order, no_order_loses_the_message_of_a_timer_between_others)
{
        explore({post(1), expire(), post(2)}, {1, 2, 99}, false, false);
}

/* At an interrupt the receiver reads and clears each of two flags of one byte. After each signal of
 * an event, the receiver sees the event's flag. It sees a flag at most once per signal. */
TEST_F(hv_order, no_order_loses_or_repeats_an_event)
{
        do {
                begin();
                unsigned next = 0, signals[2] = {}, seen_after[2] = {}, seen[2] = {};
                const auto can = [&] { return next == 0 ? can_take() : !locked || next < 3; };
                const auto step = [&] {
                        if (next == 0) {
                                EXPECT_EQ(nova_lapic_take(&lapic[0]), int{vector});
                        } else if (next == 3) {
                                nova_lapic_end(&lapic[0]);
                        } else if (flags() >> (flag + next - 1) & 1) { /* one instruction */
                                seen_after[next - 1] = signals[next - 1];
                                seen[next - 1]++;
                                flags() = uint8_t(flags() & ~(1u << (flag + next - 1)));
                        }
                        next = (next + 1) % 4;
                };
                const auto signal = [&](unsigned other) {
                        return [&, other] {
                                signals[other]++;
                                EXPECT_EQ(nova_hv_signal_event(&hv, 0, sint, flag + other),
                                          NOVA_HV_SUCCESS);
                        };
                };
                run({signal(0), signal(1), signal(0)}, can, step);
                for (unsigned i = 0; i < 2; i++) {
                        ASSERT_EQ(seen_after[i], signals[i]);
                        ASSERT_LE(seen[i], signals[i]);
                }
                ASSERT_EQ(flags(), 0u);
        } while (ways.next());
        EXPECT_GT(ways.runs, 20u);
}

/* A guest that ends interrupts in the assist page. Each exit is a step of its own: an exit that the
 * local APIC requests comes at any later time, and the guest may execute instructions before it. */
struct assist_order : order {
        std::vector<int> nested, taken; /* handlers that run; all vectors that were taken */
        unsigned stage = 0;
        bool kicked = false, nests = true;
        unsigned exits = 0;

        uint8_t &word()
        {
                return frames[2 * frame_bytes];
        }

        void start()
        {
                begin();
                nested.clear();
                taken.clear();
                stage = 0;
                kicked = false;
                lapic[0].out = {
                        [](void *context, unsigned, bool) { *static_cast<bool *>(context) = true; },
                        &kicked, 0};
                ASSERT_TRUE(set(assist, 0x4001));
        }

        /* Makes an exit. With @p writes, the guest writes the end-of-interrupt register. */
        void pass(bool writes)
        {
                exits++;
                kicked = false;
                nova_hv_assist_begin(&hv, 0);
                if (writes) {
                        EXPECT_TRUE(set(end_msr, 0));
                }
                const int next = nests || nested.empty() ? nova_lapic_take(&lapic[0]) : -1;
                nova_hv_assist_end(&hv, 0);
                if (next < 0)
                        return;
                for (const int running : nested)
                        EXPECT_LT(running >> 4, next >> 4);
                nested.push_back(next);
                taken.push_back(next);
        }

        /* Does a step of the handler that runs: it exchanges the assist word with 0, and if the bit
         * was not set it writes the register. */
        bool handle()
        {
                if (nested.empty())
                        return false;
                if (!stage) {
                        const bool ended = word() & 1;
                        word() = 0;
                        if (ended)
                                nested.pop_back();
                        else
                                stage = 1;
                } else {
                        stage = 0;
                        nested.pop_back();
                        pass(true);
                }
                return true;
        }

        /* Does a step of the guest. Another handler may run between the exchange and the write; the
         * end of this other handler comes first. */
        bool step(bool chooses)
        {
                const bool can_exit =
                        kicked || (!nests && nested.empty() && nova_lapic_pending(&lapic[0]));
                if (can_exit && (!chooses || nested.empty() || ways.choose(2))) {
                        const unsigned before = unsigned(nested.size());
                        const unsigned interrupted = stage;
                        stage = 0;
                        pass(false);
                        if (nested.size() == before)
                                stage = interrupted;
                        else if (interrupted)
                                resumed.push_back(before);
                        return true;
                }
                if (!handle())
                        return false;
                if (!resumed.empty() && !stage && nested.size() == resumed.back()) {
                        resumed.pop_back();
                        stage = 1;
                }
                return true;
        }

        std::vector<size_t> resumed; /* depths of handlers interrupted before the write */

        /* Explores each order in which the vectors can arrive. The caller passes them in ascending
         * order. */
        void explore(std::vector<uint8_t> vectors)
        {
                do
                        arrive(vectors);
                while (std::next_permutation(vectors.begin(), vectors.end()));
                EXPECT_GT(ways.runs, 100u);
                EXPECT_GT(quiet, 0u);
                EXPECT_GT(loud, 0u);
        }

        void arrive(const std::vector<uint8_t> &vectors)
        {
                std::vector<int> all(vectors.begin(), vectors.end());
                std::sort(all.begin(), all.end());
                do {
                        start();
                        for (const uint8_t next : vectors) {
                                while (ways.choose(2) && step(true))
                                        ;
                                nova_lapic_accept(&lapic[0], next, false);
                        }
                        for (unsigned rest = 0; step(true); rest++)
                                ASSERT_LT(rest, 1000u);
                        pass(false); /* any exit lets the monitor read the last end */
                        std::sort(taken.begin(), taken.end());
                        ASSERT_EQ(taken, all);
                        for (const uint32_t set : lapic[0].service)
                                ASSERT_EQ(set, 0u);
                        quiet += hv.vp[0].quiet_ends;
                        loud += hv.vp[0].ends;
                } while (ways.next());
        }

        uint64_t quiet = 0, loud = 0;
};

TEST_F(assist_order, no_order_loses_an_interrupt_of_a_handler_that_can_be_interrupted)
{
        explore({0x31, 0x41, 0x51});
}

TEST_F(assist_order, no_order_loses_an_interrupt_of_a_handler_that_cannot)
{
        nests = false;
        explore({0x31, 0x41, 0x51});
}

TEST_F(assist_order, vectors_of_one_class_do_not_interrupt_each_other)
{
        explore({0x41, 0x42, 0x43});
}

} // namespace

extern "C" void hv_order_step(void);
void hv_order_step(void)
{
        if (between)
                between();
}

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
