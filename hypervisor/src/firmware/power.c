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

/* Writes a sleep type to each control register, with SLEEP_ENABLE or 0. */
static void power_sleep(unsigned enable)
{
        for (unsigned i = 0; i < 2 && acpi.pm1_control[i]; i++) {
                const unsigned value = inw(acpi.pm1_control[i]) & ~SLEEP_MASK;

                outw(acpi.pm1_control[i],
                     (uint16_t)(value | (acpi.s5_type[i] & 7u) << SLEEP_TYPE | enable));
        }
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
        power_sleep(0); /* some chipsets need both types before the first SLEEP_ENABLE */
        power_sleep(SLEEP_ENABLE);
        power_wait();
}
