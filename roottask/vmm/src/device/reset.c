/* SPDX-License-Identifier: BSD-2-Clause */
/* The reset mechanisms of a PC (see novavmm/reset.h). */
#include "novavmm/reset.h"

#include <string.h>

#define KEYBOARD_DATA    0x60
#define KEYBOARD_COMMAND 0x64
#define FAST_A20         0x92
#define RESET_CONTROL    0xcf9

/* Commands of the keyboard controller. The first one writes the output port, whose bit 0 is the
 * inverted reset line. The second one pulses lines of that port; a low bit that is 1 leaves its
 * line unchanged. */
#define COMMAND_OUTPUT 0xd1
#define COMMAND_PULSE  0xf0

#define A20_ON     0x02
#define FAST_RESET 0x01

#define CONTROL_KEEPS 0x0a /* the kind of the reset */
#define CONTROL_GO    0x04

#define KEYBOARD "the keyboard controller"

void nova_reset_init(struct nova_reset *reset, const struct nova_line *line)
{
        memset(reset, 0, sizeof(*reset));
        reset->line = *line;
}

uint64_t nova_reset_read(void *context, uint64_t port, unsigned bytes)
{
        const struct nova_reset *const reset = context;

        (void)bytes;
        switch (port) {
        case FAST_A20:
                return A20_ON;
        case RESET_CONTROL:
                return reset->control;
        default:
                return 0; /* no key was pressed, and the controller is not busy */
        }
}

static void go(struct nova_reset *reset, const char *means)
{
        reset->means = means;
        nova_line_set(&reset->line, true);
}

static void write_command(struct nova_reset *reset, uint8_t value)
{
        reset->command = value == COMMAND_OUTPUT ? value : 0;
        if ((value & COMMAND_PULSE) == COMMAND_PULSE && !(value & 1))
                go(reset, KEYBOARD);
}

static void write_data(struct nova_reset *reset, uint8_t value)
{
        if (reset->command == COMMAND_OUTPUT && !(value & 1))
                go(reset, KEYBOARD);
        reset->command = 0;
}

void nova_reset_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_reset *const reset = context;
        const uint8_t byte = (uint8_t)value;

        (void)bytes;
        switch (port) {
        case KEYBOARD_COMMAND:
                write_command(reset, byte);
                break;
        case KEYBOARD_DATA:
                write_data(reset, byte);
                break;
        case FAST_A20:
                if (byte & FAST_RESET)
                        go(reset, "port 0x92");
                break;
        case RESET_CONTROL:
                reset->control = byte & CONTROL_KEEPS;
                if (byte & CONTROL_GO)
                        go(reset, "port 0xcf9");
                break;
        default:
                break;
        }
}
