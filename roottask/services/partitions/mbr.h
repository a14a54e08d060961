/* SPDX-License-Identifier: BSD-2-Clause */
/* The first block of a disk with partitions. */
#ifndef NOVART_PARTITIONS_MBR_H
#define NOVART_PARTITIONS_MBR_H

#include <stdbool.h>
#include <stdint.h>

/* Returns true if a block ends with the signature of a master boot record. */
bool mbr_is_signed(const uint8_t *block);

/* Returns true if a block is a master boot record that only protects a GPT. */
bool mbr_is_protective(const uint8_t *block);

#endif
