/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums of TCP and UDP that the program leaves open (novart/service/net.h). */
#ifndef NOVANET_OPEN_SUM_H
#define NOVANET_OPEN_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Opens the checksum of a frame that carries a whole packet of TCP or UDP over IPv4 without
 * options: its field gets the sum of the pseudo header. @return the word about the frame; 0: it
 * carries something else, and is unchanged */
uint32_t novanet_open_sum(uint8_t *frame, size_t bytes);

#endif
