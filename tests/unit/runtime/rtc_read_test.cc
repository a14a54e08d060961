/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a PC's clock through its ports: a running clock, a stopped one, and none. */
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "nova/arch/port.h"
#include "nova/crd.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/time.h"

/* The header has a structure and a function with the same name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "novart/parent.h"
#pragma GCC diagnostic pop

namespace
{

constexpr unsigned seconds = 0, status_a = 10, status_b = 11;
constexpr uint8_t updating = 0x80, hours_24 = 0x02;
constexpr uint64_t us = 1000, ms = 1000 * us, s = 1000 * ms;
constexpr uint64_t port_access = us, patience = 20 * ms;

/* 1 January 1970, 00:00:56. */
constexpr uint8_t date[] = {0x56, 0, 0, 0, 0, 0, 5, 1, 1, 0x70, 0, hours_24};

struct machine {
        uint64_t ns, set;
        nova_crd_t requested;
        uint16_t first;   /* first of the clock's ports */
        uint8_t selected; /* register */
        int error;        /* result of the request for the ports */
        std::function<uint8_t(unsigned)> reg;
} machine;

int set_by_rtc(std::function<uint8_t(unsigned)> reg)
{
        machine.reg = std::move(reg);
        return nova_time_set_by_rtc();
}

struct rtc_read : testing::Test {
        nova_start_page page = {};

        rtc_read()
        {
                machine = {1, 0, 0, 0x70, 0, 0, nullptr};
                nova_program.start = nullptr;
        }

        void be_child(int error)
        {
                nova_program.start = &page;
                machine.first = 0x370;
                machine.error = error;
        }

        /* Expects that the time was not set, and that the wait ended neither early nor late. */
        static void expect_given_up()
        {
                EXPECT_EQ(machine.set, 0u);
                EXPECT_GE(machine.ns, patience);
                EXPECT_LT(machine.ns, patience + ms);
        }
};

TEST_F(rtc_read, a_root_takes_the_ports_from_the_kernel)
{
        EXPECT_EQ(set_by_rtc([](unsigned i) { return date[i]; }), 0);
        EXPECT_EQ(machine.requested, nova_crd_io(0x70, 1));
        EXPECT_EQ(machine.set, 56 * s);
}

TEST_F(rtc_read, a_root_without_the_ports_does_not_touch_them)
{
        machine.error = EPERM;
        EXPECT_EQ(set_by_rtc(nullptr), EPERM);
}

TEST_F(rtc_read, a_child_takes_those_that_its_parent_grants)
{
        be_child(0);
        EXPECT_EQ(set_by_rtc([](unsigned i) { return date[i]; }), 0);
        EXPECT_EQ(machine.requested, 0u);
        EXPECT_EQ(machine.set, 56 * s);
}

TEST_F(rtc_read, a_child_without_the_device_does_not_touch_it)
{
        be_child(ENOENT);
        EXPECT_EQ(set_by_rtc(nullptr), ENOENT);
}

TEST_F(rtc_read, an_update_is_waited_for)
{
        EXPECT_EQ(set_by_rtc([](unsigned i) -> uint8_t {
                          if (machine.ns > 2 * ms)
                                  return date[i];
                          return i == status_a ? updating : 0xff;
                  }),
                  0);
        EXPECT_EQ(machine.set, 56 * s);
        EXPECT_GT(machine.ns, 2 * ms);
}

/* The seconds were read before the update, the other registers after it. */
TEST_F(rtc_read, an_update_between_two_registers_is_noticed)
{
        bool is_first = true;
        EXPECT_EQ(set_by_rtc([&](unsigned i) -> uint8_t {
                          const bool before = is_first && i == seconds;
                          is_first = false;
                          return before ? 0x59 : date[i];
                  }),
                  0);
        EXPECT_EQ(machine.set, 56 * s);
}

TEST_F(rtc_read, a_clock_that_does_not_settle_is_given_up)
{
        uint8_t count = 0;
        EXPECT_EQ(set_by_rtc([&](unsigned i) { return i == seconds ? count++ & 7 : date[i]; }),
                  EIO);
        expect_given_up();
}

TEST_F(rtc_read, an_update_without_an_end_is_given_up)
{
        EXPECT_EQ(set_by_rtc([](unsigned i) { return i == status_a ? updating : date[i]; }), EIO);
        expect_given_up();
}

TEST_F(rtc_read, a_clock_that_is_not_there_is_given_up)
{
        EXPECT_EQ(set_by_rtc([](unsigned) { return 0xff; }), EIO);
        expect_given_up();
}

TEST_F(rtc_read, an_invalid_date_sets_no_time)
{
        EXPECT_EQ(set_by_rtc([](unsigned i) { return i == status_b ? hours_24 : 0; }), EIO);
        EXPECT_EQ(machine.set, 0u);
        EXPECT_LT(machine.ns, ms);
}

} // namespace

extern "C" {

struct nova_program nova_program;

void nova_out8(uint16_t port, uint8_t value)
{
        EXPECT_EQ(port, machine.first);
        machine.ns += port_access;
        machine.selected = value;
}

uint8_t nova_in8(uint16_t port)
{
        EXPECT_EQ(port, machine.first + 1);
        machine.ns += port_access;
        return machine.reg(machine.selected);
}

int nova_request(nova_crd_t crd, nova_sel_t)
{
        machine.requested = crd;
        return machine.error;
}

int nova_parent_ports(const char *device, unsigned, uint16_t *first, uint16_t *last)
{
        EXPECT_STREQ(device, "rtc");
        *first = machine.first;
        *last = machine.first + 1;
        return machine.error;
}

uint64_t nova_time_ns(void)
{
        return machine.ns;
}

void nova_time_set(uint64_t ns)
{
        machine.set = ns;
}
}
