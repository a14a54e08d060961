/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a PC's clock, an MC146818. */
#ifndef NOVART_TIME_RTC_H
#define NOVART_TIME_RTC_H

#include <stdbool.h>
#include <stdint.h>

/* Number of registers that belong to the date; the first is register 0. */
#define RTC_REGISTERS 12

/* Computes the seconds since 1970 from the registers, which hold UTC and a year from 1970 to 2069.
 * @return false: they hold no valid date */
bool novart_rtc_seconds(const uint8_t reg[RTC_REGISTERS], uint64_t *seconds);

#endif
