/* SPDX-License-Identifier: BSD-2-Clause */
/* The edu device's DMA: it moves words between memory and its buffer. */
#ifndef DEVICE_DMA_H
#define DEVICE_DMA_H

#include "device.h"

/* Moves a word from memory to the buffer, and from the buffer to memory. Only the memory shows
 * whether that was allowed. */
void edu_load(struct edu edu, uint64_t address);
void edu_store(struct edu edu, uint64_t address);

#endif
