/* SPDX-License-Identifier: BSD-2-Clause */
/* The time of the test. */
#ifndef NOVA_ARCH_TSC_H
#define NOVA_ARCH_TSC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint64_t nova_rdtsc(void);

#ifdef __cplusplus
}
#endif

#endif
