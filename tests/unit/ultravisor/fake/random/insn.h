/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of random.c as random_test.cc wants them. */
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
