/* SPDX-License-Identifier: BSD-2-Clause */
/* The reset mechanisms of a PC (see novavmm/reset.h). */
#include "novavmm/reset.h"

#include <string.h>

#define KEYBOARD_DATA    0x60
#define KEYBOARD_COMMAND 0x64
#define FAST_A20         0x92
#define RESET_CONTROL    0xcf9

/* Status of the keyboard controller: its answer was not read yet. */
#define STATUS_ANSWER 0x01

/* Commands of the keyboard controller that write its settings and its output port. Bit 0 of that
 * port is the inverted reset line. The last command pulses lines of the port; a low bit that is 1
 * leaves its line unchanged. */
#define COMMAND_SETTINGS 0x60
#define COMMAND_OUTPUT   0xd1
#define COMMAND_PULSE    0xf0

/* Commands that software waits for, mostly without a limit, and their answers: the settings, the
 * tests of the controller, of the keyboard's line and of the mouse's, the output port. */
#define COMMAND_READ_SETTINGS 0x20
#define COMMAND_TEST          0xaa
#define COMMAND_TEST_LINE     0xab
#define COMMAND_TEST_MOUSE    0xa9
#define COMMAND_READ_OUTPUT   0xd0
#define TEST_PASSED           0x55
#define LINE_IS_LOW           0x01 /* there is no keyboard, and no mouse */
#define OUTPUT_A20_ON         0x03 /* and the reset line is not active */

/* Settings after the test of the controller: it has passed, the keyboard is disabled. */
#define SETTINGS 0x14

#define A20_ON     0x02
#define FAST_RESET 0x01

#define CONTROL_KEEPS 0x0a /* the kind of the reset */
#define CONTROL_GO    0x04

#define KEYBOARD "the keyboard controller"

void nova_reset_init(struct nova_reset *reset, const struct nova_line *line)
{
        memset(reset, 0, sizeof(*reset));
        reset->settings = SETTINGS;
        reset->line = *line;
}

static uint8_t take_answer(struct nova_reset *reset)
{
        const uint8_t answer = reset->answer;

        reset->answers = false;
        reset->answer = 0;
        return answer;
}

uint64_t nova_reset_read(void *context, uint64_t port, unsigned bytes)
{
        struct nova_reset *const reset = context;

        (void)bytes;
        switch (port) {
        case FAST_A20:
                return A20_ON;
        case RESET_CONTROL:
                return reset->control;
        case KEYBOARD_COMMAND:
                return reset->answers ? STATUS_ANSWER : 0; /* it is never busy */
        default:
                return take_answer(reset);
        }
}

static void go(struct nova_reset *reset, const char *means)
{
        reset->means = means;
        nova_line_set(&reset->line, true);
}

static void answer(struct nova_reset *reset, uint8_t value)
{
        reset->answer = value;
        reset->answers = true;
}

static void write_command(struct nova_reset *reset, uint8_t value)
{
        reset->command = value;
        switch (value) {
        case COMMAND_READ_SETTINGS:
                answer(reset, reset->settings);
                break;
        case COMMAND_TEST:
                reset->settings = SETTINGS;
                answer(reset, TEST_PASSED);
                break;
        case COMMAND_TEST_LINE:
        case COMMAND_TEST_MOUSE:
                answer(reset, LINE_IS_LOW);
                break;
        case COMMAND_READ_OUTPUT:
                answer(reset, OUTPUT_A20_ON);
                break;
        default:
                break;
        }
        if ((value & COMMAND_PULSE) == COMMAND_PULSE && !(value & 1))
                go(reset, KEYBOARD);
}

static void write_data(struct nova_reset *reset, uint8_t value)
{
        if (reset->command == COMMAND_OUTPUT && !(value & 1))
                go(reset, KEYBOARD);
        if (reset->command == COMMAND_SETTINGS)
                reset->settings = value;
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
