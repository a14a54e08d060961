/* SPDX-License-Identifier: BSD-2-Clause */
/* The check sum of the internet protocols. */
#ifndef NOVANET_SUM_H
#define NOVANET_SUM_H

#include <stdint.h>

/* Returns the ones' complement sum of 16-bit words (RFC 1071), with a zero after an odd number of
 * bytes. The order of the bytes in a word does not matter to such a sum. */
uint16_t novanet_sum(const void *data, int bytes);

#endif
