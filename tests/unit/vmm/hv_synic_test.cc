/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic interrupt controller of enlightened guests: registers, messages, event flags. */
#include "synic.h"

#include <deque>
#include <random>

namespace
{

struct hv_synic : synic {
};

TEST_F(hv_synic, registers_begin_disabled_with_masked_sources)
{
        for (unsigned vcpu = 0; vcpu < vcpus; vcpu++) {
                EXPECT_EQ(get(control, vcpu), 0u);
                EXPECT_EQ(get(version, vcpu), 1u);
                EXPECT_EQ(get(event_page, vcpu), 0u);
                EXPECT_EQ(get(message_page, vcpu), 0u);
                EXPECT_EQ(get(end_msr, vcpu), 0u);
                for (unsigned i = 0; i < NOVA_HV_SOURCES; i++)
                        EXPECT_EQ(get(source0 + i, vcpu), masked);
        }
}

TEST_F(hv_synic, the_version_is_read_only_and_gaps_do_not_exist)
{
        uint64_t value;

        EXPECT_FALSE(set(version, 1));
        for (uint32_t number = end_msr + 1; number < source0; number++) {
                EXPECT_FALSE(nova_hv_msr_get(&hv, 0, number, &value));
                EXPECT_FALSE(set(number, 0));
        }
}

TEST_F(hv_synic, reserved_bits_read_as_0)
{
        EXPECT_TRUE(set(control, ~uint64_t{0}));
        EXPECT_EQ(get(control), enable);
        EXPECT_TRUE(set(message_page, 0x9ffe | enable));
        EXPECT_EQ(get(message_page), 0x9000 | enable);
        EXPECT_TRUE(set(event_page, 0x8ffe));
        EXPECT_EQ(get(event_page), 0x8000u);
        EXPECT_TRUE(set(source0 + 3, ~uint64_t{0}));
        EXPECT_EQ(get(source0 + 3), 0xff | masked | automatic | polling);
        EXPECT_EQ(get(source0 + 2), masked);
        EXPECT_EQ(get(source0 + 3, 1), masked);
}

TEST_F(hv_synic, vectors_below_16_are_refused_unless_they_cause_no_interrupt)
{
        for (uint64_t vector = 0; vector < 256; vector++) {
                EXPECT_EQ(set(source0 + 15, vector), vector >= 16) << vector;
                EXPECT_EQ(set(source0 + 15, vector | automatic), vector >= 16);
                EXPECT_TRUE(set(source0 + 15, vector | masked));
                EXPECT_TRUE(set(source0 + 15, vector | polling));
        }
        EXPECT_EQ(get(source0 + 15), 0xff | polling);
}

TEST_F(hv_synic, pages_cover_ram_and_pages_outside_of_ram_are_refused)
{
        begin(2, 0x52);
        EXPECT_EQ(memory.overlays, 2u);
        EXPECT_EQ(nova_overlay_find(&memory, 0x9000)->rights, 3u);
        EXPECT_EQ(nova_overlay_find(&memory, 0x8000)->rights, 3u);
        EXPECT_FALSE(set(message_page, 0x20000 | enable));
        EXPECT_FALSE(set(event_page, 0xfee00000 | enable));
        EXPECT_EQ(get(message_page), 0x9000 | enable);
        EXPECT_TRUE(set(message_page, 0));
        EXPECT_TRUE(set(event_page, 0));
        EXPECT_EQ(memory.overlays, 0u);
}

TEST_F(hv_synic, a_message_is_in_its_slot_and_raises_its_vector)
{
        for (unsigned sint = 0; sint < NOVA_HV_SOURCES; sint++) {
                begin(sint, 0x50 + sint, 1);
                ASSERT_EQ(post(sint, 100 + sint, 1), unsigned{NOVA_HV_SUCCESS});
                EXPECT_EQ(take(1), int(0x50 + sint));
                EXPECT_EQ(slot(sint, 1)->type, 100 + sint);
                EXPECT_EQ(slot(sint, 1)->bytes, 8u);
                EXPECT_EQ(slot(sint, 1)->flags, 0u);
                EXPECT_EQ(slot(sint, 1)->from, 7u);
                EXPECT_EQ(slot(sint, 1)->data[0], 3u * (100 + sint));
                EXPECT_EQ(slot(sint, 0)->type, 0u);
        }
        EXPECT_EQ(take(0), -1);
}

TEST_F(hv_synic, messages_for_a_slot_that_is_taken_wait_for_the_end_of_a_message)
{
        begin(2, 0x52);
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(slot(2)->flags, 0u);
        EXPECT_EQ(post(2, 2), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(slot(2)->flags, 1u);
        EXPECT_EQ(post(2, 3), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(post(2, 4), unsigned{NOVA_HV_INSUFFICIENT_BUFFERS});
        EXPECT_EQ(take(), 0x52);
        EXPECT_TRUE(set(end_msr, 0)); /* the slot is still taken */
        EXPECT_EQ(take(), -1);
        EXPECT_EQ(receive(2), 1u);
        EXPECT_EQ(take(), 0x52);
        EXPECT_EQ(slot(2)->flags, 1u);
        EXPECT_EQ(receive(2), 2u);
        EXPECT_EQ(slot(2)->flags, 0u);
        EXPECT_EQ(receive(2), 3u);
        EXPECT_EQ(receive(2), 0u);
}

TEST_F(hv_synic, a_message_that_waits_is_sent_by_the_end_only)
{
        begin(2, 0x52);
        post(2, 1);
        post(2, 2);
        slot(2)->type = 0; /* without the end of message */
        EXPECT_EQ(post(2, 3), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(slot(2)->type, 0u);
        EXPECT_TRUE(set(end_msr, 0x1234, 1)); /* by another virtual processor */
        EXPECT_EQ(slot(2)->type, 0u);
        EXPECT_TRUE(set(end_msr, ~uint64_t{0}));
        EXPECT_EQ(slot(2)->type, 2u);
}

TEST_F(hv_synic, a_slot_that_is_taken_holds_back_its_own_source_only)
{
        begin(2, 0x52);
        begin(3, 0x63);
        post(2, 1);
        post(2, 2);
        EXPECT_EQ(post(3, 9), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(receive(3), 9u);
        EXPECT_EQ(slot(2)->type, 1u);
}

TEST_F(hv_synic, the_state_of_controller_page_and_source_decides_over_messages)
{
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_INVALID_SYNIC_STATE});
        begin(2, 0x52);
        EXPECT_EQ(post(2, 1, vcpus), unsigned{NOVA_HV_INVALID_VP_INDEX});
        EXPECT_EQ(post(16, 1), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(post(2, 0), unsigned{NOVA_HV_INVALID_PARAMETER});
        nova_hv_message long_one = message_of(1, 241);
        EXPECT_EQ(nova_hv_post_message(&hv, 0, 2, &long_one), NOVA_HV_INVALID_PARAMETER);
        long_one.bytes = 240;
        EXPECT_EQ(nova_hv_post_message(&hv, 0, 2, &long_one), NOVA_HV_SUCCESS);
        EXPECT_EQ(receive(2), 1u);
        set(control, 0);
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_INVALID_SYNIC_STATE});
        set(control, enable);
        set(message_page, 0x9000);
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_INVALID_SYNIC_STATE});
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, 0), NOVA_HV_SUCCESS);
        set(message_page, 0x9000 | enable);
        set(source0 + 2, 0x52 | masked);
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_INVALID_SYNIC_STATE});
        EXPECT_EQ(slot(2)->type, 0u);
}

TEST_F(hv_synic, messages_that_wait_for_a_masked_source_are_sent_when_it_is_unmasked)
{
        begin(2, 0x52);
        post(2, 1);
        post(2, 2);
        take();
        set(source0 + 2, 0x52 | masked);
        slot(2)->type = 0;
        set(end_msr, 0);
        EXPECT_EQ(slot(2)->type, 0u);
        set(source0 + 2, 0x53);
        EXPECT_EQ(slot(2)->type, 2u);
        EXPECT_EQ(take(), 0x53);
}

TEST_F(hv_synic, a_source_that_is_polled_raises_no_interrupt)
{
        begin(2, 0x52 | polling);
        EXPECT_EQ(post(2, 1), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, 5), NOVA_HV_SUCCESS);
        EXPECT_EQ(slot(2)->type, 1u);
        EXPECT_EQ(flags(2)[0], 0x20);
        EXPECT_EQ(take(), -1);
}

TEST_F(hv_synic, an_event_raises_an_interrupt_if_its_flag_was_clear)
{
        begin(2, 0x52);
        for (const unsigned flag : {0u, 1u, 7u, 8u, 2047u}) {
                EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, flag), NOVA_HV_SUCCESS);
                EXPECT_EQ(take(), 0x52);
                EXPECT_TRUE(flags(2)[flag / 8] >> flag % 8 & 1);
                EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, flag), NOVA_HV_SUCCESS);
                EXPECT_EQ(take(), -1);
        }
        EXPECT_EQ(flags(2)[0], 0x83);
        EXPECT_EQ(flags(2)[255], 0x80);
        EXPECT_EQ(flags(3)[0], 0u);
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, 2048), NOVA_HV_INVALID_PARAMETER);
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 16, 0), NOVA_HV_INVALID_PARAMETER);
        EXPECT_EQ(nova_hv_signal_event(&hv, 2, 2, 0), NOVA_HV_INVALID_VP_INDEX);
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 3, 0), NOVA_HV_INVALID_SYNIC_STATE);
        set(event_page, 0x8000);
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, 9), NOVA_HV_INVALID_SYNIC_STATE);
        set(event_page, 0x8000 | enable);
        set(control, 0);
        EXPECT_EQ(nova_hv_signal_event(&hv, 0, 2, 9), NOVA_HV_INVALID_SYNIC_STATE);
}

TEST_F(hv_synic, interrupts_of_automatic_sources_end_when_they_are_taken)
{
        begin(2, 0x52 | automatic);
        begin(3, 0x53);
        post(2, 1);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x52);
        post(3, 1);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x53);
        nova_lapic_accept(&lapic[0], 0x52, false);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), -1); /* 0x53 is in service */
        nova_lapic_end(&lapic[0]);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x52);
        nova_lapic_reset(&lapic[0]); /* the vector stays automatic, like its source */
        nova_lapic_write(&lapic[0], 0xf0, 4, 0x1ff);
        nova_lapic_accept(&lapic[0], 0x52, false);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x52);
        nova_lapic_accept(&lapic[0], 0x51, false);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x51);
        nova_lapic_end(&lapic[0]);
        set(source0 + 2, 0x52 | automatic | masked);
        nova_lapic_accept(&lapic[0], 0x52, false);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), 0x52);
        nova_lapic_accept(&lapic[0], 0x51, false);
        EXPECT_EQ(nova_lapic_take(&lapic[0]), -1);
}

/* State of a source: the model of the next test. */
struct model_source {
        uint64_t value = masked;
        std::deque<uint32_t> slot, queue; /* the slot has at most one message */
        bool told = false;
};

TEST_F(hv_synic, random_messages_arrive_once_and_in_order_as_in_a_model)
{
        std::mt19937_64 random(84);
        model_source model[NOVA_HV_SOURCES];
        bool on = false, page = false;
        uint32_t next = 1;
        uint64_t received = 0, refused = 0;

        const auto retry = [&] {
                for (auto &source : model) {
                        if (!on || !page || source.value & masked || source.queue.empty())
                                continue;
                        if (!source.slot.empty()) {
                                source.told = true;
                                continue;
                        }
                        source.slot.push_back(source.queue.front());
                        source.queue.pop_front();
                        source.told = !source.queue.empty();
                }
        };
        for (unsigned step = 0; step < 100000; step++) {
                const unsigned sint = random() % NOVA_HV_SOURCES;
                model_source &source = model[sint];

                switch (random() % 16) {
                case 0:
                        on = random() % 8;
                        ASSERT_TRUE(set(control, on));
                        retry();
                        break;
                case 1:
                        page = random() % 8;
                        ASSERT_TRUE(set(message_page, 0x9000 | page));
                        retry();
                        break;
                case 2: {
                        const uint64_t value = random() % 256 | (random() % 8 ? 0 : masked) |
                                               (random() % 8 ? 0 : polling);
                        const bool valid = value & (masked | polling) || value >= 16;
                        ASSERT_EQ(set(source0 + sint, value), valid);
                        if (valid) {
                                source.value = value;
                                retry();
                        }
                        break;
                }
                case 3:
                case 4:
                        ASSERT_TRUE(set(end_msr, random()));
                        retry();
                        break;
                case 5:
                case 6:
                case 7:
                case 8: { /* the guest takes a message, and usually writes the end of message */
                        ASSERT_EQ(slot(sint)->type, source.slot.empty() ? 0 : source.slot[0]);
                        if (source.slot.empty())
                                break;
                        ASSERT_EQ(slot(sint)->flags & 1, source.told ? 1 : 0);
                        slot(sint)->type = 0;
                        source.slot.clear();
                        received++;
                        if (source.told && random() % 8) {
                                ASSERT_TRUE(set(end_msr, 0));
                                retry();
                        }
                        break;
                }
                default: {
                        const unsigned status = post(sint, next);
                        const bool off = !on || !page || source.value & masked;
                        const bool full = source.queue.size() == NOVA_HV_QUEUE;

                        ASSERT_EQ(status, off    ? unsigned{NOVA_HV_INVALID_SYNIC_STATE}
                                          : full ? unsigned{NOVA_HV_INSUFFICIENT_BUFFERS}
                                                 : unsigned{NOVA_HV_SUCCESS});
                        refused += off || full;
                        if (!off && !full) {
                                const bool alone = source.queue.empty();
                                source.queue.push_back(next++);
                                if (alone && source.slot.empty()) {
                                        source.slot.swap(source.queue);
                                        source.told = false;
                                } else if (alone) {
                                        source.told = true;
                                }
                        }
                        break;
                }
                }
                while (take() >= 0)
                        continue;
        }
        EXPECT_GT(received, 5000u);
        EXPECT_GT(refused, 5000u);
}

} // namespace
