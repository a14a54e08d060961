/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the instructions of random.c by functions that random_test.cc defines. */
#ifndef TESTS_UNIT_ULTRAVISOR_RANDOM_INSN_H
#define TESTS_UNIT_ULTRAVISOR_RANDOM_INSN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t cpuid_ecx(uint32_t leaf);
bool rdrand(uintptr_t *value);

#ifdef __cplusplus
}
#endif

#endif
