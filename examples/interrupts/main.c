/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of a device: the real-time clock ticks, and a driver in user mode counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "nova/arch/port.h"
#include "nova/nova.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/time.h"

/* Ports of the clock's registers: one for a register's number, one for its value. */
#define RTC_INDEX 0x70
#define RTC_DATA  0x71
#define RTC_GSI   8

#define RTC_A          0x0a
#define RTC_B          0x0b
#define RTC_C          0x0c /* cause of the interrupt; reading it enables the next one */
#define RTC_A_RATE     0x0f
#define RTC_A_128_HZ   0x09 /* 32768 Hz >> (9 - 1) */
#define RTC_B_PERIODIC 0x40

#define TICKS  64
#define SECOND 1000000000ull

static void check(const char *what, bool good)
{
        if (good)
                return;
        printf("%s: refused\n", what);
        exit(1);
}

static uint8_t rtc_read(uint8_t number)
{
        nova_out8(RTC_INDEX, number);
        return nova_in8(RTC_DATA);
}

static void rtc_write(uint8_t number, uint8_t value)
{
        nova_out8(RTC_INDEX, number);
        nova_out8(RTC_DATA, value);
}

/* Requests the ports and the interrupt from the kernel, which owns them at boot. */
static nova_sel_t get_device(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);
        const nova_crd_t interrupt = nova_crd_obj(NOVA_SEL_GSI_SM + RTC_GSI, 0, NOVA_PERM_ALL);
        uint32_t address, data; /* of interrupt messages; unused, as the clock has a pin instead */

        check("ports", nova_request(nova_crd_io(RTC_INDEX, 1), RTC_INDEX) == 0);
        check("interrupt", nova_request(interrupt, sm) == 0);
        check("assign_gsi",
              nova_assign_gsi(sm, 0, nova_program.cpu, &address, &data) == NOVA_SUCCESS);
        printf("interrupt %u arrives at CPU %u\n", RTC_GSI, (unsigned)nova_program.cpu);
        return sm;
}

/* Starts the clock's interrupts. Discards old interrupts of the firmware or of a previous owner. */
static void begin(nova_sel_t sm)
{
        rtc_write(RTC_A, (rtc_read(RTC_A) & (uint8_t)~RTC_A_RATE) | RTC_A_128_HZ);
        rtc_read(RTC_C);
        while (nova_sm_down_until(sm, 0, nova_deadline_in(1)) == NOVA_SUCCESS)
                ;
        rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_PERIODIC);
}

static void count_ticks(nova_sel_t sm)
{
        const uint64_t start = nova_time_ns();

        for (unsigned ticks = 0; ticks < TICKS; ticks++) {
                check("down", nova_sm_down(sm) == NOVA_SUCCESS);
                rtc_read(RTC_C);
        }
        printf("%u ticks of 128 per second took %" PRIu64 " ms\n", TICKS,
               (nova_time_ns() - start) / 1000000);
}

static void end(nova_sel_t sm)
{
        rtc_write(RTC_B, rtc_read(RTC_B) & (uint8_t)~RTC_B_PERIODIC);
        rtc_read(RTC_C);
        while (nova_sm_down_until(sm, 0, nova_deadline_in(SECOND / 20)) == NOVA_SUCCESS)
                rtc_read(RTC_C); /* acknowledges the last interrupt, which is pending */
        printf("the clock is stopped: no more interrupts\n");
}

int main(void)
{
        const nova_sel_t sm = get_device();

        begin(sm);
        count_ticks(sm);
        end(sm);
        return 0;
}
