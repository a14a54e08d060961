/* SPDX-License-Identifier: BSD-2-Clause */
/* Power management of a guest's PC (see novavmm/acpi.h); ACPI Specification 6.4, 4.8.3. */
#include "novavmm/acpi.h"

#include <string.h>

/* Registers, as offsets from the first port. */
#define STATUS  0
#define ENABLE  2
#define CONTROL 4
#define TIMER   8

#define CONTROL_SCI   0x0001 /* ACPI mode: always */
#define CONTROL_TYPE  0x1c00
#define CONTROL_SLEEP 0x2000
#define TYPE_OFF      0x1400 /* sleep type 5, as \_S5 in the DSDT */

#define TIMER_HZ 3579545
#define NS_PER_S 1000000000u

void nova_acpi_init(struct nova_acpi *acpi, const struct nova_clock *clock,
                    const struct nova_line *off)
{
        memset(acpi, 0, sizeof(*acpi));
        acpi->clock = *clock;
        acpi->off = *off;
}

static uint32_t ticks(const struct nova_acpi *acpi)
{
        const uint64_t now = nova_clock_now(&acpi->clock);

        return (uint32_t)(now / NS_PER_S * TIMER_HZ + now % NS_PER_S * TIMER_HZ / NS_PER_S);
}

/* Returns the registers as consecutive bytes, for accesses of any width. */
uint64_t nova_acpi_read(void *context, uint64_t port, unsigned bytes)
{
        const struct nova_acpi *const acpi = context;
        const unsigned at = (unsigned)(port - NOVA_ACPI_PORT);
        const uint32_t word[] = {
                (uint32_t)acpi->enabled << 16 | acpi->status,
                acpi->control | CONTROL_SCI,
                ticks(acpi),
        };

        if (at >= NOVA_ACPI_PORTS || bytes > 4 - at % 4)
                return UINT32_MAX;
        return word[at / 4] >> 8 * (at % 4);
}

static void write_control(struct nova_acpi *acpi, uint16_t value)
{
        acpi->control = value & CONTROL_TYPE;
        if (value & CONTROL_SLEEP && (value & CONTROL_TYPE) == TYPE_OFF)
                nova_line_set(&acpi->off, true);
}

/* Writes a half of a register; the other half keeps its value. */
static void write_byte(struct nova_acpi *acpi, unsigned at, uint8_t value)
{
        const unsigned shift = 8 * (at & 1);
        const uint16_t other = (uint16_t)(0xff00 >> shift);
        const uint16_t half = (uint16_t)(value << shift);

        switch (at & ~1u) {
        case STATUS:
                acpi->status &= (uint16_t)~half;
                break;
        case ENABLE:
                acpi->enabled = (acpi->enabled & other) | half;
                break;
        case CONTROL:
                write_control(acpi, (acpi->control & other) | half);
                break;
        default:
                break;
        }
}

/* A 1 that is written to the status clears its bit. */
void nova_acpi_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_acpi *const acpi = context;

        if (bytes == 1) {
                write_byte(acpi, (unsigned)(port - NOVA_ACPI_PORT), (uint8_t)value);
                return;
        }
        switch (port - NOVA_ACPI_PORT) {
        case STATUS:
                acpi->status &= (uint16_t)~value;
                if (bytes == 4)
                        acpi->enabled = (uint16_t)(value >> 16);
                break;
        case ENABLE:
                acpi->enabled = (uint16_t)value;
                break;
        case CONTROL:
                write_control(acpi, (uint16_t)value);
                break;
        default:
                break;
        }
}
