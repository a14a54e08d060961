/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset and power-off (ACPI 6.0, 4.8.3). */
#include "firmware/power.h"

#include "arch/x86/insn.h"
#include "firmware/acpi.h"

#define RESET_CONTROL  0xcf9
#define RESET_FULL     0x6
#define KEYBOARD       0x64
#define KEYBOARD_RESET 0xfe
#define SCI_ENABLED    0x1
#define SLEEP_TYPE     10
#define SLEEP_ENABLE   0x2000
#define SLEEP_MASK     0x3c00
#define SPIN           10000000

static void power_wait(void)
{
        for (unsigned i = 0; i < SPIN / 100; i++)
                pause();
}

_Noreturn void power_reset(void)
{
        const struct table_pointer none = {0};

        if (acpi.reset_space == ACPI_SPACE_IO && acpi.reset_address &&
            acpi.reset_address <= 0xffff) {
                outb((uint16_t)acpi.reset_address, acpi.reset_value);
                power_wait();
        }
        outb(RESET_CONTROL, RESET_FULL);
        power_wait();
        outb(KEYBOARD, KEYBOARD_RESET);
        power_wait();
        lidt(&none);
        for (;;)
                __asm__ volatile("int3");
}

static void power_sleep(uint16_t port, uint8_t type)
{
        const uint16_t value = (uint16_t)(inw(port) & ~SLEEP_MASK);

        outw(port, (uint16_t)(value | (type & 7) << SLEEP_TYPE | SLEEP_ENABLE));
}

void power_off(void)
{
        if (!acpi.pm1_control[0] || !acpi.has_s5)
                return;
        if (acpi.smi_port && acpi.smi_enable && !(inw(acpi.pm1_control[0]) & SCI_ENABLED)) {
                outb(acpi.smi_port, acpi.smi_enable);
                for (unsigned i = 0; i < SPIN && !(inw(acpi.pm1_control[0]) & SCI_ENABLED); i++)
                        pause();
        }
        power_sleep(acpi.pm1_control[0], acpi.s5_type[0]);
        if (acpi.pm1_control[1])
                power_sleep(acpi.pm1_control[1], acpi.s5_type[1]);
        power_wait();
}
