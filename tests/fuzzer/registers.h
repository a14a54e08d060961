/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns in the registers of the floating-point unit. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "fuzzer.h"

struct fpu_image {
        uint32_t word[128];
} __attribute__((aligned(16)));

/* Loads the pattern of a key into the x87 and XMM registers. */
void fpu_load(word_t key);
/* Returns whether the registers hold the pattern of a key. */
bool fpu_holds(word_t key);

#endif
