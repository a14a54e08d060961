/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices that a description knows without a section, at their fixed places. A device that is
 * absent reads as all ones. */
#include <nova/arch/port.h>
#include <nova/crd.h>
#include <novart/region.h>
#include <stdio.h>

#include "inspect.h"

#define SERIAL         0x3f8
#define SERIAL_ORDER   3
#define SERIAL_SCRATCH (SERIAL + 7)
#define RTC            0x70
#define RTC_VALID      0x0d
#define KEYBOARD       0x64
#define HPET           0xfed00000u
#define ABSENT         0xff

static bool get_ports(uint16_t port, unsigned order)
{
        return nova_request(nova_crd_io(port, order), port) == 0;
}

bool old_has_serial(void)
{
        if (!get_ports(SERIAL, SERIAL_ORDER))
                return false;
        nova_out8(SERIAL_SCRATCH, 0x5a);
        return nova_in8(SERIAL_SCRATCH) == 0x5a;
}

static bool has_rtc(void)
{
        if (!get_ports(RTC, 1))
                return false;
        nova_out8(RTC, RTC_VALID);
        return nova_in8(RTC + 1) != ABSENT;
}

static bool has_keyboard(void)
{
        return get_ports(KEYBOARD, 0) && nova_in8(KEYBOARD) != ABSENT;
}

/* Returns true if there is an HPET: its first register holds the vendor and a revision, which is
 * not 0. */
static bool has_hpet(void)
{
        void *memory;

        if (nova_map_physical(HPET, 8, NOVA_MEM_R, &memory))
                return false;

        const uint32_t capabilities = *(const volatile uint32_t *)memory;

        nova_region_free(memory);
        return (capabilities & 0xff) && capabilities != UINT32_MAX;
}

void old_print(void)
{
        printf("# Known devices:");
        if (old_has_serial())
                printf(" serial");
        if (has_rtc())
                printf(" rtc");
        if (has_keyboard())
                printf(" keyboard");
        if (has_hpet())
                printf(" hpet");
        puts(".");
}
