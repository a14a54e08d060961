/* SPDX-License-Identifier: BSD-2-Clause */
/* The ones' complement sum for checksums of IP, TCP and UDP. */
#ifndef NOVART_INTERNET_SUM_H
#define NOVART_INTERNET_SUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns the ones' complement sum of 16-bit words (RFC 1071), with a zero after an odd number of
 * bytes. A checksum is the complement of the sum. The byte order does not matter: the sum has the
 * byte order of the words in memory. Does not block.
 *
 * @code
 * extern uint8_t header[20]; // of IPv4
 * uint16_t sum;
 *
 * memset(header + 10, 0, 2); // the field of the checksum
 * sum = (uint16_t)~nova_internet_sum(header, sizeof(header));
 * memcpy(header + 10, &sum, 2);
 * @endcode
 * @param data  first byte, at any address
 * @param bytes number of bytes
 */
uint16_t nova_internet_sum(const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
