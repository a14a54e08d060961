/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways in which a PC resets itself: the keyboard controller's line, ports 0x92 and 0xcf9. There
 * is not a keyboard. */
#ifndef NOVAVMM_RESET_H
#define NOVAVMM_RESET_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The reset logic. */
struct nova_reset {
        uint8_t command;   /**< that waits for its data byte, or 0 */
        uint8_t control;   /**< port 0xcf9 */
        const char *means; /**< by what the line went high, for reports */
        struct nova_line line;
};

/** @param line goes high when the machine is to be reset */
void nova_reset_init(struct nova_reset *reset, const struct nova_line *line);

/** Read @p bytes (1, 2, 4 or 8) at @p port, 0x60, 0x64, 0x92 or 0xcf9; for struct nova_bus_range,
 *  @p context is the struct nova_reset. @return what the device says */
uint64_t nova_reset_read(void *context, uint64_t port, unsigned bytes);
/** Write @p bytes of @p value at @p port; @p context as for nova_reset_read(). */
void nova_reset_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
