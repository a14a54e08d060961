/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 timer of a PC: channel 0 drives an interrupt, channel 2 is read back at port 0x61. */
#ifndef NOVAVMM_PIT_H
#define NOVAVMM_PIT_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Ticks of the timer per second. */
#define NOVA_PIT_HZ 1193182

/** A counter. */
struct nova_pit_channel {
        uint64_t start;      /**< time in ns at which it started or continued to count */
        uint64_t held;       /**< ticks that it counted before the gate was closed and opened */
        uint64_t change;     /**< time in ns at which `next` replaces `count`; NOVA_NEVER: with
                              * the next rise of the gate */
        uint32_t count;      /**< initial count: 1 to 65536; 0: not programmed */
        uint32_t next;       /**< initial count after the present period; 0: the same */
        uint16_t latch;      /**< latched count, valid if `latched` */
        uint8_t mode;        /**< 0 to 5 */
        uint8_t access;      /**< access mode: 1 low byte, 2 high byte, 3 both */
        uint8_t low;         /**< the low byte while the high byte is awaited */
        uint8_t status;      /**< latched status, valid if `status_latched` */
        bool high_written;   /**< the next byte written is the high one */
        bool high_read;      /**< the next byte read is the high one */
        bool latched;        /**< reads return the latch */
        bool status_latched; /**< reads return the status */
        bool gate;           /**< gate input: counting is enabled, or begins in modes 1 and 5 */
        bool triggered;      /**< modes 1 and 5: the gate has risen, so it counts */
        bool bcd;            /**< it counts in four decimal digits */
        bool fired;          /**< the one-shot has expired */
        bool in_half;        /**< `next` replaces `count` in the middle of a square wave */
};

/** The timer. */
struct nova_pit {
        struct nova_pit_channel channel[3];
        bool speaker; /**< bit 1 of port 0x61 */
        struct nova_clock clock;
        struct nova_line out; /**< output line of channel 0 */
        struct nova_alarm alarm;
};

/** Initialises the timer. @param out output line of channel 0 */
void nova_pit_init(struct nova_pit *pit, const struct nova_clock *clock,
                   const struct nova_line *out);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, 0x40 to 0x43 or 0x61. The function suits struct
 *  nova_bus_range; @p context is the struct nova_pit. @return the device's value */
uint64_t nova_pit_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_pit_read(). */
void nova_pit_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
