/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of a PC with its battery-backed memory, at ports 0x70 and 0x71. It keeps the time and
 * the written bytes, and has three interrupts: periodic, each second, and at the time of the alarm.
 * Interrupts of a kind that come before the driver has read register C merge into one. A driver can
 * set the date. The day of the week then follows from the date, whatever the driver writes. The
 * date lasts until the machine ends. */
#ifndef NOVAVMM_RTC_H
#define NOVAVMM_RTC_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of the memory in bytes, including the clock's registers. */
#define NOVA_RTC_BYTES 128

/** The clock. */
struct nova_rtc {
        uint8_t index;                  /**< index of the byte that port 0x71 shows */
        uint8_t memory[NOVA_RTC_BYTES]; /**< registers of the clock, then memory */
        int64_t offset;                 /**< time in seconds since 1970 at which its struct
                                         * nova_clock was 0 */
        uint64_t quiet_until;           /**< time of its struct nova_clock, in nanoseconds, until
                                         * which the registers keep what a driver has written */
        uint64_t checked;               /**< time of its struct nova_clock, in nanoseconds, until
                                         * which register C has all flags */
        struct nova_clock clock;
        struct nova_line out;    /**< interrupt line */
        struct nova_alarm alarm; /**< is set while an interrupt is enabled and the line is low */
};

/** Initialises the clock. @param out interrupt line @param seconds current time since 1970 */
void nova_rtc_init(struct nova_rtc *rtc, const struct nova_clock *clock,
                   const struct nova_line *out, uint64_t seconds);

/** Stores the size of the RAM, @p bytes, at the place where firmware looks for it, and the checksum
 *  of the memory. */
void nova_rtc_set_ram(struct nova_rtc *rtc, uint64_t bytes);

/** Stores the number of virtual CPUs, @p cpus (1 to 256), where SeaBIOS looks for it. */
void nova_rtc_set_cpus(struct nova_rtc *rtc, unsigned cpus);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, 0x70 or 0x71. The function suits struct
 *  nova_bus_range; @p context is the struct nova_rtc. @return the device's value */
uint64_t nova_rtc_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_rtc_read(). */
void nova_rtc_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
