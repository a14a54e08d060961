/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset logic of a PC: the keyboard controller's line, ports 0x92 and 0xcf9. The controller answers
 * the commands that software waits for, without interrupts. There is no keyboard. */
#ifndef NOVAVMM_RESET_H
#define NOVAVMM_RESET_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The reset logic. */
struct nova_reset {
        uint8_t command;   /**< last command, which may wait for its data byte, or 0 */
        uint8_t settings;  /**< command byte of the keyboard controller */
        uint8_t answer;    /**< answer of the keyboard controller, valid if `answers` */
        bool answers;      /**< the answer was not read yet */
        uint8_t control;   /**< port 0xcf9 */
        const char *means; /**< cause of the reset, for reports */
        struct nova_line line;
};

/** Initialises the logic. @param line line that goes high to reset the machine */
void nova_reset_init(struct nova_reset *reset, const struct nova_line *line);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, 0x60, 0x64, 0x92 or 0xcf9. The function suits struct
 *  nova_bus_range; @p context is the struct nova_reset. @return the device's value */
uint64_t nova_reset_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_reset_read(). */
void nova_reset_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
