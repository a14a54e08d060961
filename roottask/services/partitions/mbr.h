/* SPDX-License-Identifier: BSD-2-Clause */
/* The first block of a disk with partitions. */
#ifndef NOVART_PARTITIONS_MBR_H
#define NOVART_PARTITIONS_MBR_H

#include <stdbool.h>
#include <stdint.h>

/* Returns whether a block ends as a master boot record does. */
bool mbr_is_signed(const uint8_t *block);

/* Returns whether it is one that only protects a GPT. */
bool mbr_is_protective(const uint8_t *block);

#endif
