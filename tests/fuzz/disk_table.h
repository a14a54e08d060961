/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of partition tables that fuzzers write: numbers, and sums that a reader checks. */
#ifndef FUZZ_DISK_TABLE_H
#define FUZZ_DISK_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Stores a number of some bytes, the lowest one first. */
static inline void table_put(uint8_t *to, uint64_t value, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                to[i] = (uint8_t)(value >> 8 * i);
}

/* Returns the CRC-32 of a GPT. */
static inline uint32_t table_crc(const uint8_t *bytes, size_t count)
{
        uint32_t crc = UINT32_MAX;

        while (count--) {
                crc ^= *bytes++;
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        return ~crc;
}

#endif
