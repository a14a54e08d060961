/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the time of the machine's clock (see novart/time.h). */
#include "time/rtc.h"

#include <errno.h>
#include <string.h>

#include "nova/arch/port.h"
#include "nova/crd.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/time.h"

#define PORT       0x70 /* port of the register number; the next port has the value */
#define STATUS_A   0x0a
#define A_UPDATING 0x80

#define NS_PER_S 1000000000u

/* Time in ns to wait for the end of an update, which takes 2 ms. */
#define PATIENCE_NS 20000000

static uint8_t read_register(uint16_t port, unsigned number)
{
        nova_out8(port, (uint8_t)number);
        return nova_in8(port + 1);
}

static void read_all(uint16_t port, uint8_t reg[RTC_REGISTERS])
{
        for (unsigned i = 0; i < RTC_REGISTERS; i++)
                reg[i] = read_register(port, i);
}

/* Reads all registers until two passes agree, because an update may begin between two registers. */
static bool read_steadily(uint16_t port, uint8_t reg[RTC_REGISTERS])
{
        const uint64_t end = nova_time_ns() + PATIENCE_NS;
        uint8_t again[RTC_REGISTERS];

        do {
                read_all(port, reg);
                read_all(port, again);
                if (!(reg[STATUS_A] & A_UPDATING) && !memcmp(reg, again, sizeof(again)))
                        return true;
        } while (nova_time_ns() < end);
        return false;
}

static int get_ports(uint16_t *first)
{
        uint16_t last;

        *first = PORT;
        if (nova_program_is_root())
                return nova_request(nova_crd_io(PORT, 1), PORT);
        return nova_parent_ports("rtc", 0, first, &last);
}

int nova_time_set_by_rtc(void)
{
        uint8_t reg[RTC_REGISTERS];
        uint64_t seconds;
        uint16_t port;
        const int error = get_ports(&port);

        if (error)
                return error;
        if (!read_steadily(port, reg) || !novart_rtc_seconds(reg, &seconds))
                return EIO;
        nova_time_set(seconds * NS_PER_S);
        return 0;
}
