/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition with two virtual processors for tests of the synthetic interrupt controller. */
#ifndef NOVA_TESTS_UNIT_VMM_SYNIC_H
#define NOVA_TESTS_UNIT_VMM_SYNIC_H

#include "novavmm/hv.h"

#include <cstring>

#include "hv_partition.h"

constexpr uint64_t in_at = 0x3000, enable = 1;
constexpr uint32_t control = 0x40000080, version = 0x40000081, event_page = 0x40000082,
                   message_page = 0x40000083, end_msr = 0x40000084, source0 = 0x40000090,
                   timer_config = 0x400000b0, timer_count = 0x400000b1;
constexpr uint64_t masked = 0x10000, automatic = 0x20000, polling = 0x40000;
constexpr uint16_t post_call = 0x5c, signal_call = 0x5d;

constexpr uint64_t timer_to(uint64_t sint)
{
        return sint << 16;
}

inline nova_hv_port messages_to(uint32_t connection, unsigned vcpu, unsigned sint)
{
        nova_hv_port port = {};
        port.connection = connection;
        port.vcpu = vcpu;
        port.sint = sint;
        return port;
}

inline nova_hv_port events_to(uint32_t connection, unsigned vcpu, unsigned sint, unsigned flag,
                              unsigned flags)
{
        nova_hv_port port = messages_to(connection, vcpu, sint);
        port.events = true;
        port.flag = flag;
        port.flags = flags;
        return port;
}

inline nova_hv_message message_of(uint32_t type, uint8_t bytes)
{
        nova_hv_message message = {};
        message.type = type;
        message.bytes = bytes;
        message.from = 7;
        return message;
}

struct synic : hv_partition {
        void SetUp() override
        {
                hv_partition::SetUp();
                hv.enabled = true;
        }

        /* Sets up both pages and a source. */
        void begin(unsigned sint, uint64_t vector, unsigned vcpu = 0)
        {
                ASSERT_TRUE(set(event_page, (0x8000 + 0x4000 * vcpu) | enable, vcpu));
                ASSERT_TRUE(set(message_page, (0x9000 + 0x4000 * vcpu) | enable, vcpu));
                ASSERT_TRUE(set(source0 + sint, vector, vcpu));
                ASSERT_TRUE(set(control, enable, vcpu));
        }

        nova_hv_message *slot(unsigned sint, unsigned vcpu = 0)
        {
                uint8_t *const page = &frames[(3 + 3 * vcpu) * frame_bytes];
                return reinterpret_cast<nova_hv_message *>(page) + sint;
        }

        uint8_t *flags(unsigned sint, unsigned vcpu = 0)
        {
                return &frames[(4 + 3 * vcpu) * frame_bytes + sint * 256];
        }

        unsigned post(unsigned sint, uint32_t type, unsigned vcpu = 0)
        {
                nova_hv_message message = message_of(type, 8);
                message.data[0] = type * uint64_t{3};
                return nova_hv_post_message(&hv, vcpu, sint, &message);
        }

        /* Takes a message as the TLFS requires of a guest. @return its type */
        uint32_t receive(unsigned sint, unsigned vcpu = 0)
        {
                const uint32_t type = slot(sint, vcpu)->type;
                slot(sint, vcpu)->type = 0;
                if (slot(sint, vcpu)->flags & 1) {
                        EXPECT_TRUE(set(end_msr, 0, vcpu));
                }
                return type;
        }

        int take(unsigned vcpu = 0)
        {
                const int taken = nova_lapic_take(&lapic[vcpu]);
                nova_lapic_end(&lapic[vcpu]);
                return taken;
        }

        /* Makes a call with a block of words. @return the status */
        unsigned call(uint64_t value, const std::vector<uint64_t> &words, unsigned vcpu = 0)
        {
                nova_hv_frame frame = {};
                frame.mode = NOVA_HV_64;
                frame.value = value;
                frame.input = in_at;
                memset(&ram[in_at], 0, 256);
                memcpy(&ram[in_at], words.data(), words.size() * 8);
                EXPECT_EQ(nova_hv_execute(&hv, vcpu, &frame), NOVA_HV_DONE);
                return frame.result & 0xffff;
        }

        unsigned call_post(uint64_t connection, uint64_t type, uint64_t bytes, uint64_t data = 5)
        {
                return call(post_call, {connection, type | bytes << 32, data});
        }

        /* Lets time pass up to @p units of reference time. */
        void pass_to(uint64_t units)
        {
                const uint64_t end = 1000000 + units * 100;

                while (hv.alarm.deadline <= end) {
                        clock.ns = std::max(clock.ns, hv.alarm.deadline);
                        hv.alarm.deadline = NOVA_NEVER;
                        hv.alarm.expire(hv.alarm.device, clock.ns);
                }
                clock.ns = end;
        }
};

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}

#endif
